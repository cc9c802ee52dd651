internal import Crypto
internal import FoundationEssentials

/// ECDSA and ECDH (Web Cryptography API, sections 23 and 24). Points are uncompressed (SEC 1, section 2.3.3); scalars
/// are as long as the curve's coordinates.
extension WebCrypto {
    enum Curve: String, Sendable, CaseIterable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"

        fileprivate var keys: any CurveKeys.Type {
            switch self {
            case .p256: P256Keys.self
            case .p384: P384Keys.self
            case .p521: P521Keys.self
            }
        }
    }

    /// A new private key: the scalar and after it the point.
    static func generateECKey(_ curve: Curve) -> [UInt8] {
        func run<Keys: CurveKeys>(_ keys: Keys.Type) -> [UInt8] {
            let key = Keys.Signing.init(compactRepresentable: false)
            return [UInt8](copying: key.rawRepresentation) + [UInt8](copying: key.publicKey.x963Representation)
        }
        return run(curve.keys)
    }

    /// The point that is encoded, compressed or not; nil if it is none of the curve.
    static func ecPoint(_ curve: Curve, encoded: Bytes) -> [UInt8]? {
        func run<Keys: CurveKeys>(_ keys: Keys.Type) -> [UInt8]? {
            let isCompressed = encoded.first == 2 || encoded.first == 3
            let key =
                isCompressed
                ? try? Keys.Verifying(compressedRepresentation: encoded)
                : try? Keys.Verifying(x963Representation: encoded)
            return key.map { [UInt8](copying: $0.x963Representation) }
        }
        return run(curve.keys)
    }

    /// The point of a private key; nil if the scalar is none.
    static func ecPublicPoint(_ curve: Curve, scalar: Bytes) -> [UInt8]? {
        func run<Keys: CurveKeys>(_ keys: Keys.Type) -> [UInt8]? {
            guard let key = try? Keys.Signing(rawRepresentation: scalar) else { return nil }
            return [UInt8](copying: key.publicKey.x963Representation)
        }
        return run(curve.keys)
    }

    /// r and s, each as long as a scalar.
    static func signECDSA(_ curve: Curve, _ hash: Hash, scalar: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        func run<Keys: CurveKeys, Function: HashFunction>(_: Keys.Type, _ function: Function.Type) throws -> [UInt8] {
            let key = try Keys.Signing(rawRepresentation: scalar)
            return [UInt8](copying: try key.signature(for: self.digest(function, data)).rawRepresentation)
        }
        return try attempt("Signing failed.") { try run(curve.keys, hash.function) }
    }

    static func isValidECDSASignature(
        _ curve: Curve, _ hash: Hash, point: Bytes, signature: Bytes, _ data: Bytes
    ) -> Bool {
        func run<Keys: CurveKeys, Function: HashFunction>(_: Keys.Type, _ function: Function.Type) -> Bool {
            guard let key = try? Keys.Verifying(x963Representation: point),
                let signature = try? Keys.Verifying.Signature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: self.digest(function, data))
        }
        return run(curve.keys, hash.function)
    }

    /// The x coordinate of the shared point.
    static func agreeECDH(_ curve: Curve, scalar: Bytes, point: Bytes) throws(Failure) -> [UInt8] {
        func run<Keys: CurveKeys>(_ keys: Keys.Type) throws -> [UInt8] {
            [UInt8](copying: try keys.sharedSecret(scalar: scalar, point: point))
        }
        return try attempt("The secret could not be derived.") { try run(curve.keys) }
    }
}

// MARK: - The same for three curves, whose types in swift-crypto share no protocol.

private protocol CurveKeys {
    associatedtype Signing: ECSigningKey where Signing.PublicKey == Verifying
    associatedtype Verifying: ECVerifyingKey where Verifying.Signature == Signing.Signature

    static func sharedSecret(scalar: WebCrypto.Bytes, point: WebCrypto.Bytes) throws -> SharedSecret
}

private protocol ECSigningKey {
    associatedtype PublicKey
    associatedtype Signature

    init(compactRepresentable: Bool)
    init<Representation: ContiguousBytes>(rawRepresentation: Representation) throws
    var rawRepresentation: Data { get }
    var publicKey: PublicKey { get }
    func signature<Value: Digest>(for digest: Value) throws -> Signature
}

private protocol ECVerifyingKey {
    associatedtype Signature: ECSignature

    init<Representation: ContiguousBytes>(compressedRepresentation: Representation) throws
    init<Representation: ContiguousBytes>(x963Representation: Representation) throws
    var x963Representation: Data { get }
    func isValidSignature<Value: Digest>(_ signature: Signature, for digest: Value) -> Bool
}

private protocol ECSignature {
    init<Representation: DataProtocol>(rawRepresentation: Representation) throws
    var rawRepresentation: Data { get }
}

extension P256.Signing.PrivateKey: ECSigningKey {}
extension P256.Signing.PublicKey: ECVerifyingKey {}
extension P256.Signing.ECDSASignature: ECSignature {}
extension P384.Signing.PrivateKey: ECSigningKey {}
extension P384.Signing.PublicKey: ECVerifyingKey {}
extension P384.Signing.ECDSASignature: ECSignature {}
extension P521.Signing.PrivateKey: ECSigningKey {}
extension P521.Signing.PublicKey: ECVerifyingKey {}
extension P521.Signing.ECDSASignature: ECSignature {}

private enum P256Keys: CurveKeys {
    typealias Signing = P256.Signing.PrivateKey
    typealias Verifying = P256.Signing.PublicKey

    static func sharedSecret(scalar: WebCrypto.Bytes, point: WebCrypto.Bytes) throws -> SharedSecret {
        let key = try P256.KeyAgreement.PrivateKey(rawRepresentation: scalar)
        return try key.sharedSecretFromKeyAgreement(with: P256.KeyAgreement.PublicKey(x963Representation: point))
    }
}

private enum P384Keys: CurveKeys {
    typealias Signing = P384.Signing.PrivateKey
    typealias Verifying = P384.Signing.PublicKey

    static func sharedSecret(scalar: WebCrypto.Bytes, point: WebCrypto.Bytes) throws -> SharedSecret {
        let key = try P384.KeyAgreement.PrivateKey(rawRepresentation: scalar)
        return try key.sharedSecretFromKeyAgreement(with: P384.KeyAgreement.PublicKey(x963Representation: point))
    }
}

private enum P521Keys: CurveKeys {
    typealias Signing = P521.Signing.PrivateKey
    typealias Verifying = P521.Signing.PublicKey

    static func sharedSecret(scalar: WebCrypto.Bytes, point: WebCrypto.Bytes) throws -> SharedSecret {
        let key = try P521.KeyAgreement.PrivateKey(rawRepresentation: scalar)
        return try key.sharedSecretFromKeyAgreement(with: P521.KeyAgreement.PublicKey(x963Representation: point))
    }
}
