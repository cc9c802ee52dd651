/// `martlet dev` with a port for https, and the files that it needs.
final class SecureMartlet {
    private let folder: ScratchFolder
    let certificates: CertificateFolder
    let martlet: Martlet

    /// - Parameter certificates: nil for one that is good for localhost.
    init(_ worker: String, _ certificates: CertificateFolder? = nil, _ flags: [String] = []) throws {
        folder = try ScratchFolder()
        try folder.write("index.js", worker)
        self.certificates = try certificates ?? Self.localhost()
        let tls = ["--tls-port", "0", "--tls-dir", self.certificates.path, "--cpu-ms", "10000"]
        martlet = try Martlet.dev(folder.path, tls + flags, listeners: 2)
    }

    static func localhost() throws -> CertificateFolder {
        let certificates = try CertificateFolder()
        try certificates.make("default", names: ["localhost"])
        return certificates
    }

    var port: Int { martlet.ports[1] }

    func client(_ name: String? = "localhost", protocols: [String] = []) throws -> SecureClient {
        try SecureClient(port: port, name: name, protocols: protocols)
    }
}
