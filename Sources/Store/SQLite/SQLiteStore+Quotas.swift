internal import GRDB
package import Model

// What accounts store, and what they may. Checked in the transaction that would store more.
extension SQLiteStore {
    package func storedAmounts(of account: String) throws -> StoredAmounts {
        try read { db in
            var amounts = StoredAmounts()
            amounts.scripts = try Self.scriptCount(account, db)
            amounts.codeBytes = try Self.codeBytes(account, db)
            amounts.assetBytes = try Self.assetBytes(account, db)
            amounts.kvBytes = try Self.kvBytes(account, db)
            return amounts
        }
    }

    private static func number(_ sql: String, _ account: String, _ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: sql, arguments: [account]) ?? 0
    }

    private static func scriptCount(_ account: String, _ db: Database) throws -> Int {
        try number("SELECT count(*) FROM scripts WHERE account = ?", account, db)
    }

    private static func codeBytes(_ account: String, _ db: Database) throws -> Int {
        try number("SELECT coalesce(sum(code_bytes), 0) FROM versions WHERE account = ?", account, db)
    }

    private static func assetBytes(_ account: String, _ db: Database) throws -> Int {
        // A set is as long as its list of files: with the versions that are kept, more than small files take.
        try number("SELECT coalesce(sum(size), 0) FROM asset_uploads WHERE account = ?", account, db)
            + number(
                """
                SELECT coalesce(sum(bytes), 0) FROM asset_sets WHERE blob IN (
                    SELECT hash FROM version_blobs JOIN versions ON versions.id = version WHERE account = ?)
                """, account, db)
    }

    /// Bytes of a version's record and secrets that do not count as code: far more than ordinary ones have.
    private static let freeRecordBytes = 16 << 10

    /// What counts as a version's code: its modules, and what else its author made long.
    static func setCodeBytes(of version: ScriptVersion, _ db: Database) throws {
        let rest =
            try Int.fetchOne(
                db,
                sql: """
                    SELECT length(record) + (SELECT coalesce(sum(length(sealed)), 0) FROM secrets WHERE version = id)
                    FROM versions WHERE id = ?
                    """, arguments: [version.id]) ?? 0
        try db.execute(
            sql: "UPDATE versions SET code_bytes = ? WHERE id = ?",
            arguments: [
                version.modules.reduce(0) { $0 + $1.size } + max(0, rest - freeRecordBytes), version.id,
            ])
    }

    private static func kvBytes(_ account: String, _ db: Database) throws -> Int {
        try number("SELECT coalesce(sum(bytes), 0) FROM kv_namespaces WHERE account = ?", account, db)
    }

    static func limits(of account: String, _ db: Database) throws -> AccountLimits {
        let text = try String.fetchOne(db, sql: "SELECT limits FROM accounts WHERE id = ?", arguments: [account])
        return try text.map { try JSONText.value(AccountLimits.self, of: $0) } ?? AccountLimits()
    }

    /// Notes whether an account has used up what it may have on this day, wherever that was.
    /// - Returns: whether that is new.
    @discardableResult static func judge(_ account: String, _ db: Database, _ revision: Int64) throws -> Bool {
        let row = try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [account])
        guard let row else { return false }
        let limits = try AccountLimits(row: row)
        let known: Int64? = row["exhausted_on"]
        let today = Usage.hour(of: .now) / 24
        var isOver = false
        if limits.requestsPerDay != nil || limits.cpuMillisecondsPerDay != nil {
            let used = try Row.fetchOne(
                db, sql: "SELECT sum(requests), sum(cpu_us) FROM usage WHERE account = ? AND hour >= ? AND hour < ?",
                arguments: [account, today * 24, today * 24 + 24])
            isOver = limits.areUsedUp(
                requests: used?[0] as Int64? ?? 0, cpuMicroseconds: used?[1] as Int64? ?? 0)
        }
        guard isOver != (known == today) else { return false }
        try db.execute(
            sql: "UPDATE accounts SET exhausted_on = ? WHERE id = ?", arguments: [isOver ? today : nil, account])
        try note(.account(account), db, revision)
        return true
    }

    private static func require(_ used: Int, atMost limit: Int?, _ what: String) throws {
        guard let limit, used > limit else { return }
        throw StoreError(.overQuota, "the account has \(limit) \(what) at most; this would make \(used)")
    }

    /// Throws `overQuota` if an account has more scripts or code than it may.
    /// - Parameter isNew: a script was added.
    static func checkCode(of account: String, isNew: Bool, _ db: Database) throws {
        let limits = try limits(of: account, db)
        if isNew, limits.scripts != nil { try require(scriptCount(account, db), atMost: limits.scripts, "Workers") }
        if limits.codeBytes != nil { try require(codeBytes(account, db), atMost: limits.codeBytes, "bytes of code") }
    }

    static func checkAssets(of account: String, _ db: Database) throws {
        let limits = try limits(of: account, db)
        guard limits.assetBytes != nil else { return }
        try require(assetBytes(account, db), atMost: limits.assetBytes, "bytes of assets")
    }

    /// Throws `overQuota` if the account of a namespace has more in KV than it may.
    static func checkKV(ofNamespace namespace: String, _ db: Database) throws {
        let account = try String.fetchOne(
            db, sql: "SELECT account FROM kv_namespaces WHERE id = ?", arguments: [namespace])
        guard let account else { return }
        let limits = try limits(of: account, db)
        guard limits.kvBytes != nil else { return }
        try require(kvBytes(account, db), atMost: limits.kvBytes, "bytes in KV")
    }
}
