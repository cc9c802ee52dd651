package import Model

/// Looks into certificates as those do that serve them.
package struct CertificateReader: CertificateCheck {
    package init() {}

    package func facts(ofChain chain: String, key: String) throws -> CertificateFacts {
        let certificate = try Certificate(KeyedCertificate(id: "", chain: chain, key: key))
        return CertificateFacts(
            names: certificate.names, expiresOn: Timestamp(milliseconds: certificate.expires * 1_000))
    }
}
