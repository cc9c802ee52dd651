internal import Model
internal import NIOSSL

/// A certificate, ready to be shown to clients: with its key, as both stand in files, or with somebody who signs for
/// it.
final class Certificate: Sendable {
    /// Whose bytes these are; nil if they lie in none here.
    let files: CertificateFiles?
    /// The host names it is good for, in lower case; some begin with "*.".
    let names: [String]
    /// What handshakes with it need; shared by all lanes, with the keys of its session tickets.
    let context: NIOSSLContext
    /// By which the one who has the key knows it; nil if that is here.
    let id: Int?
    /// Seconds since 1970.
    let expires: Int64
    private let certificateBytes: [UInt8]
    private let keyBytes: [UInt8]
    /// Nil if another process has the key.
    private let signer: KeySigner?

    /// - Throws: what is wrong, naming the file.
    convenience init(_ files: CertificateFiles) throws(TLSSetupError) {
        try self.init(
            files, certificate: try files.certificateBytes(), key: try files.keyBytes(), from: files.certificate,
            files.key)
    }

    /// - Throws: what is wrong.
    convenience init(_ keyed: KeyedCertificate) throws(TLSSetupError) {
        try self.init(
            nil, certificate: Array(keyed.chain.utf8), key: Array(keyed.key.utf8), from: "the certificate", "the key")
    }

    private init(
        _ files: CertificateFiles?, certificate: [UInt8], key bytes: [UInt8], from place: String, _ keyPlace: String
    ) throws(TLSSetupError) {
        self.files = files
        id = nil
        certificateBytes = certificate
        keyBytes = bytes
        let chain = try Self.chain(certificateBytes, file: place)
        let key = try Self.key(keyBytes, file: keyPlace)
        names = Self.names(of: chain[0], otherwise: files?.label)
        expires = Int64(chain[0].notValidAfter)
        guard let signer = KeySigner(pem: keyBytes) else {
            throw TLSSetupError("\(keyPlace): keys are RSA, P-256, P-384, P-521 or Ed25519; this one is not")
        }
        self.signer = signer
        do {
            context = try Self.context(chain, .privateKey(key))
        } catch {
            throw TLSSetupError("\(keyPlace): the key does not belong to the certificate in \(place)")
        }
    }

    /// - Throws: what is wrong.
    init(_ served: ServedCertificate, signer: any CertificateSigner) throws(TLSSetupError) {
        files = nil
        id = served.id
        certificateBytes = Array(served.chain.utf8)
        keyBytes = []
        self.signer = nil
        names = served.names
        let chain = try Self.chain(certificateBytes, file: "a certificate")
        expires = Int64(chain[0].notValidAfter)
        do {
            context = try Self.context(
                chain, .privateKey(NIOSSLPrivateKey(customPrivateKey: RemoteKey(served, signer: signer))))
        } catch {
            throw TLSSetupError("a certificate cannot be used: \(error)")
        }
    }

    private static func context(
        _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKeySource
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = SecureSocket.protocols
        return try NIOSSLContext(configuration: configuration)
    }

    /// As those show it who have not the key; nil if it is not here either.
    func served(id: Int, isDefault: Bool) -> (certificate: ServedCertificate, signer: KeySigner)? {
        guard let signer else { return nil }
        let served = ServedCertificate(
            id: id, chain: String(decoding: certificateBytes, as: UTF8.self), names: names,
            algorithms: signer.algorithms, isDefault: isDefault)
        return (served, signer)
    }

    /// Whether the files hold what they held when this was made.
    func isUpToDate() -> Bool {
        guard let files else { return true }
        return (try? files.certificateBytes()) == certificateBytes && (try? files.keyBytes()) == keyBytes
    }

    func holds(_ keyed: KeyedCertificate) -> Bool {
        certificateBytes == Array(keyed.chain.utf8) && keyBytes == Array(keyed.key.utf8)
    }

    private static func chain(_ bytes: [UInt8], file: String) throws(TLSSetupError) -> [NIOSSLCertificate] {
        guard PEM.holds(bytes, "CERTIFICATE") else {
            throw TLSSetupError("\(file): there is no certificate (PEM) in it")
        }
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
            throw TLSSetupError("\(file): the certificate is damaged")
        }
        return chain
    }

    private static func key(_ bytes: [UInt8], file: String) throws(TLSSetupError) -> NIOSSLPrivateKey {
        if PEM.holds(bytes, "ENCRYPTED PRIVATE KEY") || PEM.contains(bytes, "Proc-Type: 4,ENCRYPTED") {
            throw TLSSetupError("\(file): the key is encrypted; remove its passphrase")
        }
        guard PEM.holds(bytes, "PRIVATE KEY") else {
            throw TLSSetupError("\(file): there is no private key (PEM) in it")
        }
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSSetupError("\(file): the private key is damaged")
        }
    }

    private static func names(of certificate: NIOSSLCertificate, otherwise label: String?) -> [String] {
        let names = certificate._subjectAlternativeNames().filter { $0.nameType == .dnsName }
            .map { String(decoding: $0.contents, as: UTF8.self).lowercased() }
        return names.isEmpty ? [label].compactMap { $0?.lowercased() } : names
    }
}

/// The two files of a certificate.
package struct CertificateFiles: Sendable, Hashable {
    /// The chain, the server's own certificate first.
    let certificate: String
    let key: String
    /// The host name to use for a certificate that names none.
    let label: String?

    package init(certificate: String, key: String, label: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.label = label
    }

    func certificateBytes() throws(TLSSetupError) -> [UInt8] { try PEM.read(certificate) }
    func keyBytes() throws(TLSSetupError) -> [UInt8] { try PEM.read(key) }
}

/// Why TLS cannot be had: one line for people, with the file's name.
package struct TLSSetupError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
