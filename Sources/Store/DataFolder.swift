internal import Glibc
internal import Model

/// A data folder, which one process has for itself.
final class DataFolder: Sendable {
    static let database = "martlet.sqlite"
    private static let keyFile = "secret.key"

    private let path: String
    /// Holds the lock; the kernel lets go of it when the process ends, however it ends.
    let lock: Int32

    /// Makes the folder, readable by its owner only, and locks it.
    /// - Parameter inherited: the lock of a process that hands the folder over to this one.
    init(_ path: String, lock inherited: Int32? = nil) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Self.failure("\(path) cannot be made") }
        let file = "\(path)/lock"
        lock = inherited ?? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.failure("\(file) cannot be opened") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? Disk.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            close(lock)
            throw StoreError(.locked, "\(path) is in use by another process\(holder.isEmpty ? "" : " (\(holder))")")
        }
        ftruncate(lock, 0)
        let holder = Array("process \(getpid())".utf8)
        _ = pwrite(lock, holder, holder.count, 0)
    }

    deinit { close(lock) }

    /// The key of this folder's secrets: 32 bytes. Made at the first call.
    func secretKey() throws -> [UInt8] {
        let file = "\(path)/\(Self.keyFile)"
        if access(file, F_OK) == 0 {
            let text = String(decoding: try Disk.read(file), as: UTF8.self)
            guard let key = SecretBox.key(text) else {
                throw StoreError(.unusable, "\(file) does not hold a key: 64 hexadecimal digits")
            }
            return key
        }
        guard access("\(path)/\(Self.database)", F_OK) != 0 else {
            throw StoreError(.unusable, "\(file) is gone; the secrets cannot be read without it")
        }
        let key = Identifier.random(32)
        try Disk.write(Array((SecretBox.text(key) + "\n").utf8), to: file)
        return key
    }

    private static func failure(_ what: String) -> StoreError {
        StoreError(.unusable, "\(what): \(String(cString: strerror(errno)))")
    }
}
