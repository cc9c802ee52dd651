internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

/// KV: read here, written at the control node.
extension EdgeStore: ValueStore {
    /// How long a write waits until it can be read here, in seconds; it is done anyway.
    private static let ownWriteSeconds = 2.0

    package func entry(_ key: String, in namespace: String) throws -> KVEntry? {
        let row = try read { db in
            try db.oftenRow(
                """
                SELECT value, metadata, expiration FROM records
                WHERE generation = ? AND kind = ? AND id = ? AND (expiration IS NULL OR expiration > ?)
                """,
                [
                    try Self.generation(db), Int(FeedKey.Kind.entry.rawValue), Self.id(key, namespace),
                    Timestamp.now.seconds,
                ])
        }
        guard let row, let value: Data = row["value"] else { return nil }
        return KVEntry(value: Array(value), metadata: row["metadata"], expiration: row["expiration"])
    }

    private static func id(_ key: String, _ namespace: String) -> Data {
        Data((FeedKey.prefix(ofNamespace: namespace) + key).utf8)
    }

    package func keys(in namespace: String, prefix: String, after: String?, limit: Int) throws -> KVPage {
        let start = Self.id(prefix, namespace)
        // UTF-8 has no byte 255, so that the last byte can be counted up.
        var end = start
        end[end.count - 1] += 1
        let begin = FeedKey.prefix(ofNamespace: namespace).utf8.count
        let rows = try read { [end] db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, metadata, expiration FROM records
                    WHERE generation = ?1 AND kind = ?2 AND id >= ?3 AND id < ?4 AND (?5 IS NULL OR id > ?5)
                        AND (expiration IS NULL OR expiration > ?6)
                    ORDER BY id LIMIT ?7
                    """,
                arguments: [
                    try Self.generation(db), Int(FeedKey.Kind.entry.rawValue), start, end,
                    after.map { Self.id($0, namespace) }, Timestamp.now.seconds, limit + 1,
                ])
        }
        let keys = rows.prefix(limit).map { row in
            KVPage.Key(
                name: String(decoding: (row["id"] as Data).dropFirst(begin), as: UTF8.self), metadata: row["metadata"],
                expiration: row["expiration"])
        }
        return KVPage(keys: keys, isLast: rows.count <= limit)
    }

    package func put(_ entries: [(key: String, entry: KVEntry)], in namespace: String) throws {
        var writer = FeedWriter()
        writer.text(namespace)
        for (key, entry) in entries {
            writer.text(key)
            writer.data(FedEntry.encoded(entry))
        }
        try change("put", writer.bytes)
    }

    package func delete(_ keys: [String], in namespace: String) throws {
        var writer = FeedWriter()
        writer.text(namespace)
        for key in keys { writer.text(key) }
        try change("delete", writer.bytes)
    }

    private func change(_ name: String, _ body: [UInt8]) throws {
        guard let call = remote.withLock({ $0 }) else {
            throw StoreError(.failed, "the control node cannot be reached, and KV is written there")
        }
        do {
            var reader = FeedReader(try call(name, body))
            // Whoever writes here reads here what they wrote.
            _ = served.wait(for: try reader.number(), seconds: Self.ownWriteSeconds)
        } catch let error as FeedError {
            throw StoreError(error)
        }
    }
}

extension StoreError {
    /// What a call to the control node failed with.
    fileprivate init(_ error: FeedError) {
        switch error.kind {
        case .missing: self.init(.missing, error.message)
        case .refused: self.init(.overQuota, error.message)
        default: self.init(.failed, error.message)
        }
    }
}

/// What was used here, until the control node has counted it.
extension EdgeStore: UsageStore {
    /// Batches that are sent as one.
    private static let batchesAtOnce = 1_000

    package func add(_ readings: [Usage], batch: String) throws {
        let data = try JSONEncoder().encode(readings)
        try write { db in
            try db.often("INSERT OR IGNORE INTO usage_out (batch, readings) VALUES (?, ?)", [batch, data])
        }
    }

    package func usage(of account: String, hours: Range<Int64>) throws -> [Usage] {
        try read { db in try Self.readings(db, "TRUE", []) }
            .filter { $0.script.account == account && hours.contains($0.hour) }
    }

    private static func readings(_ db: Database, _ filter: String, _ arguments: StatementArguments) throws -> [Usage] {
        try Data.fetchAll(db, sql: "SELECT readings FROM usage_out WHERE \(filter)", arguments: arguments)
            .flatMap { try JSONDecoder().decode([Usage].self, from: $0) }
    }

    package func unsentUsage() throws -> UsageBatch? {
        let isAny: Bool? = try read { db in try db.oftenValue("SELECT EXISTS (SELECT * FROM usage_out)", []) }
        guard isAny == true else { return nil }
        return try write { db in
            // What was sent and not answered is sent again as it was: it may have been counted.
            var last: Int64? = try SQLiteStore.meta("usage sent", db)
            if last == nil {
                last = try Int64.fetchOne(
                    db, sql: "SELECT max(number) FROM (SELECT number FROM usage_out ORDER BY number LIMIT ?)",
                    arguments: [Self.batchesAtOnce])
                if let last { try SQLiteStore.setMeta("usage sent", last, db) }
            }
            guard let last else { return nil }
            var sums: [UsageKey: UsageAmounts] = [:]
            for usage in try Self.readings(db, "number <= ?", [last]) {
                let key = UsageKey(script: usage.script, hour: usage.hour)
                sums[key] = (sums[key] ?? UsageAmounts()) + usage.amounts
            }
            return UsageBatch(
                instance: instance, number: last,
                readings: sums.map { Usage(script: $0.script, hour: $0.hour, amounts: $1) })
        }
    }

    /// Requests that the control node is not known to have counted.
    package func waitingRequests() throws -> Int64 {
        try read { db in try Self.readings(db, "TRUE", []) }.reduce(0) { $0 + $1.amounts.requests }
    }

    package func usageIsCounted(_ batch: UsageBatch) throws {
        try write { db in
            try db.execute(sql: "DELETE FROM usage_out WHERE number <= ?", arguments: [batch.number])
            try db.execute(sql: "DELETE FROM meta WHERE name = 'usage sent'")
        }
    }
}

private struct UsageKey: Hashable {
    let script: ScriptKey
    let hour: Int64
}
