internal import CCrypto
internal import Crypto
internal import FoundationEssentials

/// HKDF (Web Cryptography API, section 32) and PBKDF2 (section 33).
extension WebCrypto {
    /// `length` in bytes, at most 255 times the hash's.
    static func hkdf(_ hash: Hash, key: Bytes, salt: Bytes, info: Bytes, length: Int) throws(Failure) -> [UInt8] {
        func run<Function: HashFunction>(_ function: Function.Type) -> [UInt8] {
            [UInt8](
                copying: HKDF<Function>.deriveKey(
                    inputKeyMaterial: SymmetricKey(data: key), salt: salt, info: info, outputByteCount: length))
        }
        guard length > 0, length <= 255 * hash.digestLength else { throw Failure("The length is too large for HKDF.") }
        return run(hash.function)
    }

    /// `length` in bytes. Takes long: its time is the iterations times the length, in hashes. Nil if `goesOn`, asked
    /// now and then, said no.
    static func pbkdf2(
        _ hash: Hash, password: Bytes, salt: Bytes, iterations: Int, length: Int, while goesOn: () -> Bool
    ) throws(Failure) -> [UInt8]? {
        guard length > 0, iterations > 0, iterations <= UInt32.max else { throw Failure("Invalid parameters.") }
        let function = try libcryptoHash(hash)
        var isDone = false
        let bits = [UInt8](unsafeUninitializedCapacity: length) { output, count in
            isDone = whileAsked(goesOn) { ask, caller in
                var derivation = ccrypto_derivation(
                    password: password.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    salt: salt.baseAddress?.assumingMemoryBound(to: UInt8.self), password_length: password.count,
                    salt_length: salt.count, iterations: UInt32(iterations), goes_on: ask, caller: caller)
                return ccrypto_pbkdf2(function, &derivation, output.baseAddress!, length)
            }
            count = isDone ? length : 0
        }
        return isDone ? bits : nil
    }
}
