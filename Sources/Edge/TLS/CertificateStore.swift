internal import Glibc
package import Model
internal import Synchronization

/// The certificates of the process: as the files have them now, or as another process says. Any thread may read, one
/// reloads.
package final class CertificateStore: Sendable {
    private struct State {
        /// Nil if there are none.
        var files: CertificateSet?
        /// Those that lie in no file, with what their source calls them.
        var kept: [(id: String, certificate: Certificate)] = []
        /// All of them; nil if there are none, or another process has not said yet.
        var current: CertificateSet?
        /// What others show. What stays as it was has the same id, so that they need not begin anew with it.
        var served: [ServedCertificate] = []
        /// By the ids of those, and of those before.
        var signers: [Int: KeySigner] = [:]
        var ids: [ObjectIdentifier: Int] = [:]
        var lastID = 0
        var observers: [@Sendable () -> Void] = []

        /// What files have comes first.
        mutating func join() {
            let kept = kept.map(\.certificate)
            let fallback = files?.fallback ?? kept.first
            current = fallback.map { CertificateSet((files?.certificates ?? []) + kept, fallback: $0) }
            offer()
        }

        /// Has others show them. Handshakes that began with the ones before may still end.
        private mutating func offer() {
            let before = ids
            let known = Set(before.values)
            signers = signers.filter { known.contains($0.key) }
            served = []
            ids = [:]
            for certificate in current?.certificates ?? [] {
                let key = ObjectIdentifier(certificate)
                let id = before[key] ?? lastID + 1
                let isDefault = certificate === current?.fallback
                guard let (offered, signer) = certificate.served(id: id, isDefault: isDefault) else { continue }
                lastID = max(lastID, id)
                served.append(offered)
                signers[id] = signer
                ids[key] = id
            }
        }
    }

    private let pairs: [CertificateFiles]
    private let folder: String?
    private let state: Mutex<State>

    /// Reads the files.
    /// - Parameters:
    ///   - pairs: The first is shown to clients that name no known host.
    ///   - folder: Has NAME.pem and NAME.key for each certificate. Without pairs, default.pem is what the first pair
    ///     would be; else the first by name.
    package init(pairs: [CertificateFiles], folder: String?) throws(TLSSetupError) {
        self.pairs = pairs
        self.folder = folder
        var state = State(files: try Self.load(pairs, folder, reusing: nil))
        state.join()
        self.state = Mutex(state)
    }

    /// There are none until somebody says which.
    package init() {
        pairs = []
        folder = nil
        state = Mutex(State())
    }

    /// From now on there are those. Without any, handshakes are not answered.
    package func take(_ served: [ServedCertificate], signer: any CertificateSigner) throws(TLSSetupError) {
        var known: [Int: Certificate] = [:]
        for certificate in current?.certificates ?? [] { if let id = certificate.id { known[id] = certificate } }
        var certificates: [Certificate] = []
        for served in served {
            if let same = known[served.id] {
                certificates.append(same)
            } else {
                certificates.append(try Certificate(served, signer: signer))
            }
        }
        let fallback = served.firstIndex(where: \.isDefault).map { certificates[$0] } ?? certificates.first
        let set = fallback.map { CertificateSet(certificates, fallback: $0) }
        state.withLock { $0.current = set }
    }

    /// From now on there are those besides the files'. One caller at a time.
    /// - Returns: what is wrong with those of them that cannot be used.
    package func keep(_ certificates: [KeyedCertificate]) -> [String] {
        let old = Dictionary(state.withLock { $0.kept }.map { ($0.id, $0.certificate) }) { first, _ in first }
        var kept: [(id: String, certificate: Certificate)] = []
        var problems: [String] = []
        for keyed in certificates {
            do throws(TLSSetupError) {
                if let same = old[keyed.id], same.holds(keyed) {
                    kept.append((keyed.id, same))
                } else {
                    kept.append((keyed.id, try Certificate(keyed)))
                }
            } catch {
                problems.append("\(keyed.id): \(error.description)")
            }
        }
        change { $0.kept = kept }
        return problems
    }

    var current: CertificateSet? { state.withLock { $0.current } }

    /// In one step: what others show is never older than what is there.
    private func change(_ body: (inout State) -> Void) {
        let observers = state.withLock { state in
            body(&state)
            state.join()
            return state.observers
        }
        for observer in observers { observer() }
    }

    /// Reads the files anew. Certificates whose files have not changed stay as they are, and so do connections. When a
    /// file is not as it should be, all stays as it was.
    /// - Returns: the certificate files that are new or changed.
    package func reload() throws(TLSSetupError) -> [String] {
        let old = state.withLock { $0.files }
        let new = try Self.load(pairs, folder, reusing: old)
        let changed = new.certificates.filter { certificate in
            !(old?.certificates.contains { $0 === certificate } ?? false)
        }
        change { $0.files = new }
        return changed.compactMap(\.files?.certificate)
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
        let named = certificates.first { pairs.isEmpty && $0.files?.certificate.hasSuffix("/default.pem") == true }
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

extension CertificateStore: CertificateKeeper {
    package var served: [ServedCertificate] { state.withLock { $0.served } }

    package func observe(_ changed: @escaping @Sendable () -> Void) { state.withLock { $0.observers.append(changed) } }

    package func sign(_ bytes: [UInt8], certificate id: Int, algorithm: UInt16) -> [UInt8]? {
        state.withLock { $0.signers[id] }?.sign(bytes, algorithm: algorithm)
    }
}
