// Every algorithm against answers that other implementations gave (OpenSSL, Python's hashlib), and what each refuses.
// Long texts are in pieces.
import pieces from "./vectors.json";

const joined = (value) => {
    if (Array.isArray(value)) return value.join("");
    if (typeof value === "string") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, joined(inner)]));
};
const vectors = joined(pieces);

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const fromBase64 = (text) => Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
const message = fromBase64(vectors.message);
const all = Uint8Array.from({ length: 256 }, (_, index) => index);
const { subtle } = crypto;

const failures = [];
let count = 0;
const same = (name, is, expected) => {
    count++;
    const text = is instanceof ArrayBuffer ? hex(is) : is;
    if (text !== expected) failures.push(`${name}: ${text} is not ${expected}`);
};
const fails = async (name, errorName, body) => {
    count++;
    try {
        await body();
        failures.push(`${name}: no error`);
    } catch (error) {
        if (error.name !== errorName) failures.push(`${name}: ${error.name} is not ${errorName}`);
    }
};
const changed = (bytes) => {
    const copy = new Uint8Array(bytes);
    copy[copy.length - 1] ^= 1;
    return copy;
};
const raw = (bytes, algorithm, ...usages) => subtle.importKey("raw", bytes, algorithm, true, usages);

async function digests() {
    for (const [name, digest] of Object.entries(vectors.digest)) {
        same(name, await subtle.digest(name, message), digest);
        const stream = new crypto.DigestStream(name);
        const writer = stream.getWriter();
        await writer.write(message.subarray(0, 5));
        await writer.write(message.subarray(5));
        await writer.close();
        same(`${name} as a stream`, await stream.digest, digest);
    }
    for (const [hash, code] of Object.entries(vectors.hmac)) {
        const key = await raw(all.subarray(0, 40), { name: "HMAC", hash }, "sign", "verify");
        same(`HMAC ${hash}`, await subtle.sign("HMAC", key, message), code);
        same(`HMAC ${hash} verified`, await subtle.verify("HMAC", key, fromHex(code), message), true);
        same(`HMAC ${hash} wrong`, await subtle.verify("HMAC", key, changed(fromHex(code)), message), false);
    }
    same("equal", subtle.timingSafeEqual(message, new Uint8Array(message)), true);
    same("not equal", subtle.timingSafeEqual(message, changed(message)), false);
}

async function cipher(name, key, algorithm, encrypted) {
    same(`${name} encrypted`, await subtle.encrypt(algorithm, key, message), encrypted);
    same(`${name} decrypted`, hex(await subtle.decrypt(algorithm, key, fromHex(encrypted))), hex(message));
}

async function ciphers() {
    const usages = ["encrypt", "decrypt"];
    const iv = all.subarray(100, 116);
    for (const bits of [128, 192, 256]) {
        const bytes = all.subarray(0, bits / 8);
        const cbc = await raw(bytes, "AES-CBC", ...usages);
        await cipher(`CBC ${bits}`, cbc, { name: "AES-CBC", iv }, vectors.cbc[bits]);
        await fails(`CBC ${bits} cut`, "OperationError", () => {
            return subtle.decrypt({ name: "AES-CBC", iv }, cbc, fromHex(vectors.cbc[bits]).subarray(1));
        });
        const ctr = await raw(bytes, "AES-CTR", ...usages);
        await cipher(`CTR ${bits}`, ctr, { name: "AES-CTR", counter: iv, length: 128 }, vectors.ctr[bits]);
    }
    const key = await raw(all.subarray(0, 16), "AES-CTR", ...usages);
    const counter = new Uint8Array(iv);
    counter[15] = 0xff;
    await cipher("CTR that wraps", key, { name: "AES-CTR", counter, length: 4 }, vectors.ctrWrap);
    await fails("CTR too long", "OperationError", () => {
        return subtle.encrypt({ name: "AES-CTR", counter, length: 4 }, key, new Uint8Array(257));
    });
    const gcm = [
        ["128", 16, { iv: all.subarray(0, 12) }],
        ["256", 32, { iv: all.subarray(0, 12), additionalData: new TextEncoder().encode("more") }],
        ["iv16", 16, { iv: all.subarray(0, 16), additionalData: new TextEncoder().encode("more"), tagLength: 96 }],
        ["tag32", 24, { iv: all.subarray(0, 12), tagLength: 32 }],
    ];
    for (const [name, length, rest] of gcm) {
        const algorithm = { name: "AES-GCM", ...rest };
        const key = await raw(all.subarray(0, length), "AES-GCM", ...usages);
        await cipher(`GCM ${name}`, key, algorithm, vectors.gcm[name]);
        await fails(`GCM ${name} changed`, "OperationError", () => {
            return subtle.decrypt(algorithm, key, changed(fromHex(vectors.gcm[name])));
        });
    }
    const wrapping = await raw(all.subarray(0, 16), "AES-KW", "wrapKey", "unwrapKey");
    const secret = await raw(all.subarray(32, 64), "AES-GCM", "encrypt");
    same("wrapped", await subtle.wrapKey("raw", secret, wrapping, "AES-KW"), vectors.kw);
    const unwrap = (bytes) => subtle.unwrapKey("raw", bytes, wrapping, "AES-KW", "AES-GCM", true, ["encrypt"]);
    same("unwrapped", await subtle.exportKey("raw", await unwrap(fromHex(vectors.kw))), hex(all.subarray(32, 64)));
    await fails("wrapped, changed", "OperationError", () => unwrap(changed(fromHex(vectors.kw))));
}

async function derivations() {
    const text = (string) => new TextEncoder().encode(string);
    for (const [hash, bits] of Object.entries(vectors.hkdf)) {
        const key = await subtle.importKey("raw", all.subarray(0, 22), "HKDF", false, ["deriveBits"]);
        const algorithm = { name: "HKDF", hash, salt: all.subarray(0, 13), info: text("info") };
        same(`HKDF ${hash}`, await subtle.deriveBits(algorithm, key, 336), bits);
    }
    for (const [hash, bits] of Object.entries(vectors.pbkdf2)) {
        const key = await subtle.importKey("raw", text("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
        const algorithm = { name: "PBKDF2", hash, salt: text("salt and more salt"), iterations: 1234 };
        same(`PBKDF2 ${hash}`, await subtle.deriveBits(algorithm, key, 800), bits);
        const aes = await subtle.deriveKey(algorithm, key, { name: "AES-CBC", length: 128 }, true, ["encrypt"]);
        same(`PBKDF2 ${hash} as a key`, await subtle.exportKey("raw", aes), bits.slice(0, 32));
        await fails(`PBKDF2 ${hash} too long`, "NotSupportedError", () => {
            return subtle.deriveBits({ ...algorithm, iterations: 10_000_000 }, key, 256);
        });
    }
    const long = await subtle.importKey("raw", all, "PBKDF2", false, ["deriveBits"]);
    const once = { name: "PBKDF2", hash: "SHA-512", salt: new Uint8Array(0), iterations: 1 };
    same("PBKDF2 of a long password", await subtle.deriveBits(once, long, 512), vectors.pbkdf2Long);
}

async function rsa() {
    const { pkcs8, spki, signature, pss, pssUsual, oaep } = vectors.rsa;
    const keys = async (algorithm, forPrivate, forPublic) => [
        await subtle.importKey("pkcs8", fromBase64(pkcs8), algorithm, true, [forPrivate]),
        await subtle.importKey("spki", fromBase64(spki), algorithm, true, [forPublic]),
    ];
    const [key, publicKey] = await keys({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, "sign", "verify");
    same("RSA signed", await subtle.sign("RSASSA-PKCS1-v1_5", key, message), signature);
    same("RSA", await subtle.verify("RSASSA-PKCS1-v1_5", publicKey, fromHex(signature), message), true);
    same("RSA, changed", await subtle.verify("RSASSA-PKCS1-v1_5", publicKey, fromHex(signature), all), false);
    for (const [hash, saltLength, known] of [["SHA-384", 20, pss], ["SHA-256", 32, pssUsual]]) {
        const algorithm = { name: "RSA-PSS", saltLength };
        const [key, publicKey] = await keys({ name: "RSA-PSS", hash }, "sign", "verify");
        const own = await subtle.sign(algorithm, key, message);
        same(`PSS ${hash}`, await subtle.verify(algorithm, publicKey, fromHex(known), message), true);
        same(`PSS ${hash}, own`, await subtle.verify(algorithm, publicKey, own, message), true);
        same(`PSS ${hash}, changed`, await subtle.verify(algorithm, publicKey, own, all), false);
    }
    const [decrypting, encrypting] = await keys({ name: "RSA-OAEP", hash: "SHA-512" }, "decrypt", "encrypt");
    const algorithm = { name: "RSA-OAEP", label: new TextEncoder().encode("label") };
    same("OAEP", await subtle.decrypt(algorithm, decrypting, fromHex(oaep)), hex(message));
    const own = await subtle.encrypt(algorithm, encrypting, message);
    same("OAEP, own", await subtle.decrypt(algorithm, decrypting, own), hex(message));
    await fails("OAEP, changed", "OperationError", () => subtle.decrypt("RSA-OAEP", decrypting, own));
    await fails("RSA key, changed", "DataError", () => {
        const bytes = fromBase64(pkcs8);
        bytes[100] ^= 1;
        return subtle.importKey("pkcs8", bytes, { name: "RSA-OAEP", hash: "SHA-1" }, true, ["decrypt"]);
    });
}

async function curves() {
    for (const [namedCurve, { hash, pkcs8, spki, signature, other, secret }] of Object.entries(vectors.ec)) {
        const algorithm = { name: "ECDSA", namedCurve, hash };
        const key = await subtle.importKey("pkcs8", fromBase64(pkcs8), algorithm, true, ["sign"]);
        const publicKey = await subtle.importKey("spki", fromBase64(spki), algorithm, true, ["verify"]);
        const own = await subtle.sign(algorithm, key, message);
        same(`ECDSA ${namedCurve}`, await subtle.verify(algorithm, publicKey, fromHex(signature), message), true);
        same(`ECDSA ${namedCurve}, own`, await subtle.verify(algorithm, publicKey, own, message), true);
        same(`ECDSA ${namedCurve}, changed`, await subtle.verify(algorithm, publicKey, changed(own), message), false);
        const ecdh = { name: "ECDH", namedCurve };
        const mine = await subtle.importKey("pkcs8", fromBase64(pkcs8), ecdh, true, ["deriveBits"]);
        const theirs = await subtle.importKey("spki", fromBase64(other), ecdh, true, []);
        same(`ECDH ${namedCurve}`, await subtle.deriveBits({ ...ecdh, public: theirs }, mine, null), secret);
        const pair = await subtle.generateKey(ecdh, true, ["deriveBits"]);
        same(`ECDH ${namedCurve}, both sides`,
            hex(await subtle.deriveBits({ ...ecdh, public: pair.publicKey }, mine, null)),
            hex(await subtle.deriveBits({ ...ecdh, public: await publicOf(mine, ecdh) }, pair.privateKey, null)));
        await fails(`${namedCurve}: no point`, "DataError", () => {
            return subtle.importKey("raw", new Uint8Array(65).fill(4), ecdh, true, []);
        });
    }
    const { pkcs8, spki, signature } = vectors.ed25519;
    const key = await subtle.importKey("pkcs8", fromBase64(pkcs8), "Ed25519", true, ["sign"]);
    const publicKey = await subtle.importKey("spki", fromBase64(spki), "Ed25519", true, ["verify"]);
    same("Ed25519 signed", await subtle.sign("Ed25519", key, message), signature);
    same("Ed25519", await subtle.verify("Ed25519", publicKey, fromHex(signature), message), true);
    same("Ed25519, changed", await subtle.verify("Ed25519", publicKey, fromHex(signature), all), false);
    const mine = await subtle.importKey("pkcs8", fromBase64(vectors.x25519.pkcs8), "X25519", true, ["deriveBits"]);
    const theirs = await subtle.importKey("spki", fromBase64(vectors.x25519.other), "X25519", true, []);
    same("X25519", await subtle.deriveBits({ name: "X25519", public: theirs }, mine, null), vectors.x25519.secret);
    const zero = await subtle.importKey("raw", new Uint8Array(32), "X25519", true, []);
    await fails("X25519, zero", "OperationError", () => {
        return subtle.deriveBits({ name: "X25519", public: zero }, mine, null);
    });
}

async function publicOf(key, algorithm) {
    const { d, key_ops, ...jwk } = await subtle.exportKey("jwk", key);
    return subtle.importKey("jwk", jwk, algorithm, true, []);
}

export default {
    async fetch() {
        failures.length = count = 0;
        for (const group of [digests, ciphers, derivations, rsa, curves]) await group();
        return Response.json({ count, failures });
    },
};
