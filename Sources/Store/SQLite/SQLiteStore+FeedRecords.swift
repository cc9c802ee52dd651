internal import Crypto
internal import Foundation
internal import GRDB
internal import Model

// The feed's records are what other tables say, in the form in which locations get it. The table `feed` holds their
// revisions and hashes only; it changes in the same transaction as what it speaks of.
extension SQLiteStore {
    /// Counts the forms that records have had. With another one all records are new.
    private static let feedFormat: Int64 = 1
    /// Positions that are remembered, by which forked histories are told apart.
    private static let headsKept = 100_000
    /// How long it is remembered that something is gone, in milliseconds: a location that was away for longer begins
    /// anew.
    private static let tombstoneLifetime: Int64 = 30 * 86_400_000
    /// Revisions between two looks at what may be forgotten.
    private static let pruneInterval: Int64 = 256

    // MARK: Noting

    /// Writes into the transaction that a record may have changed with it.
    static func noteFed(_ key: FeedKey, _ db: Database, _ revision: Int64) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO feed (kind, id, account, revision, removed, changed_on) VALUES (?, ?, '', ?, 0, 0)
                ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision
                """
        ).execute(arguments: [Int(key.kind.rawValue), Data(key.id.utf8), revision])
    }

    /// At the end of a transaction: the records that were noted get their hashes.
    func finishFeed(_ revision: Int64, _ db: Database) throws {
        let rows = try Row.fetchAll(
            db, sql: "SELECT kind, id, account, hash, removed FROM feed WHERE revision = ?", arguments: [revision])
        guard !rows.isEmpty else { return }
        var sums = DigestChanges()
        let secretKey = try feedSecretKey(db)
        let now = Timestamp.now.milliseconds
        for row in rows {
            let key = FeedKey(row: row)
            let old: Data? = row["hash"]
            if let old { sums.subtract(old, of: row["account"]) }
            if key.kind == .namespace, try Self.isGone(namespace: key.id, db) {
                try Self.dropEntries(of: key.id, db, &sums)
            }
            guard let (account, body) = try fedBody(key, secretKey, db) else {
                try Self.bury(key, isNew: old == nil && !(row["removed"] as Bool), now, db)
                continue
            }
            let record = FeedRecord(key: key, account: account, revision: revision, body: body)
            let hash = Data(SHA256.hash(data: record.encoded))
            sums.add(hash, of: account)
            var blob: String?
            if case .blob(let hash, _) = body { blob = hash }
            try db.cachedStatement(
                sql: """
                    UPDATE feed SET account = ?, hash = ?, blob = ?, removed = 0, changed_on = ?
                    WHERE kind = ? AND id = ?
                    """
            ).execute(arguments: [account, hash, blob, now, Int(key.kind.rawValue), Data(key.id.utf8)])
        }
        try sums.write(revision, db)
        try Self.setMeta("feed revision", revision, db)
        if revision % Self.pruneInterval == 0 { try Self.pruneFeed(now, db) }
    }

    /// - Parameter isNew: nobody has heard of it.
    private static func bury(_ key: FeedKey, isNew: Bool, _ now: Int64, _ db: Database) throws {
        let place: StatementArguments = [Int(key.kind.rawValue), Data(key.id.utf8)]
        if isNew {
            try db.execute(sql: "DELETE FROM feed WHERE kind = ? AND id = ?", arguments: place)
        } else {
            try db.execute(
                sql: "UPDATE feed SET hash = NULL, blob = NULL, removed = 1, changed_on = ? WHERE kind = ? AND id = ?",
                arguments: [now] + place)
        }
    }

    private static func isGone(namespace: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT NOT EXISTS (SELECT 1 FROM kv_namespaces WHERE id = ?)", arguments: [namespace]) ?? true
    }

    /// The entries of a namespace that is gone go without a word for each.
    private static func dropEntries(of namespace: String, _ db: Database, _ sums: inout DigestChanges) throws {
        let start = Data(FeedKey.prefix(ofNamespace: namespace).utf8)
        var end = start
        end[end.count - 1] += 1
        let rows = try Row.fetchCursor(
            db,
            sql: "DELETE FROM feed WHERE kind = ? AND id >= ? AND id < ? RETURNING account, hash",
            arguments: [Int(FeedKey.Kind.entry.rawValue), start, end])
        while let row = try rows.next() {
            if let hash = row["hash"] as Data? { sums.subtract(hash, of: row["account"]) }
        }
    }

    private static func pruneFeed(_ now: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM feed_heads WHERE revision < (
                    SELECT revision FROM feed_heads ORDER BY revision DESC LIMIT 1 OFFSET ?)
                """, arguments: [headsKept])
        let old: StatementArguments = [now - tombstoneLifetime]
        let last = try Int64.fetchOne(
            db, sql: "SELECT max(revision) FROM feed WHERE removed = 1 AND changed_on < ?", arguments: old)
        guard let last else { return }
        try db.execute(sql: "DELETE FROM feed WHERE removed = 1 AND changed_on < ?", arguments: old)
        try setMeta("feed floor", max(last, try meta("feed floor", db) ?? 0), db)
    }

    // MARK: Meta

    static func meta<Value: DatabaseValueConvertible>(_ name: String, _ db: Database) throws -> Value? {
        try db.oftenValue("SELECT value FROM meta WHERE name = ?", [name])
    }

    static func setMeta(_ name: String, _ value: some DatabaseValueConvertible, _ db: Database) throws {
        try db.often(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [name, value])
    }

    // MARK: Building

    /// Makes the records of a store that has none yet, or has them in another form: a new history begins.
    func buildFeed() throws {
        let format: Int64? = try read { db in try Self.meta("feed format", db) }
        guard format != Self.feedFormat else { return }
        try write { db, revision in
            for table in ["feed", "feed_digests", "feed_heads"] { try db.execute(sql: "DELETE FROM \(table)") }
            try Self.setMeta("feed format", Self.feedFormat, db)
            try Self.setMeta("feed epoch", Identifier.hex(), db)
            try Self.setMeta("feed revision", Int64(0), db)
            try Self.setMeta("feed floor", Int64(0), db)
            let sources: [(FeedKey.Kind, String)] = [
                (.account, "CAST(id AS BLOB) FROM accounts"),
                (.script, "CAST(account || '/' || name AS BLOB) FROM scripts"),
                (.zone, "CAST(id AS BLOB) FROM zones"), (.domain, "CAST(id AS BLOB) FROM domains"),
                (.namespace, "CAST(id AS BLOB) FROM kv_namespaces"),
                (.entry, "CAST(namespace || '/' || key AS BLOB) FROM kv_entries"),
                (.certificate, "CAST(id AS BLOB) FROM certificates"),
            ]
            for (kind, source) in sources {
                try db.execute(
                    sql: """
                        INSERT INTO feed (account, revision, removed, changed_on, kind, id)
                        SELECT '', ?, 0, 0, \(kind.rawValue), \(source)
                        """, arguments: [revision])
            }
        }
    }
}

extension FeedKey {
    init(row: Row) {
        guard let kind = Kind(rawValue: UInt8(row["kind"] as Int)) else {
            preconditionFailure("a record of a kind that is none of ours")
        }
        self.init(kind, String(decoding: row["id"] as Data, as: UTF8.self))
    }
}

/// What a transaction adds to the digests, and takes from them.
private struct DigestChanges {
    private var added: [String: FeedDigest] = [:]
    private var removed: [String: FeedDigest] = [:]

    mutating func add(_ hash: Data, of account: String) { added[account, default: FeedDigest()] += FeedDigest(hash) }

    mutating func subtract(_ hash: Data, of account: String) {
        removed[account, default: FeedDigest()] += FeedDigest(hash)
    }

    /// Of each account and, under the name "", of all.
    func write(_ revision: Int64, _ db: Database) throws {
        var total = try SQLiteStore.digest(of: "", db)
        for account in Set(added.keys).union(removed.keys) {
            var digest = try SQLiteStore.digest(of: account, db)
            let (plus, minus) = (added[account] ?? FeedDigest(), removed[account] ?? FeedDigest())
            digest += plus
            digest -= minus
            total += plus
            total -= minus
            try Self.set(digest, of: account, db)
        }
        try Self.set(total, of: "", db)
        try db.execute(
            sql: "INSERT OR REPLACE INTO feed_heads (revision, digest) VALUES (?, ?)",
            arguments: [revision, Data(total.bytes)])
    }

    private static func set(_ digest: FeedDigest, of account: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO feed_digests (account, digest) VALUES (?, ?)
                ON CONFLICT DO UPDATE SET digest = excluded.digest
                """, arguments: [account, Data(digest.bytes)])
    }
}
