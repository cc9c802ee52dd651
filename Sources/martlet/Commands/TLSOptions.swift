import ArgumentParser
import Edge

/// Flags for https, shared by the commands.
struct TLSOptions: ParsableArguments {
    @Option(name: .customLong("tls-port"), help: "Port to listen on for https; 0 picks a free one.")
    var port: UInt16?
    @Option(
        name: .customLong("tls-cert"),
        help: "A certificate chain (PEM), for the host names in it. Repeatable; the first is the default."
    )
    var certificateFiles: [String] = []
    @Option(name: .customLong("tls-key"), help: "The private key (PEM) of the certificate in the same place.")
    var keyFiles: [String] = []
    @Option(
        name: .customLong("tls-dir"),
        help: "A folder with NAME.pem and NAME.key for each certificate; default.pem is the default."
    )
    var folder: String?

    func validate() throws {
        guard certificateFiles.count == keyFiles.count else {
            throw ValidationError(
                "Each --tls-cert needs a --tls-key: there are \(certificateFiles.count) and \(keyFiles.count).")
        }
        if port == nil, hasCertificates { throw ValidationError("Certificates need --tls-port.") }
    }

    private var hasCertificates: Bool { !certificateFiles.isEmpty || folder != nil }

    /// What is in the files; nil without `--tls-port`.
    /// - Parameter hasZones: certificates may come of zones, too.
    func certificates(hasZones: Bool = false) throws -> CertificateStore? {
        guard port != nil else { return nil }
        guard hasCertificates else {
            if hasZones { return CertificateStore() }
            throw ValidationError("--tls-port needs --tls-cert and --tls-key, or --tls-dir.")
        }
        let pairs = zip(certificateFiles, keyFiles).map { CertificateFiles(certificate: $0, key: $1) }
        do {
            return try CertificateStore(pairs: pairs, folder: folder)
        } catch {
            throw CleanFailure(error.description)
        }
    }
}
