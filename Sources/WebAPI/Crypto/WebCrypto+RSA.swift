internal import CCrypto
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

/// RSA (Web Cryptography API, sections 20 to 22). Keys are DER: RSAPrivateKey and RSAPublicKey of RFC 8017.
extension WebCrypto {
    /// In bits. An operation with a key of more takes seconds, and nothing can stop it.
    static let rsaKeyLengths = 1_024...8_192

    enum RSAPadding: String, Sendable {
        case pkcs1 = "PKCS1"
        case pss = "PSS"
    }

    // MARK: Keys

    /// A private key. `exponent` is 3 or 65537. Takes long. Nil if `goesOn`, asked now and then, said no.
    static func generateRSAKey(bits: Int, exponent: Int, while goesOn: () -> Bool) throws(Failure) -> [UInt8]? {
        guard rsaKeyLengths.contains(bits), bits % 8 == 0 else { throw Failure("The key's length is not supported.") }
        guard exponent == 3 || exponent == 65_537 else { throw Failure("The public exponent must be 3 or 65537.") }
        var isStopped = false
        let key = [UInt8](unsafeUninitializedCapacity: Int(CCRYPTO_RSA_CAPACITY)) { output, count in
            let watched = {
                isStopped = isStopped || !goesOn()
                return !isStopped
            }
            count = whileAsked(watched) { ask, caller in
                ccrypto_rsa_generate(UInt32(bits), UInt32(exponent), output.baseAddress!, ask, caller)
            }
        }
        if isStopped { return nil }
        guard !key.isEmpty else { throw Failure("The key could not be generated.") }
        return key
    }

    /// Whether a key can be used: its numbers fit each other, and it is neither too short nor too long.
    static func isUsableRSAKey(_ key: Bytes, isPrivate: Bool) -> Bool {
        let bits =
            isPrivate
            ? (try? _RSA.Signing.PrivateKey(unsafeDERRepresentation: key))?.keySizeInBits
            : (try? _RSA.Signing.PublicKey(unsafeDERRepresentation: key))?.keySizeInBits
        return bits.map(rsaKeyLengths.contains) ?? false
    }

    // MARK: Signatures

    /// `saltLength`, in bytes, is for PSS only.
    static func signRSA(
        _ padding: RSAPadding, _ hash: Hash, saltLength: Int, privateKey: Bytes, _ data: Bytes
    ) throws(Failure) -> [UInt8] {
        guard let usual = usualPadding(padding, hash, saltLength) else {
            let function = try libcryptoHash(hash)
            guard saltLength <= Int32.max else { throw Failure("The salt is too long.") }
            return try digest(hash, data).withUnsafeBufferPointer { (digest) throws(Failure) in
                try rsaOutput("The salt is too long for the key.") { output in
                    privateKey.withMemoryRebound(to: UInt8.self) { key in
                        guard let start = key.baseAddress, let digest = digest.baseAddress else { return 0 }
                        return ccrypto_rsa_pss_sign(start, key.count, function, UInt32(saltLength), digest, output)
                    }
                }
            }
        }
        func sign<Function: HashFunction>(_ function: Function.Type) throws -> [UInt8] {
            let key = try _RSA.Signing.PrivateKey(unsafeDERRepresentation: privateKey)
            return [UInt8](copying: try key.signature(for: self.digest(function, data), padding: usual))
        }
        return try attempt("Signing failed.") { try sign(hash.function) }
    }

    static func isValidRSASignature(
        _ padding: RSAPadding, _ hash: Hash, saltLength: Int, publicKey: Bytes, signature: Bytes, _ data: Bytes
    ) -> Bool {
        guard let usual = usualPadding(padding, hash, saltLength) else {
            guard let function = try? libcryptoHash(hash), saltLength <= Int32.max else { return false }
            return digest(hash, data).withUnsafeBufferPointer { digest in
                publicKey.withMemoryRebound(to: UInt8.self) { key in
                    signature.withMemoryRebound(to: UInt8.self) { signature in
                        guard let start = key.baseAddress, let digest = digest.baseAddress else { return false }
                        return ccrypto_rsa_pss_verify(
                            start, key.count, function, UInt32(saltLength), digest, signature.baseAddress,
                            signature.count)
                    }
                }
            }
        }
        func verify<Function: HashFunction>(_ function: Function.Type) -> Bool {
            guard let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: publicKey) else { return false }
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: self.digest(function, data), padding: usual)
        }
        // swift-crypto traps on other hashes.
        return hash != .md5 && verify(hash.function)
    }

    /// The padding in swift-crypto, which knows no salts but those as long as the digest.
    private static func usualPadding(_ padding: RSAPadding, _ hash: Hash, _ saltLength: Int) -> _RSA.Signing.Padding? {
        switch padding {
        case .pkcs1: .insecurePKCS1v1_5
        case .pss: saltLength == hash.digestLength ? .PSS : nil
        }
    }

    // MARK: OAEP

    static func encryptOAEP(_ hash: Hash, publicKey: Bytes, label: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        try applyOAEP(ccrypto_rsa_oaep_encrypt, "Encryption failed.", hash, publicKey, label, data)
    }

    static func decryptOAEP(_ hash: Hash, privateKey: Bytes, label: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        try applyOAEP(ccrypto_rsa_oaep_decrypt, "Decryption failed.", hash, privateKey, label, data)
    }

    private typealias OAEPFunction = (
        UnsafePointer<UInt8>, Int, ccrypto_hash, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
        UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Int>
    ) -> Bool

    private static func applyOAEP(
        _ function: OAEPFunction, _ message: String, _ hash: Hash, _ key: Bytes, _ label: Bytes, _ data: Bytes
    ) throws(Failure) -> [UInt8] {
        let hash = try libcryptoHash(hash)
        var isDone = false
        let result = [UInt8](unsafeUninitializedCapacity: Int(CCRYPTO_RSA_CAPACITY)) { output, count in
            isDone = key.withMemoryRebound(to: UInt8.self) { key in
                label.withMemoryRebound(to: UInt8.self) { label in
                    data.withMemoryRebound(to: UInt8.self) { data in
                        guard let start = key.baseAddress else { return false }
                        return function(
                            start, key.count, hash, label.baseAddress, label.count, data.baseAddress, data.count,
                            output.baseAddress!, &count)
                    }
                }
            }
            if !isDone { count = 0 }
        }
        guard isDone else { throw Failure(message) }
        return result
    }

    private static func rsaOutput(
        _ message: String, _ body: (UnsafeMutablePointer<UInt8>) -> Int
    ) throws(Failure) -> [UInt8] {
        let result = [UInt8](unsafeUninitializedCapacity: Int(CCRYPTO_RSA_CAPACITY)) { output, count in
            count = body(output.baseAddress!)
        }
        guard !result.isEmpty else { throw Failure(message) }
        return result
    }
}
