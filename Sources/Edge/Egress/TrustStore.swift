internal import Glibc
internal import NIOSSL
internal import Synchronization

/// The certificates by which origins prove who they are: read once, shared by all connections.
final class TrustStore: Sendable {
    /// Where distributions keep the system's.
    private static let systemFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    private let additional: [NIOSSLCertificate]
    private let made = Mutex<TLSConfiguration?>(nil)

    init(additionalFiles: [String]) throws(EgressSetupError) {
        var certificates: [NIOSSLCertificate] = []
        for file in additionalFiles {
            do {
                certificates += try NIOSSLCertificate.fromPEMFile(file)
            } catch {
                throw EgressSetupError(description: "\(file): cannot read certificates from it")
            }
        }
        additional = certificates
    }

    /// What TLS connections are made with. The first call reads some hundred certificates, about 15 ms.
    var configuration: TLSConfiguration {
        made.withLock { made in
            if let made { return made }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            if let file = Self.systemFiles.first(where: { access($0, R_OK) == 0 }),
                let roots = try? NIOSSLCertificate.fromPEMFile(file)
            {
                configuration.trustRoots = .certificates(roots)
            }
            configuration.additionalTrustRoots = additional.isEmpty ? [] : [.certificates(additional)]
            made = configuration
            return configuration
        }
    }
}
