internal import Crypto
internal import CryptoExtras
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

    /// `length` in bytes. Takes long: its time is the iterations times the length, in hashes.
    static func pbkdf2(
        _ hash: Hash, password: Bytes, salt: Bytes, iterations: Int, length: Int
    ) throws(Failure) -> [UInt8] {
        guard length > 0, iterations > 0, iterations <= UInt32.max else { throw Failure("Invalid parameters.") }
        let function: KDF.Insecure.PBKDF2.HashFunction =
            switch hash {
            case .md5: .insecureMD5
            case .sha1: .insecureSHA1
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            }
        return try password.withAddress { (password) throws(Failure) in
            try salt.withAddress { (salt) throws(Failure) in
                try attempt("The bits could not be derived.") {
                    [UInt8](
                        copying: try KDF.Insecure.PBKDF2.deriveKey(
                            from: password, salt: salt, using: function, outputByteCount: length,
                            unsafeUncheckedRounds: iterations))
                }
            }
        }
    }
}
