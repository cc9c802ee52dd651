internal import Crypto
internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: FeedTruth {
    // MARK: Where it is

    package func feedPosition(of accounts: Set<String>?) throws -> FeedPosition {
        try read { db in try Self.feedPosition(of: accounts, db) }
    }

    private static func feedPosition(of accounts: Set<String>?, _ db: Database) throws -> FeedPosition {
        var digest = FeedDigest()
        for account in accounts ?? [""] { digest += try Self.digest(of: account, db) }
        return FeedPosition(
            epoch: try meta("feed epoch", db) ?? "", revision: try meta("feed revision", db) ?? 0, digest: digest)
    }

    static func digest(of account: String, _ db: Database) throws -> FeedDigest {
        let bytes = try Data.fetchOne(
            db, sql: "SELECT digest FROM feed_digests WHERE account = ?", arguments: [account])
        return bytes.map { FeedDigest($0) } ?? FeedDigest()
    }

    package func continues(from position: FeedPosition, isWhole: Bool) throws -> Bool {
        try read { db in
            let now = try Self.feedPosition(of: nil, db)
            let floor: Int64 = try Self.meta("feed floor", db) ?? 0
            guard position.epoch == now.epoch, (floor...max(floor, now.revision)).contains(position.revision) else {
                return false
            }
            if position.revision == 0 { return true }
            let known = try Data.fetchOne(
                db, sql: "SELECT digest FROM feed_heads WHERE revision = ?", arguments: [position.revision])
            if let known { return !isWhole || FeedDigest(known) == position.digest }
            // Forgotten, unless it was never ours.
            let oldest = try Int64.fetchOne(db, sql: "SELECT min(revision) FROM feed_heads")
            return position.revision < oldest ?? 0
        }
    }

    package func feedRevision(of script: ScriptKey) throws -> Int64? {
        try read { db in
            try Int64.fetchOne(
                db, sql: "SELECT revision FROM feed WHERE kind = ? AND id = ? AND removed = 0",
                arguments: [Int(FeedKey.Kind.script.rawValue), Data(script.description.utf8)])
        }
    }

    // MARK: Records

    package func feedPage(
        after cursor: FeedPage.Cursor, of accounts: Set<String>?, bytes: Int
    ) throws -> FeedPage {
        try read { db in
            let key = try feedSecretKey(db)
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT kind, id, account, revision, removed FROM feed
                    WHERE (revision, kind, id) > (?, ?, ?) AND revision >= ? ORDER BY revision, kind, id
                    """,
                arguments: [cursor.revision, Int(cursor.kind), Data(cursor.id.utf8), cursor.revision])
            var page = FeedPage(records: [], next: nil, position: try Self.feedPosition(of: accounts, db))
            var size = 0
            while let row = try rows.next() {
                let record = try record(of: row, key, db)
                if accounts?.contains(record.account) == false { continue }
                if size >= bytes, let last = page.records.last {
                    page.next = FeedPage.Cursor(revision: last.revision, kind: last.key.kind.rawValue, id: last.key.id)
                    break
                }
                page.records.append(record)
                size += record.size
            }
            return page
        }
    }

    private func record(of row: Row, _ secretKey: FeedSecretKey, _ db: Database) throws -> FeedRecord {
        let key = FeedKey(row: row)
        let isRemoved: Bool = row["removed"]
        let body = isRemoved ? nil : try fedBody(key, secretKey, db)?.body
        return FeedRecord(key: key, account: row["account"], revision: row["revision"], body: body ?? .removed)
    }

    /// What a record says now, and whose it is; nil if there is no such thing.
    func fedBody(
        _ key: FeedKey, _ secretKey: FeedSecretKey, _ db: Database
    ) throws -> (account: String, body: FeedRecord.Body)? {
        guard let (account, bytes) = try fedValue(key, secretKey, db) else { return nil }
        guard bytes.count > FeedRecord.inlineBytes else { return (account, .value(bytes)) }
        return (account, .blob(hash: Checksum.hex(bytes), size: bytes.count))
    }

    private func fedValue(
        _ key: FeedKey, _ secretKey: FeedSecretKey, _ db: Database
    ) throws -> (account: String, bytes: [UInt8])? {
        func json(_ account: String, _ value: some Encodable) throws -> (account: String, bytes: [UInt8]) {
            (account, Array(try JSONText.of(value).utf8))
        }
        switch key.kind {
        case .account:
            return try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [key.id])
                .map { try json(key.id, try RoutedAccount(row: $0)) }
        case .certificate:
            return try fedCertificate(key.id, secretKey, db).map { account, fed in try json(account, fed) }
        case .script: return try fedScript(key.id, secretKey, db).map { try json($0.script.key.account, $0) }
        case .zone:
            return try Self.zone(key.id, db)
                .map { try json($0.account, RoutedZone(zone: $0, routes: try Self.routes(of: key.id, db))) }
        case .domain:
            return try Row.fetchOne(db, sql: Self.domainColumns + " WHERE domains.id = ?", arguments: [key.id])
                .map { row in
                    let domain = CustomDomain(row: row)
                    return try json(domain.script.account, domain)
                }
        case .namespace:
            return try String.fetchOne(db, sql: "SELECT account FROM kv_namespaces WHERE id = ?", arguments: [key.id])
                .map { ($0, []) }
        case .entry: return try Self.fedEntry(key.id, db)
        }
    }

    private func fedScript(_ id: String, _ secretKey: FeedSecretKey, _ db: Database) throws -> FedScript? {
        guard let key = ScriptKey(fed: id), let script = try Self.script(key, db) else { return nil }
        let shares = script.deployment?.shares ?? []
        var fed = FedScript(
            script: RoutedScript(
                key: key, isOnSubdomain: script.isOnSubdomain, shares: shares, cordon: script.cordon),
            versions: try shares.compactMap { try Self.version($0.version, of: key, db) }, secrets: [:],
            crons: try String.fetchAll(
                db, sql: "SELECT cron FROM schedules WHERE account = ? AND script = ? ORDER BY cron",
                arguments: [key.account, key.name]))
        let box = FeedSecretBox(secretKey, account: key.account)
        for version in fed.versions {
            let texts = try secrets(of: version.id, script: key, db)
            guard !texts.isEmpty else { continue }
            var sealed: [String: String] = [:]
            for (name, text) in texts { sealed[name] = try box.seal(text, context: "\(key)/\(name)") }
            fed.secrets[version.id] = FedScript.Secrets(generation: secretKey.generation, sealed: sealed)
        }
        return fed
    }

    private static func fedEntry(_ id: String, _ db: Database) throws -> (account: String, bytes: [UInt8])? {
        guard let slash = id.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let key = Data(id[slash...].utf8.dropFirst())
        let statement = try db.cachedStatement(
            sql: """
                SELECT account, value, metadata, expiration FROM kv_entries
                JOIN kv_namespaces ON kv_namespaces.id = namespace WHERE namespace = ? AND key = ?
                """)
        return try Row.fetchOne(statement, arguments: [String(id[..<slash]), key]).map { row in
            let value: Data = row["value"]
            let entry = KVEntry(value: Array(value), metadata: row["metadata"], expiration: row["expiration"])
            return (row["account"], FedEntry.encoded(entry))
        }
    }

    // MARK: Blobs

    package func feedBlob(_ hash: String) throws -> [UInt8] {
        // Not every name is one of a file.
        guard hash.utf8.count == 64, hash.allSatisfy(\.isHexDigit) else {
            throw StoreError(.missing, "there is no blob of that name")
        }
        let value = try read { db in
            let row = try Row.fetchOne(db, sql: "SELECT kind, id FROM feed WHERE blob = ?", arguments: [hash])
            return try row.flatMap { try fedValue(FeedKey(row: $0), try feedSecretKey(db), db)?.bytes }
        }
        if let value {
            guard Checksum.hex(value) == hash else { throw StoreError(.missing, "blob \(hash) was replaced") }
            return value
        }
        return try blobs.get(hash)
    }

    package func feedBlobs(of accounts: Set<String>?) throws -> Set<String> {
        try read { db in
            let only = try accounts.map { try JSONText.of($0.sorted()) }
            let isServed = "(?1 IS NULL OR account IN (SELECT value FROM json_each(?1)))"
            return try String.fetchSet(
                db,
                sql: """
                    WITH code (hash) AS (
                        SELECT hash FROM scripts JOIN shares ON shares.deployment = scripts.deployment
                            JOIN version_blobs ON version_blobs.version = shares.version WHERE \(isServed))
                    SELECT hash FROM code
                    UNION SELECT blob FROM code JOIN asset_set_blobs ON set_blob = hash
                    UNION SELECT blob FROM feed WHERE blob IS NOT NULL AND \(isServed)
                    """, arguments: [only])
        }
    }

    // MARK: Keys

    package func feedSigningSeed() -> [UInt8] { box.derivedKey("feed signature") }

    package func feedSecretKeys(of accounts: Set<String>?) throws -> [FeedSecretKey] {
        let key = try read { db in try feedSecretKey(db) }
        guard let accounts else { return [key] }
        return accounts.sorted().map { account in
            FeedSecretKey(
                generation: key.generation, account: account,
                bytes: FeedSecretBox.key(of: account, master: key.bytes))
        }
    }

    /// That in use.
    func feedSecretKey(_ db: Database) throws -> FeedSecretKey {
        let generation: Int64 = try Self.meta("feed keys", db) ?? 1
        return FeedSecretKey(
            generation: generation, account: nil, bytes: box.derivedKey("feed secrets \(generation)"))
    }
}

extension ScriptKey {
    /// - Parameter id: "account/name".
    init?(fed id: String) {
        guard let slash = id.firstIndex(of: "/") else { return nil }
        self.init(account: String(id[..<slash]), name: String(id[id.index(after: slash)...]))
    }
}

extension FeedRecord {
    /// Roughly, in bytes.
    var size: Int {
        let own = 64 + key.id.utf8.count
        if case .value(let bytes) = body { return own + bytes.count }
        return own
    }
}
