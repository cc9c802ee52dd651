/// Certificates by the names of hosts. Never changed: a connection keeps the one it began with.
final class CertificateSet: Sendable {
    let certificates: [Certificate]
    /// Shown to clients that name no host, or one that nobody knows.
    let fallback: Certificate
    private let exact: [String: Certificate]
    /// By what follows the star: ".example.com".
    private let wildcards: [String: Certificate]

    /// The first of two that are good for the same name has it.
    init(_ certificates: [Certificate], fallback: Certificate) {
        var exact: [String: Certificate] = [:]
        var wildcards: [String: Certificate] = [:]
        for certificate in certificates {
            for name in certificate.names {
                if name.hasPrefix("*.") {
                    let suffix = String(name.dropFirst())
                    wildcards[suffix] = wildcards[suffix] ?? certificate
                } else {
                    exact[name] = exact[name] ?? certificate
                }
            }
        }
        self.certificates = certificates
        self.fallback = fallback
        self.exact = exact
        self.wildcards = wildcards
    }

    /// A name of its own counts for more than a star; a star stands for one label (RFC 9525, section 6.3).
    func certificate(for host: String?) -> Certificate {
        guard let host else { return fallback }
        if let certificate = exact[host] { return certificate }
        guard let dot = host.firstIndex(of: "."), dot > host.startIndex else { return fallback }
        return wildcards[String(host[dot...])] ?? fallback
    }
}
