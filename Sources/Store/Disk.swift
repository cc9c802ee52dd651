internal import Glibc
internal import Model

/// Whole files, durably.
enum Disk {
    static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { throw StoreError(.missing, "\(path) is not there") }
            throw failure(path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path) }
        let size = Int(status.st_size)
        var filled = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while filled < size {
                let got = Glibc.read(file, buffer.baseAddress! + filled, size - filled)
                if got < 0 && errno == EINTR { continue }
                if got <= 0 { break }
                filled += got
            }
            count = filled
        }
        guard filled == size else { throw failure(path) }
        return bytes
    }

    /// A piece of a file; throws `damaged` if the file ends before it.
    static func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { throw StoreError(.missing, "\(path) is not there") }
            throw failure(path)
        }
        defer { close(file) }
        var filled = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            while filled < count {
                let got = pread(file, buffer.baseAddress! + filled, count - filled, offset + filled)
                if got < 0 && errno == EINTR { continue }
                if got <= 0 { break }
                filled += got
            }
            length = filled
        }
        guard filled == count else { throw StoreError(.damaged, "\(path) is shorter than it was") }
        return bytes
    }

    /// Writes a file that is whole or not there, and on disk when this returns. Its folder exists.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let draft = "\(path).\(Identifier.hex()).new"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(draft) }
        do {
            defer { close(file) }
            try writeAll(bytes, to: file, path)
            guard sync(file) else { throw failure(path) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let error = failure(path)
            unlink(draft)
            throw error
        }
        try sync(folder: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            written += count
        }
    }

    /// Makes the names in a folder durable.
    static func sync(folder: String) throws {
        let handle = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw failure(folder) }
        defer { close(handle) }
        guard sync(handle) else { throw failure(folder) }
    }

    /// Brings a file to the disk, whatever signals come meanwhile. False if that failed: `errno` says why.
    private static func sync(_ file: Int32) -> Bool {
        while fsync(file) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }

    static func failure(_ path: String) -> StoreError {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return StoreError(.full, "\(path): the disk is full") }
        return StoreError(.failed, "\(path): \(String(cString: strerror(code)))")
    }
}
