import Foundation

/// Certificates that nobody trusts, as pairs of files.
final class CertificateFolder {
    private let folder: ScratchFolder
    var path: String { folder.path }

    init() throws { folder = try ScratchFolder() }

    func certificate(_ label: String) -> String { "\(path)/\(label).pem" }
    func key(_ label: String) -> String { "\(path)/\(label).key" }

    /// Makes LABEL.pem and LABEL.key, good for these names; each appears in one step.
    func make(_ label: String, names: [String]) throws {
        let scratch = try ScratchFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(label)", "-out", "\(scratch.path)/pem", "-keyout", "\(scratch.path)/key",
        ]
        if !names.isEmpty {
            let list = names.map { "DNS:\($0)" }.joined(separator: ",")
            process.arguments! += ["-addext", "subjectAltName=\(list)"]
        }
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure("openssl made no certificate") }
        for kind in ["key", "pem"] {
            try folder.write("\(label).\(kind)", try Data(contentsOf: URL(filePath: "\(scratch.path)/\(kind)")))
        }
    }

    func write(_ name: String, _ text: String) throws { try folder.write(name, text) }
    func remove(_ name: String) throws { try folder.remove(name) }
    func rename(_ name: String, to other: String) throws { try folder.rename(name, to: other) }
}
