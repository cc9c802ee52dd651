internal import Foundation
internal import GRDB
internal import Model
internal import Synchronization

/// The copy of the truth that a location serves from: one SQLite file, which the feed writes and the data plane reads.
///
/// What a kill loses of it the feed brings again, so that a transaction need not be on the disk when it is over.
/// Records belong to a generation: a copy that is made anew is written beside the one that is served, and takes its
/// place when it is whole.
package final class EdgeStore: Sendable {
    let pool: DatabasePool
    package let instance: String
    private let folder: DataFolder
    private let observers = Mutex<[@Sendable () -> Void]>([])
    /// How calls reach the control node.
    let remote = Mutex<(@Sendable (_ name: String, _ body: [UInt8]) throws -> [UInt8])?>(nil)
    let fetchBlob = Mutex<(@Sendable (_ hash: String) throws -> [UInt8])?>(nil)
    let keys = Mutex<[FeedSecretKey]>([])
    /// Why versions cannot be read here, by version.
    let failures = Mutex<[String: (script: ScriptKey, why: String)]>([:])
    /// Blobs that were whole when they were first read in pieces.
    let checked = Mutex<Set<String>>([])
    /// The truth's revision that is served.
    let served = Revisions()

    /// Waiting readers are few: the data plane keeps what it needs.
    private static let readers = 4
    /// Kilobytes of pages that a connection keeps.
    private static let pageCache = 1_024

    /// Opens the copy in a folder, which is made if it is not there.
    /// - Parameters:
    ///   - installation: whose copy it is to be.
    ///   - lock: of the process that hands the folder over to this one.
    /// - Throws: `StoreError`: `locked`, `damaged`, `unusable`.
    package init(folder path: String, installation: String, location: String, lock: Int32? = nil) throws {
        folder = try DataFolder(path, lock: lock)
        do {
            pool = try DatabasePool(path: "\(path)/\(Self.file)", configuration: Self.configuration)
            try Self.migrations.migrate(pool)
            instance = try Self.claim(pool, "installation \(installation), location \(location)", path)
        } catch {
            throw SQLiteStore.storeError(error, doing: "opening \(path)/\(Self.file)")
        }
        let position = try self.position()
        served.reach(position?.revision ?? 0)
        try dropTraces()
    }

    static let file = "edge.sqlite"

    /// The folder's lock, to be handed over.
    package var lock: Int32 { folder.lock }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "edge"
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = readers
        configuration.prepareDatabase { db in
            try db.execute(
                sql: "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -\(pageCache); PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
                    CREATE TABLE records (
                        generation INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL, account TEXT NOT NULL,
                        revision INTEGER NOT NULL, change INTEGER NOT NULL, hash BLOB, brief TEXT, metadata TEXT,
                        expiration INTEGER, value BLOB, UNIQUE (generation, kind, id)
                    ) STRICT;
                    CREATE INDEX records_by_change ON records (change) WHERE kind < \(FeedKey.Kind.namespace.rawValue);
                    CREATE TABLE blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
                    CREATE TABLE blob_uses (
                        generation INTEGER NOT NULL, script BLOB NOT NULL, hash TEXT NOT NULL,
                        PRIMARY KEY (generation, script, hash)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX blob_uses_by_hash ON blob_uses (hash);
                    CREATE TABLE former (id BLOB NOT NULL, value BLOB NOT NULL, retired_on INTEGER NOT NULL) STRICT;
                    CREATE INDEX former_by_id ON former (id);
                    CREATE TABLE secret_keys (generation INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
                    CREATE TABLE usage_out (
                        number INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL UNIQUE, readings BLOB NOT NULL
                    ) STRICT;
                    INSERT INTO meta (name, value) VALUES ('generation', 0), ('change', 0), ('floor', 0);
                    """)
        }
        migrator.registerMigration("schedules") { db in
            try db.execute(
                sql: """
                    CREATE TABLE schedule_runs (
                        script TEXT NOT NULL, cron TEXT NOT NULL, due INTEGER NOT NULL, outcome TEXT,
                        PRIMARY KEY (script, cron, due)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }

    /// A copy is of one location of one installation for ever.
    private static func claim(_ pool: DatabasePool, _ owner: String, _ path: String) throws -> String {
        try pool.write { db in
            let known: String? = try SQLiteStore.meta("owner", db)
            guard known == nil || known == owner else {
                throw StoreError(.unusable, "\(path) holds the copy of another location: \(known ?? "")")
            }
            try SQLiteStore.setMeta("owner", owner, db)
            if let instance: String = try SQLiteStore.meta("instance", db) { return instance }
            let instance = Identifier.hex()
            try SQLiteStore.setMeta("instance", instance, db)
            return instance
        }
    }

    /// Notes of what is gone, which a data plane that begins need not hear of, and blobs that nothing refers to.
    private func dropTraces() throws {
        try write { db in
            let gone = "kind < \(FeedKey.Kind.namespace.rawValue) AND hash IS NULL"
            try db.execute(sql: "DELETE FROM records WHERE \(gone)")
            try db.execute(sql: "DELETE FROM former")
            try db.execute(sql: "DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM blob_uses)")
        }
    }

    /// How the control node is reached.
    /// - Parameters:
    ///   - call: throws `FeedError`s.
    ///   - fetchBlob: gives a blob whose hash was checked.
    package func connect(
        call: @escaping @Sendable (_ name: String, _ body: [UInt8]) throws -> [UInt8],
        fetchBlob: @escaping @Sendable (_ hash: String) throws -> [UInt8]
    ) {
        remote.withLock { $0 = call }
        self.fetchBlob.withLock { $0 = fetchBlob }
    }

    // MARK: Transactions

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw SQLiteStore.storeError(error, doing: "reading")
        }
    }

    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.write(body)
        } catch let error as FeedError {
            throw error
        } catch {
            throw SQLiteStore.storeError(error, doing: "writing")
        }
    }

    /// Has the observers look for changes.
    package func tell() { for observer in observers.withLock({ $0 }) { observer() } }

    package func observe(_ changed: @escaping @Sendable () -> Void) { observers.withLock { $0.append(changed) } }

    static func generation(_ db: Database) throws -> Int64 { try SQLiteStore.meta("generation", db) ?? 0 }
}

/// The latest revision, and who waits for one.
final class Revisions: Sendable {
    private let latest = Mutex<Int64>(0)
    private let condition = NSCondition()

    var value: Int64 { latest.withLock { $0 } }

    /// Also backwards: a copy that was made anew may be of an older truth.
    func reach(_ revision: Int64) {
        condition.lock()
        latest.withLock { $0 = revision }
        condition.broadcast()
        condition.unlock()
    }

    /// False if it was not reached in time.
    func wait(for revision: Int64, seconds: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while value < revision {
            guard condition.wait(until: deadline) else { return value >= revision }
        }
        return true
    }
}
