internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: KVStore {
    // MARK: Namespaces

    package func namespaces(of account: String) throws -> [KVNamespace] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, title FROM kv_namespaces WHERE account = ? ORDER BY title", arguments: [account]
            ).map { KVNamespace(id: $0["id"], title: $0["title"]) }
        }
    }

    package func namespace(_ id: String, of account: String) throws -> KVNamespace? {
        try read { db in
            try Row.fetchOne(
                db, sql: "SELECT id, title FROM kv_namespaces WHERE id = ? AND account = ?", arguments: [id, account]
            ).map { KVNamespace(id: $0["id"], title: $0["title"]) }
        }
    }

    package func add(_ namespace: KVNamespace, to account: String) throws {
        try write { db, revision in
            try Self.checkTitle(of: namespace, in: account, db)
            try db.execute(
                sql: "INSERT INTO kv_namespaces (id, account, title) VALUES (?, ?, ?)",
                arguments: [namespace.id, account, namespace.title])
            try Self.noteFed(FeedKey(.namespace, namespace.id), db, revision)
        }
    }

    package func rename(_ namespace: KVNamespace, of account: String) throws {
        try write { db, _ in
            try Self.checkTitle(of: namespace, in: account, db)
            try db.execute(
                sql: "UPDATE kv_namespaces SET title = ? WHERE id = ? AND account = ?",
                arguments: [namespace.title, namespace.id, account])
            guard db.changesCount == 1 else { throw Self.missing(namespace.id) }
        }
    }

    private static func missing(_ namespace: String) -> StoreError {
        StoreError(.missing, "there is no namespace \(namespace)")
    }

    private static func checkTitle(of namespace: KVNamespace, in account: String, _ db: Database) throws {
        let holder = try String.fetchOne(
            db, sql: "SELECT id FROM kv_namespaces WHERE account = ? AND title = ?",
            arguments: [account, namespace.title])
        guard holder == nil || holder == namespace.id else {
            throw StoreError(.conflict, "there is a namespace with the title '\(namespace.title)' already")
        }
    }

    package func deleteNamespace(_ id: String, of account: String) throws {
        try write { db, revision in
            try db.execute(sql: "DELETE FROM kv_namespaces WHERE id = ? AND account = ?", arguments: [id, account])
            guard db.changesCount == 1 else { throw Self.missing(id) }
            try Self.noteFed(FeedKey(.namespace, id), db, revision)
        }
    }

    // MARK: Entries

    package func entry(_ key: String, in namespace: String) throws -> KVEntry? {
        let row = try readOnce { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT value, metadata, expiration, checksum FROM kv_entries
                    WHERE namespace = ? AND key = ? AND (expiration IS NULL OR expiration > ?)
                    """)
            return try Row.fetchOne(statement, arguments: [namespace, Data(key.utf8), Timestamp.now.seconds])
        }
        guard let row else { return nil }
        let value: Data = row["value"]
        guard Checksum.short(value) == row["checksum"] as Int64 else {
            throw StoreError(.damaged, "\(DataFolder.database) is damaged: key '\(key)' of namespace \(namespace)")
        }
        return KVEntry(value: Array(value), metadata: row["metadata"], expiration: row["expiration"])
    }

    package func put(_ entries: [(key: String, entry: KVEntry)], in namespace: String) throws {
        try write { db, revision in
            let exists = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM kv_namespaces WHERE id = ?)", arguments: [namespace])
            guard exists == true else { throw Self.missing(namespace) }
            for (key, entry) in entries {
                let value = Data(entry.value)
                try db.execute(
                    sql: """
                        INSERT INTO kv_entries (namespace, key, value, metadata, expiration, checksum)
                        VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value,
                            metadata = excluded.metadata, expiration = excluded.expiration,
                            checksum = excluded.checksum
                        """,
                    arguments: [
                        namespace, Data(key.utf8), value, entry.metadata, entry.expiration, Checksum.short(value),
                    ])
                try Self.noteFed(Self.fedKey(key, namespace), db, revision)
            }
            // Expired keys are invisible already; each write takes some of them off the disk.
            let expired = try Row.fetchAll(
                db,
                sql: """
                    DELETE FROM kv_entries WHERE rowid IN (
                        SELECT rowid FROM kv_entries WHERE expiration <= ? LIMIT 100) RETURNING namespace, key
                    """, arguments: [Timestamp.now.seconds])
            for row in expired {
                let key = String(decoding: row["key"] as Data, as: UTF8.self)
                try Self.noteFed(Self.fedKey(key, row["namespace"]), db, revision)
            }
            try Self.checkKV(ofNamespace: namespace, db)
        }
    }

    package func delete(_ keys: [String], in namespace: String) throws {
        try write { db, revision in
            for key in keys {
                try db.execute(
                    sql: "DELETE FROM kv_entries WHERE namespace = ? AND key = ?",
                    arguments: [namespace, Data(key.utf8)])
                guard db.changesCount == 1 else { continue }
                try Self.noteFed(Self.fedKey(key, namespace), db, revision)
            }
        }
    }

    private static func fedKey(_ key: String, _ namespace: String) -> FeedKey {
        FeedKey(.entry, FeedKey.prefix(ofNamespace: namespace) + key)
    }

    package func keys(in namespace: String, prefix: String, after: String?, limit: Int) throws -> KVPage {
        let start = Data(prefix.utf8)
        // UTF-8 has no byte 255, so that the last byte can be counted up.
        var end: Data? = start.isEmpty ? nil : start
        end?[start.count - 1] += 1
        let rows = try read { [end] db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT key, metadata, expiration FROM kv_entries
                    WHERE namespace = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) AND (?4 IS NULL OR key > ?4)
                        AND (expiration IS NULL OR expiration > ?5)
                    ORDER BY key LIMIT ?6
                    """,
                arguments: [namespace, start, end, after.map { Data($0.utf8) }, Timestamp.now.seconds, limit + 1])
        }
        let keys = rows.prefix(limit).map { row in
            KVPage.Key(
                name: String(decoding: row["key"] as Data, as: UTF8.self), metadata: row["metadata"],
                expiration: row["expiration"])
        }
        return KVPage(keys: keys, isLast: rows.count <= limit)
    }
}
