internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

/// The store of one machine: a data folder with a SQLite database and a folder of blobs.
///
/// Each change is one transaction with a revision of its own, on disk when the call returns. Meant for one process:
/// the folder is locked. While one process takes the folder over from another (`lock`), that one must change nothing
/// that is observed.
package final class SQLiteStore: Sendable {
    let pool: DatabasePool
    let blobs: BlobFolder
    let box: SecretBox
    private let folder: DataFolder
    private let observers = Mutex<[@Sendable () -> Void]>([])

    /// Opens the store in a folder, which is made if it is not there.
    /// - Parameters:
    ///   - key: of the secrets, 32 bytes; nil takes that of the folder, made at the first start.
    ///   - lock: of the process that hands the folder over to this one.
    /// - Throws: `StoreError`: `locked`, `damaged`, `unusable`.
    package init(folder path: String, key: [UInt8]? = nil, lock: Int32? = nil) throws {
        folder = try DataFolder(path, lock: lock)
        blobs = try BlobFolder(path: "\(path)/blobs")
        box = SecretBox(key: try key ?? folder.secretKey())
        do {
            pool = try DatabasePool(path: "\(path)/\(DataFolder.database)", configuration: Self.configuration)
            try Self.check(pool)
            try Migrations.all.migrate(pool)
        } catch {
            throw Self.storeError(error, doing: "opening \(path)/\(DataFolder.database)")
        }
        try checkKey()
        try buildFeed()
    }

    /// The folder's lock, to be handed over.
    package var lock: Int32 { folder.lock }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "store"
        // Readers and the writer may meet for a moment when the log begins anew: GRDB would give up at once.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // On disk, not only with the kernel, when a transaction is over.
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    /// Throws if the database's structure is broken.
    private static func check(_ pool: DatabasePool) throws {
        let findings = try pool.read { db in try String.fetchAll(db, sql: "PRAGMA quick_check(3)") }
        guard findings == ["ok"] else {
            throw StoreError(.damaged, "\(DataFolder.database) is damaged: \(findings.joined(separator: "; "))")
        }
    }

    /// Throws if the secrets were encrypted with another key.
    private func checkKey() throws {
        let context = "martlet"
        let known = Array("the key fits".utf8)
        let stored = try read { db in
            try Data.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'key check'")
        }
        if let stored {
            guard (try? box.open(Array(stored), context: context)) == known else {
                throw StoreError(.unusable, "the key is not the one that this store's secrets were encrypted with")
            }
        } else {
            let sealed = Data(try box.seal(known, context: context))
            try write { db, _ in
                try db.execute(sql: "INSERT INTO meta (name, value) VALUES ('key check', ?)", arguments: [sealed])
            }
        }
    }

    // MARK: Transactions

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw Self.storeError(error, doing: "reading")
        }
    }

    /// The same of a single statement, which needs no transaction around it.
    func readOnce<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.unsafeRead(body)
        } catch {
            throw Self.storeError(error, doing: "reading")
        }
    }

    /// One transaction: all of it is durable when this returns, or nothing has happened. Then tells who follows.
    /// - Parameter body: gets the revision that this change makes.
    func write<Value>(_ body: (Database, Int64) throws -> Value) throws -> Value {
        let value: Value
        do {
            value = try pool.write { db in
                try db.execute(sql: "UPDATE meta SET value = value + 1 WHERE name = 'revision'")
                let revision = try Self.revision(db)
                let value = try body(db, revision)
                try finishFeed(revision, db)
                return value
            }
        } catch {
            throw Self.storeError(error, doing: "writing")
        }
        tell()
        return value
    }

    /// What is only counted: that makes a revision, of which observers hear, only if something else follows from it.
    /// - Parameter body: gets the revision that it would make, and says whether it does.
    func count(_ body: (Database, Int64) throws -> Bool) throws {
        let isChange: Bool
        do {
            isChange = try pool.write { db in
                let revision = try Self.revision(db) + 1
                guard try body(db, revision) else { return false }
                try Self.setMeta("revision", revision, db)
                try finishFeed(revision, db)
                return true
            }
        } catch {
            throw Self.storeError(error, doing: "counting")
        }
        if isChange { tell() }
    }

    /// Has the observers look for changes.
    package func tell() { for observer in observers.withLock({ $0 }) { observer() } }

    static func revision(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'revision'") ?? 0
    }

    package func observe(_ changed: @escaping @Sendable () -> Void) {
        observers.withLock { $0.append(changed) }
    }

    package static func storeError(_ error: any Error, doing what: String) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return StoreError(.failed, "\(what): \(error)") }
        // The extended code tells what of the disk failed: 1034 is fsync, 266 a read ...
        let reason = error.message ?? error.resultCode.description
        let text = "\(what): \(reason) (SQLite error \(error.extendedResultCode.rawValue))"
        return switch error.resultCode {
        case .SQLITE_FULL: StoreError(.full, "\(what): the disk is full")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            StoreError(.damaged, "\(DataFolder.database) is damaged: \(text)")
        case .SQLITE_CONSTRAINT: StoreError(.conflict, "\(what): \(reason)")
        default: StoreError(.failed, text)
        }
    }
}
