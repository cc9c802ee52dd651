internal import Crypto
internal import FoundationEssentials

/// Ed25519 and X25519 (Web Cryptography API, sections 25 and 26). Keys have 32 bytes.
extension WebCrypto {
    static func ed25519PublicKey(scalar: Bytes) throws(Failure) -> [UInt8] {
        try attempt("The key is invalid.") {
            [UInt8](copying: try Curve25519.Signing.PrivateKey(rawRepresentation: scalar).publicKey.rawRepresentation)
        }
    }

    static func x25519PublicKey(scalar: Bytes) throws(Failure) -> [UInt8] {
        try attempt("The key is invalid.") {
            let key = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: scalar)
            return [UInt8](copying: key.publicKey.rawRepresentation)
        }
    }

    static func signEd25519(scalar: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        try attempt("Signing failed.") {
            [UInt8](copying: try Curve25519.Signing.PrivateKey(rawRepresentation: scalar).signature(for: data))
        }
    }

    static func isValidEd25519Signature(point: Bytes, signature: Bytes, _ data: Bytes) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: point) else { return false }
        return key.isValidSignature(signature, for: data)
    }

    /// Fails if the secret is zero, as with points of small order.
    static func agreeX25519(scalar: Bytes, point: Bytes) throws(Failure) -> [UInt8] {
        let secret = try attempt("The secret could not be derived.") {
            let key = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: scalar)
            let publicKey = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: point)
            return [UInt8](copying: try key.sharedSecretFromKeyAgreement(with: publicKey))
        }
        guard secret.reduce(0, |) != 0 else { throw Failure("The shared secret is zero.") }
        return secret
    }
}
