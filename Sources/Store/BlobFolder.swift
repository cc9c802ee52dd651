internal import Foundation
internal import Glibc
internal import Model
internal import Synchronization

/// Files by the SHA-256 of their bytes. Each is written once, whole and durable, and checked when it is read.
final class BlobFolder: Sendable {
    private let path: String
    /// Blobs that somebody is about to refer to, and how many do. Not collected.
    private let pins = Mutex<[String: Int]>([:])
    /// Blobs that were whole when they were first read in pieces.
    private let checked = Mutex<Set<String>>([])
    private static let checkedAtMost = 100_000

    init(path: String) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Disk.failure(path) }
        try removeDrafts()
    }

    private func file(_ hash: String) -> String { "\(path)/\(hash.prefix(2))/\(hash)" }

    /// Keeps the bytes, and keeps them from being collected until `unpin`.
    /// - Returns: their hash.
    func put(_ bytes: [UInt8]) throws -> String {
        let hash = Checksum.hex(bytes)
        pins.withLock { $0[hash, default: 0] += 1 }
        do {
            // A file of that name whose size is right is taken for good: it was written whole, and reading checks it.
            var status = stat()
            if stat(file(hash), &status) == 0, Int(status.st_size) == bytes.count { return hash }
            let folder = "\(path)/\(hash.prefix(2))"
            if mkdir(folder, 0o700) == 0 { try Disk.sync(folder: path) }
            try Disk.write(bytes, to: file(hash))
            return hash
        } catch {
            unpin(hash)
            throw error
        }
    }

    /// A piece of a blob, which was checked when it was first asked for.
    func read(_ hash: String, from offset: Int, count: Int) throws -> [UInt8] {
        if !checked.withLock({ $0.contains(hash) }) {
            let bytes = try get(hash)
            checked.withLock { checked in
                if checked.count >= Self.checkedAtMost { checked = [] }
                checked.insert(hash)
            }
            return Array(bytes.dropFirst(offset).prefix(count))
        }
        do {
            return try Disk.read(file(hash), from: offset, count: count)
        } catch let error as StoreError where error.kind == .missing {
            throw StoreError(.damaged, "blob \(hash) is gone")
        }
    }

    func unpin(_ hash: String) {
        pins.withLock { pins in
            guard let count = pins[hash] else { return }
            pins[hash] = count > 1 ? count - 1 : nil
        }
    }

    /// - Throws: `damaged` if the bytes are gone or not what was written.
    func get(_ hash: String) throws -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(file(hash))
        } catch let error as StoreError where error.kind == .missing {
            throw StoreError(.damaged, "blob \(hash) is gone")
        }
        guard Checksum.hex(bytes) == hash else { throw StoreError(.damaged, "blob \(hash) is damaged") }
        return bytes
    }

    /// Deletes those of the blobs that nobody is about to refer to.
    /// - Parameter isUnused: asked with pins held back, so that a blob cannot come into use meanwhile.
    func collect(_ hashes: some Sequence<String>, isUnused: (String) throws -> Bool) rethrows {
        for hash in hashes {
            try pins.withLock { pins in
                guard pins[hash] == nil, try isUnused(hash) else { return }
                unlink(file(hash))
                checked.withLock { _ = $0.remove(hash) }
            }
        }
    }

    /// Every blob that is there.
    func all() -> [String] {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return folders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\($0)")) ?? [] }
            .filter { $0.utf8.count == 64 }
    }

    /// Files that a process left half-written when it was ended.
    private func removeDrafts() throws {
        for folder in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []
            for name in names where name.hasSuffix(".new") { unlink("\(path)/\(folder)/\(name)") }
        }
    }
}
