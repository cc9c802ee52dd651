internal import Crypto
internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

extension EdgeStore: FeedCopy {
    /// Bytes of a version's assets that are waited for before it is served; larger sets are fetched behind it.
    private static let assetBytesAwaited = 16 << 20

    package func position() throws -> FeedPosition? { try read { db in try Self.position("", db) } }

    /// - Parameter prefix: "" of what is served, "next " of what is being made.
    private static func position(_ prefix: String, _ db: Database) throws -> FeedPosition? {
        guard let epoch: String = try SQLiteStore.meta(prefix + "epoch", db),
            let revision: Int64 = try SQLiteStore.meta(prefix + "revision", db),
            let digest: Data = try SQLiteStore.meta(prefix + "digest", db)
        else { return nil }
        return FeedPosition(epoch: epoch, revision: revision, digest: FeedDigest(digest))
    }

    private static func set(_ position: FeedPosition, _ prefix: String, _ db: Database) throws {
        try SQLiteStore.setMeta(prefix + "epoch", position.epoch, db)
        try SQLiteStore.setMeta(prefix + "revision", position.revision, db)
        try SQLiteStore.setMeta(prefix + "digest", Data(position.digest.bytes), db)
    }

    private static func dropNext(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM meta WHERE name IN ('next epoch', 'next revision', 'next digest')")
        let generation = try generation(db)
        for table in ["records", "blob_uses"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE generation <> ?", arguments: [generation])
        }
    }

    package func begin(epoch: String, isFresh: Bool) throws {
        try write { db in
            try Self.dropNext(db)
            guard isFresh else { return }
            try Self.set(FeedPosition(epoch: epoch, revision: 0, digest: FeedDigest()), "next ", db)
        }
    }

    // MARK: Blobs

    package func lacking(_ records: [FeedRecord], given blobs: [String: [UInt8]]) throws -> Set<String> {
        try read { db in
            var needed: Set<String> = []
            for record in records {
                if case .blob(let hash, _) = record.body { needed.insert(hash) }
                guard let script = try Self.script(record, blobs, db) else { continue }
                needed.formUnion(script.codeBlobs)
                let files = try Self.assets(of: script, blobs, db)
                guard files.reduce(0, { $0 + $1.size }) <= Self.assetBytesAwaited else { continue }
                needed.formUnion(files.map(\.blob))
            }
            return try needed.filter { try blobs[$0] == nil && !Self.has($0, db) }
        }
    }

    static func has(_ blob: String, _ db: Database) throws -> Bool {
        try db.oftenValue("SELECT EXISTS (SELECT 1 FROM blobs WHERE hash = ?)", [blob]) ?? false
    }

    static func bytes(of blob: String, _ db: Database) throws -> [UInt8]? {
        let bytes: Data? = try db.oftenValue("SELECT bytes FROM blobs WHERE hash = ?", [blob])
        return bytes.map { Array($0) }
    }

    private static func script(
        _ record: FeedRecord, _ blobs: [String: [UInt8]], _ db: Database
    ) throws -> FedScript? {
        guard record.key.kind == .script else { return nil }
        let bytes: [UInt8]?
        switch record.body {
        case .value(let value): bytes = value
        case .blob(let hash, _): bytes = try blobs[hash] ?? Self.bytes(of: hash, db)
        case .removed: bytes = nil
        }
        return try bytes.map { try EdgeRow.script($0) }
    }

    /// The contents of a script's assets, as far as its sets are known.
    private static func assets(
        of script: FedScript, _ blobs: [String: [UInt8]], _ db: Database
    ) throws -> [AssetFile] {
        try script.versions.compactMap(\.assets).flatMap { assets -> [AssetFile] in
            guard let bytes = try blobs[assets.set] ?? bytes(of: assets.set, db) else { return [] }
            return Array(try JSONText.value(AssetSet.self, of: String(decoding: bytes, as: UTF8.self)).files.values)
        }
    }

    package func wantedBlobs(_ limit: Int) throws -> [String] {
        try read { db in
            try db.oftenRows(
                """
                SELECT DISTINCT hash FROM blob_uses WHERE generation = ?
                    AND hash NOT IN (SELECT hash FROM blobs) LIMIT ?
                """, [try Self.generation(db), limit]
            ).map { $0[0] }
        }
    }

    package func add(blob bytes: [UInt8], hash: String) throws { try write { db in try Self.add(bytes, hash, db) } }

    private static func add(_ bytes: [UInt8], _ hash: String, _ db: Database) throws {
        try db.often("INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)", [hash, Data(bytes)])
    }

    // MARK: Records

    package func mark() throws -> String? { try read { db in try SQLiteStore.meta("mark", db) } }

    package func apply(
        _ records: [FeedRecord], blobs: [String: [UInt8]], upTo position: FeedPosition?, mark: String?
    ) throws {
        if records.isEmpty, blobs.isEmpty, let position, try isAt(position) { return }
        let hasChanged = try write { db in
            let isFresh = try Self.position("next ", db) != nil
            guard var known = try Self.position(isFresh ? "next " : "", db) else {
                throw FeedError(.diverged, "records before it was said where they belong")
            }
            for (hash, bytes) in blobs { try Self.add(bytes, hash, db) }
            let generation = try Self.generation(db) + (isFresh ? 1 : 0)
            let change = try Self.nextChange(db)
            for record in records where record.revision > known.revision {
                try Self.put(record, generation, change, &known.digest, db)
            }
            try Self.dropCopied(records, db)
            guard let position else {
                try Self.set(known, isFresh ? "next " : "", db)
                return false
            }
            // What was sent twice is no newer than what is here.
            guard position.epoch == known.epoch, position.revision >= known.revision, position.digest == known.digest
            else {
                throw FeedError(
                    .diverged, "the copy is not what the control node has at revision \(position.revision)")
            }
            if isFresh { try Self.replace(by: generation, change, db) }
            let isNew = isFresh || position.revision > known.revision
            try Self.set(position, "", db)
            try SQLiteStore.setMeta("mark", mark ?? "", db)
            return isNew
        }
        guard hasChanged, let position else { return }
        tell()
        served.reach(position.revision)
    }

    /// Most heads say what is known: no reason to write.
    private func isAt(_ position: FeedPosition) throws -> Bool {
        try read { db in try Self.position("next ", db) == nil && Self.position("", db) == position }
    }

    private static func nextChange(_ db: Database) throws -> Int64 {
        let change: Int64 = (try SQLiteStore.meta("change", db) ?? 0) + 1
        try SQLiteStore.setMeta("change", change, db)
        return change
    }

    /// What was made beside the served copy takes its place.
    private static func replace(by generation: Int64, _ change: Int64, _ db: Database) throws {
        try SQLiteStore.setMeta("generation", generation, db)
        try SQLiteStore.setMeta("floor", change, db)
        try dropNext(db)
    }

    private static func put(
        _ record: FeedRecord, _ generation: Int64, _ change: Int64, _ digest: inout FeedDigest, _ db: Database
    ) throws {
        let kind = Int(record.key.kind.rawValue)
        let id = Data(record.key.id.utf8)
        let old = try db.oftenRow(
            "SELECT revision, hash FROM records WHERE generation = ? AND kind = ? AND id = ?", [generation, kind, id])
        if let old, old["revision"] as Int64 > record.revision { return }
        if let hash = old?["hash"] as Data? { digest -= FeedDigest(hash) }
        if record.key.kind == .script {
            try retire(generation, id, change, db)
            try db.often("DELETE FROM blob_uses WHERE generation = ? AND script = ?", [generation, id])
        }
        var row = EdgeRow()
        if record.body == .removed {
            try remove(record.key, generation, &digest, db)
            // That a route is gone is kept, for the data plane to hear of it.
            guard record.key.kind.isRouted else { return }
        } else {
            row = try EdgeRow(record.key.kind, try value(of: record, db))
            let hash = Data(SHA256.hash(data: record.encoded))
            digest += FeedDigest(hash)
            row.hash = hash
        }
        let contents = try row.script.map { try assets(of: $0, [:], db) } ?? []
        for blob in Set(contents.map(\.blob)).union(row.script?.codeBlobs ?? []) {
            try db.often(
                "INSERT OR IGNORE INTO blob_uses (generation, script, hash) VALUES (?, ?, ?)", [generation, id, blob])
        }
        try db.often(
            """
            INSERT INTO records (generation, kind, id, account, revision, change, hash, brief, metadata, expiration,
                value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (generation, kind, id) DO UPDATE SET account = excluded.account,
                revision = excluded.revision, change = excluded.change, hash = excluded.hash,
                brief = excluded.brief, metadata = excluded.metadata, expiration = excluded.expiration,
                value = excluded.value
            """,
            [
                generation, kind, id, record.account, record.revision, change, row.hash, row.brief, row.metadata,
                row.expiration, row.value,
            ])
    }

    /// What was served until now may still be asked for by requests that are on their way, in milliseconds.
    private static let formerLifetime: Int64 = 60_000

    private static func retire(_ generation: Int64, _ id: Data, _ change: Int64, _ db: Database) throws {
        let now = Timestamp.now.milliseconds
        try db.often("DELETE FROM former WHERE retired_on < ?", [now - formerLifetime])
        try db.often(
            """
            INSERT INTO former (id, value, retired_on) SELECT id, value, ? FROM records
            WHERE generation = ? AND kind = ? AND id = ? AND value IS NOT NULL
            """, [now, generation, Int(FeedKey.Kind.script.rawValue), id])
    }

    private static func value(of record: FeedRecord, _ db: Database) throws -> [UInt8] {
        switch record.body {
        case .removed: return []
        case .value(let bytes): return bytes
        case .blob(let hash, _):
            guard let bytes = try bytes(of: hash, db) else { throw FeedError(.missing, "blob \(hash) is not here") }
            return bytes
        }
    }

    /// What a record holds itself from now on need not lie among the blobs.
    private static func dropCopied(_ records: [FeedRecord], _ db: Database) throws {
        for case .blob(let hash, _) in records.map(\.body) {
            try db.often("DELETE FROM blobs WHERE hash = ?1 AND hash NOT IN (SELECT hash FROM blob_uses)", [hash])
        }
    }

    /// What else goes when a record does.
    private static func remove(
        _ key: FeedKey, _ generation: Int64, _ digest: inout FeedDigest, _ db: Database
    ) throws {
        if !key.kind.isRouted {
            try db.execute(
                sql: "DELETE FROM records WHERE generation = ? AND kind = ? AND id = ?",
                arguments: [generation, Int(key.kind.rawValue), Data(key.id.utf8)])
        }
        guard key.kind == .namespace else { return }
        let start = Data(FeedKey.prefix(ofNamespace: key.id).utf8)
        var end = start
        end[end.count - 1] += 1
        let rows = try Row.fetchCursor(
            db,
            sql: "DELETE FROM records WHERE generation = ? AND kind = ? AND id >= ? AND id < ? RETURNING hash",
            arguments: [generation, Int(FeedKey.Kind.entry.rawValue), start, end])
        while let row = try rows.next() {
            if let hash = row["hash"] as Data? { digest -= FeedDigest(hash) }
        }
    }
}

/// The columns of a record that reading goes by.
struct EdgeRow {
    var hash: Data?
    /// Of a script: whether it is on the subdomain and its cordon, then its versions with their parts.
    var brief: String?
    var metadata: String?
    var expiration: Int64?
    var value: Data?
    var script: FedScript?

    init() {}

    /// Throws `malformed` if the bytes are not of the kind's form.
    init(_ kind: FeedKey.Kind, _ bytes: [UInt8]) throws {
        switch kind {
        case .entry:
            let entry = try FedEntry.decoded(bytes)
            metadata = entry.metadata
            expiration = entry.expiration
            value = Data(entry.value)
        case .script:
            let script = try Self.script(bytes)
            brief = Self.brief(of: script.script)
            value = Data(bytes)
            self.script = script
        case .account, .zone, .domain, .namespace, .certificate: value = Data(bytes)
        }
    }

    /// The last one that was read: a new version is read for what it lacks, to be kept, and to be run.
    private static let latest = Mutex<(bytes: [UInt8], script: FedScript)?>(nil)

    static func script(_ bytes: [UInt8]) throws(FeedError) -> FedScript {
        if let latest = latest.withLock({ $0 }), latest.bytes == bytes { return latest.script }
        guard let script = try? JSONDecoder().decode(FedScript.self, from: Data(bytes)) else {
            throw FeedError(.malformed, "a Worker's record is not of its form")
        }
        latest.withLock { $0 = (bytes, script) }
        return script
    }

    static func brief(of script: RoutedScript) -> String {
        let first = (script.isOnSubdomain ? "1" : "0") + (script.cordon.map { " " + $0 } ?? "")
        return ([first] + script.shares.map { "\($0.version) \($0.percentage)" }).joined(separator: "\n")
    }

    /// Nil if it is none.
    static func script(_ key: ScriptKey, brief: String) -> RoutedScript? {
        let lines = brief.split(separator: "\n")
        guard let first = lines.first?.split(separator: " ", maxSplits: 1) else { return nil }
        let shares = lines.dropFirst().compactMap { line -> Deployment.Share? in
            let parts = line.split(separator: " ")
            guard parts.count == 2, let percentage = Double(parts[1]) else { return nil }
            return Deployment.Share(version: String(parts[0]), percentage: percentage)
        }
        return RoutedScript(
            key: key, isOnSubdomain: first[0] == "1", shares: shares, cordon: first.count > 1 ? String(first[1]) : nil)
    }
}

extension FeedKey.Kind {
    /// Whether routes are made of it.
    var isRouted: Bool { rawValue < Self.namespace.rawValue }
}
