internal import Crypto
internal import CryptoExtras
internal import Foundation

/// Signs what TLS handshakes have to prove (RFC 8446, section 4.4.3; RFC 5246, section 4.7), by a certificate's key.
struct KeySigner: Sendable {
    private enum Key: Sendable {
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)
    }

    /// Numbers of TLS's SignatureScheme.
    private enum Scheme {
        static let p256: UInt16 = 0x0403
        static let p384: UInt16 = 0x0503
        static let p521: UInt16 = 0x0603
        static let ed25519: UInt16 = 0x0807
        static let pss256: UInt16 = 0x0804
        static let pss384: UInt16 = 0x0805
        static let pss512: UInt16 = 0x0806
        static let pkcs256: UInt16 = 0x0401
        static let pkcs384: UInt16 = 0x0501
        static let pkcs512: UInt16 = 0x0601
    }

    private let key: Key

    /// - Returns: nil for a kind of key that cannot be used.
    init?(pem bytes: [UInt8]) {
        let text = Self.block(in: String(decoding: bytes, as: UTF8.self))
        if let key = try? P256.Signing.PrivateKey(pemRepresentation: text) {
            self.key = .p256(key)
        } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: text) {
            self.key = .p384(key)
        } else if let key = try? P521.Signing.PrivateKey(pemRepresentation: text) {
            self.key = .p521(key)
        } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: text) {
            self.key = .rsa(key)
        } else if let key = Self.ed25519(text) {
            self.key = .ed25519(key)
        } else {
            return nil
        }
    }

    /// The key's block: a file may begin with another, such as "EC PARAMETERS".
    private static func block(in text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let first = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") && $0.hasSuffix("PRIVATE KEY-----") }),
            let last = lines[first...].firstIndex(where: { $0.hasPrefix("-----END ") })
        else { return text }
        return lines[first...last].joined(separator: "\n")
    }

    /// PKCS #8 as RFC 8410, section 7, has it.
    private static func ed25519(_ text: String) -> Curve25519.Signing.PrivateKey? {
        let prefix: [UInt8] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]
        let base64 = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        guard let der = Data(base64Encoded: base64), der.count == prefix.count + 32, der.starts(with: prefix) else {
            return nil
        }
        return try? Curve25519.Signing.PrivateKey(rawRepresentation: der.dropFirst(prefix.count))
    }

    var algorithms: [UInt16] {
        switch key {
        case .p256: [Scheme.p256]
        case .p384: [Scheme.p384]
        case .p521: [Scheme.p521]
        case .ed25519: [Scheme.ed25519]
        case .rsa:
            [
                Scheme.pss256, Scheme.pss384, Scheme.pss512, Scheme.pkcs256, Scheme.pkcs384, Scheme.pkcs512,
            ]
        }
    }

    /// - Returns: nil for an algorithm that is not the key's.
    func sign(_ bytes: [UInt8], algorithm: UInt16) -> [UInt8]? {
        guard algorithms.contains(algorithm) else { return nil }
        switch key {
        case .p256(let key): return (try? key.signature(for: bytes)).map { Array($0.derRepresentation) }
        case .p384(let key): return (try? key.signature(for: bytes)).map { Array($0.derRepresentation) }
        case .p521(let key): return (try? key.signature(for: bytes)).map { Array($0.derRepresentation) }
        case .ed25519(let key): return (try? key.signature(for: bytes)).map { Array($0) }
        case .rsa(let key): return (try? Self.sign(bytes, by: key, algorithm)).map { Array($0.rawRepresentation) }
        }
    }

    private static func sign(
        _ bytes: [UInt8], by key: _RSA.Signing.PrivateKey, _ algorithm: UInt16
    ) throws -> _RSA.Signing.RSASignature {
        let padding: _RSA.Signing.Padding = algorithm >> 8 == 8 ? .PSS : .insecurePKCS1v1_5
        switch algorithm {
        case Scheme.pss256, Scheme.pkcs256: return try key.signature(for: SHA256.hash(data: bytes), padding: padding)
        case Scheme.pss384, Scheme.pkcs384: return try key.signature(for: SHA384.hash(data: bytes), padding: padding)
        default: return try key.signature(for: SHA512.hash(data: bytes), padding: padding)
        }
    }
}
