internal import Dispatch
internal import Foundation
internal import Glibc
package import Model

/// Workers' caches in a folder: one file an entry, an index in memory, a budget of bytes. Where that is at its end the
/// account that has most gives up what it used the longest time ago. All work is done on one queue of its own: no lane
/// waits for a disk.
package final class DiskCache: CacheStore, @unchecked Sendable {
    // Sound because everything that changes is touched on `queue` only.

    let queue = DispatchQueue(label: "cache")
    let settings: CacheSettings
    /// Nil until something is stored for the first time, if the folder is one for this process only.
    private var folder: String?
    private var index = CacheIndex()
    private var lastFile = 0
    private var lock: Int32 = -1
    /// Puts under way: what they have written counts.
    private var puts: [ObjectIdentifier: CachePut] = [:]
    private var isClosed = false

    /// - Throws: `CacheError` if the folder cannot be used, or another process does.
    package init(_ settings: CacheSettings) throws(CacheError) {
        self.settings = settings
        guard let folder = settings.folder else { return }
        try adopt(folder)
    }

    package func begin(
        _ request: CacheRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        switch request.operation {
        case .match:
            let match = CacheMatch(request, in: self, deliver: deliver)
            queue.async { match.begin() }
            return match
        case .put(let response, let body):
            let put = CachePut(request, response, in: self, deliver: deliver)
            queue.async { put.begin(body) }
            return put
        case .delete:
            let deletion = CacheDeletion()
            queue.async { [self] in
                let isThere = delete(request)
                deliver([.head(Self.answer(isThere ? .deleted : .miss)), .end])
            }
            return deletion
        }
    }

    /// Uses the folder again that `close` has left to others.
    package func reopen() {
        queue.sync {
            guard isClosed else { return }
            isClosed = false
            // Without the folder nothing is found, and nothing kept.
            if let folder = settings.folder { try? adopt(folder) }
        }
    }

    /// Leaves the folder to others, or takes it away if it was this process's own. What is begun later finds nothing.
    package func close() {
        queue.sync {
            isClosed = true
            if settings.folder == nil, let folder { try? FileManager.default.removeItem(atPath: folder) }
            folder = nil
            index = CacheIndex()
            if lock >= 0 { Glibc.close(lock) }
            lock = -1
        }
    }

    static func answer(_ answer: CacheAnswer) -> EgressResponseHead {
        EgressResponseHead(status: 204, reason: answer.rawValue)
    }

    // MARK: Entries (on the queue)

    var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func key(_ request: CacheRequest) -> CacheKey {
        CacheKey(account: request.account, cache: request.cache, url: request.url)
    }

    /// A descriptor of the entry's file, which the caller closes.
    func open(_ request: CacheRequest) -> Int32? {
        let key = Self.key(request)
        guard let entry = index.find(key, isAnswer: { $0.answers(request.fields) }, now: now), let folder else {
            return nil
        }
        let descriptor = Glibc.open("\(folder)/\(entry.file)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            // Somebody cleared the folder. Other errors, such as too many open files, pass.
            if errno == ENOENT { index.remove(entry.file, of: key) }
            return nil
        }
        // So that the order survives the process.
        futimens(descriptor, nil)
        return descriptor
    }

    /// A new file to write an entry to: its descriptor and its name.
    func makeFile() -> (descriptor: Int32, name: String)? {
        guard !isClosed, folder != nil || useOwnFolder() else { return nil }
        lastFile += 1
        let name = "\(UInt64.random(in: .min ... .max))-\(lastFile)"
        let path = "\(folder!)/\(name)\(CacheFile.unfinishedSuffix)"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        return descriptor < 0 ? nil : (descriptor, name)
    }

    func drop(_ name: String) {
        if let folder { unlink("\(folder)/\(name)\(CacheFile.unfinishedSuffix)") }
    }

    /// Counts what a put has written. That may be the end of it, or of another.
    func hold(_ bytes: Int, for put: CachePut) {
        puts[ObjectIdentifier(put)] = put
        index.hold(bytes, for: put.account)
        makeRoom()
    }

    func release(_ bytes: Int, of put: CachePut) {
        guard puts.removeValue(forKey: ObjectIdentifier(put)) != nil else { return }
        index.hold(-bytes, for: put.account)
    }

    private func makeRoom() {
        while index.bytes > settings.budgetBytes, let account = index.largestAccount {
            let files = index.evict(from: account, now: now)
            remove(files)
            guard files.isEmpty else { continue }
            let own = puts.values.filter { $0.account == account }
            guard let largest = own.max(by: { $0.heldBytes < $1.heldBytes }) else { return }
            largest.giveUp()
        }
    }

    /// Takes a complete file over.
    func adopt(_ name: String, _ description: CacheFile.Description, _ variant: CacheVariant, size: Int) -> Bool {
        guard let folder else { return false }
        let file = name + CacheFile.suffix
        guard rename("\(folder)/\(name)\(CacheFile.unfinishedSuffix)", "\(folder)/\(file)") == 0 else { return false }
        add(file, description, variant, size: size)
        return true
    }

    private func add(_ file: String, _ description: CacheFile.Description, _ variant: CacheVariant, size: Int) {
        let key = CacheKey(account: description.account, cache: description.cache, url: description.url)
        let entry = CacheIndex.Entry(file: file, variant: variant, size: size, expiresAt: description.expiresAt)
        remove(index.add(entry, for: key))
        makeRoom()
    }

    private func delete(_ request: CacheRequest) -> Bool {
        let removed = index.removeAll(Self.key(request))
        remove(removed.map(\.file))
        return removed.contains { $0.expiresAt > now }
    }

    private func remove(_ files: [String]) {
        guard let folder else { return }
        for file in files { unlink("\(folder)/\(file)") }
    }

    // MARK: The folder

    private static let ownPrefix = "martlet-cache-"

    /// Makes a folder for this process, after those that others left behind are gone. False if there can be none.
    private func useOwnFolder() -> Bool {
        let parent = NSTemporaryDirectory()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        where name.hasPrefix(Self.ownPrefix) {
            let process = name.dropFirst(Self.ownPrefix.count).prefix { $0 != "." }
            guard let process = Int32(process), kill(process, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(name)")
        }
        // The name is not known beforehand: nobody else can have made something there.
        var path = Array("\(parent)/\(Self.ownPrefix)\(getpid()).XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { return false }
        folder = path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        return true
    }

    private func adopt(_ path: String) throws(CacheError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CacheError("\(path): the cache's folder cannot be made: \(error.localizedDescription)")
        }
        lock = Glibc.open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw CacheError("\(path): \(String(cString: strerror(errno)))") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(lock)
            throw CacheError("\(path): another process uses this cache")
        }
        folder = path
        // Nobody waits for this but those who ask the cache.
        queue.async { [self] in restore(path) }
    }

    /// Reads what an earlier process stored, in the order of its last use.
    private func restore(_ path: String) {
        typealias Found = (
            file: String, used: Double, description: CacheFile.Description, variant: CacheVariant, size: Int
        )
        var found: [Found] = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            if name.hasSuffix(CacheFile.unfinishedSuffix) { unlink("\(path)/\(name)") }
            guard name.hasSuffix(CacheFile.suffix) else { continue }
            let descriptor = Glibc.open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { Glibc.close(descriptor) }
            var status = stat()
            guard let file = CacheFile.read(descriptor), file.description.expiresAt > now,
                let variant = CacheVariant(file.description.vary), fstat(descriptor, &status) == 0
            else {
                unlink("\(path)/\(name)")
                continue
            }
            let used = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
            found.append((name, used, file.description, variant, file.bodyStart + file.bodyBytes))
        }
        found.sort { $0.used < $1.used }
        for entry in found { add(entry.file, entry.description, entry.variant, size: entry.size) }
    }
}

/// Why there can be no cache, in a line.
package struct CacheError: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// There is nothing to send to a deletion, and nothing to stop.
private final class CacheDeletion: EgressExchange {
    func send(_ bytes: [UInt8]) {}
    func finishSending() {}
    func consumed(_ bytes: Int) {}
    func cancel() {}
}
