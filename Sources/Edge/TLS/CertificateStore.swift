internal import Glibc
internal import Synchronization

/// The certificates of the process as the files have them now. Any thread may read, one reloads.
package final class CertificateStore: Sendable {
    private let pairs: [CertificateFiles]
    private let folder: String?
    private let state: Mutex<CertificateSet>

    /// Reads the files.
    /// - Parameters:
    ///   - pairs: The first is shown to clients that name no known host.
    ///   - folder: Has NAME.pem and NAME.key for each certificate. Without pairs, default.pem is what the first pair
    ///     would be; else the first by name.
    package init(pairs: [CertificateFiles], folder: String?) throws(TLSSetupError) {
        self.pairs = pairs
        self.folder = folder
        state = Mutex(try Self.load(pairs, folder, reusing: nil))
    }

    var current: CertificateSet { state.withLock { $0 } }

    /// Reads the files anew. Certificates whose files have not changed stay as they are, and so do connections. When a
    /// file is not as it should be, all stays as it was.
    /// - Returns: the certificate files that are new or changed.
    package func reload() throws(TLSSetupError) -> [String] {
        let old = current
        let new = try Self.load(pairs, folder, reusing: old)
        state.withLock { $0 = new }
        return new.certificates.filter { certificate in !old.certificates.contains { $0 === certificate } }
            .map(\.files.certificate)
    }

    /// The folders to watch for changes.
    package var folders: [String] {
        var found = Set(pairs.flatMap { [$0.certificate, $0.key] }.map(Self.folder))
        if let folder { found.insert(folder) }
        return found.sorted()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func load(
        _ pairs: [CertificateFiles], _ folder: String?, reusing old: CertificateSet?
    ) throws(TLSSetupError) -> CertificateSet {
        var files = pairs
        if let folder { files += try list(folder) }
        var certificates: [Certificate] = []
        for files in files {
            if let same = old?.certificates.first(where: { $0.files == files }), same.isUpToDate() {
                certificates.append(same)
            } else {
                certificates.append(try Certificate(files))
            }
        }
        guard let first = certificates.first else {
            throw TLSSetupError("\(folder ?? "TLS"): there is no certificate, NAME.pem with NAME.key")
        }
        let named = certificates.first { pairs.isEmpty && $0.files.certificate.hasSuffix("/default.pem") }
        return CertificateSet(certificates, fallback: named ?? first)
    }

    private static func list(_ folder: String) throws(TLSSetupError) -> [CertificateFiles] {
        guard let stream = opendir(folder) else {
            throw TLSSetupError("\(folder): \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        var labels: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".pem"), !name.hasPrefix(".") { labels.append(String(name.dropLast(4))) }
        }
        return labels.sorted().map {
            CertificateFiles(certificate: "\(folder)/\($0).pem", key: "\(folder)/\($0).key", label: $0)
        }
    }
}
