// bn.js: large numbers without BigInt, checked against it.
import BN from "bn.js";

export default {
    fetch() {
        const n = 0xfedcba9876543210n;
        const a = new BN("123456789012345678901234567890"), b = new BN("fedcba9876543210", 16);
        const field = new BN("115792089237316195423570985008687907853269984665640564039457584007908834671663");
        return Response.json({
            product: a.mul(b).toString(),
            same: a.mul(b).toString() === (123456789012345678901234567890n * n).toString(),
            power: new BN(3).pow(new BN(100)).toString(16), quotient: a.div(b).toString(), rest: a.umod(b).toString(),
            inverse: a.invm(field).toString(), red: a.toRed(BN.red(field)).redPow(b).fromRed().toString(),
            bytes: b.toArray("le", 10), bits: a.bitLength(), gcd: a.gcd(b).toString(),
            negative: a.neg().toString(), shifted: a.shrn(3).toString(),
        });
    },
};
