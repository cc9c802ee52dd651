internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: AssetStore {
    /// Sessions of one account, and bytes of their manifests; the oldest go.
    private static let sessionsAtMost = 50
    private static let manifestBytesAtMost = 32 << 20
    /// What was asked for is noted once in this time, in milliseconds: short for what stays a day.
    private static let uploadNoting: Int64 = 3_600_000

    // MARK: Uploads

    package func uploads(
        _ hashes: [String], of account: String
    ) throws -> [String: AssetUpload] {
        let now = Timestamp.now.milliseconds
        var found: [String: AssetUpload] = [:]
        var stale: [String] = []
        try read { db in
            let find = try db.cachedStatement(
                sql: "SELECT blob, size, type, used_on FROM asset_uploads WHERE account = ? AND hash = ?")
            for hash in Set(hashes) {
                guard let row = try Row.fetchOne(find, arguments: [account, hash]) else { continue }
                found[hash] = AssetUpload(blob: row[0], size: row[1], contentType: row[2])
                let usedOn: Int64 = row[3]
                if usedOn <= now - Self.uploadNoting { stale.append(hash) }
            }
        }
        guard !stale.isEmpty else { return found }
        let gone = try write { [stale] db, _ in
            let touch = try db.cachedStatement(
                sql: "UPDATE asset_uploads SET used_on = ? WHERE account = ? AND hash = ?")
            return try stale.filter { hash in
                try touch.execute(arguments: [now, account, hash])
                return db.changesCount == 0
            }
        }
        // Dropped meanwhile.
        for hash in gone { found[hash] = nil }
        return found
    }

    package func addUploads(
        _ uploads: [(hash: String, bytes: [UInt8], contentType: String?)], of account: String
    ) throws {
        var pinned: [String] = []
        var isAdded = false
        defer {
            for blob in pinned { blobs.unpin(blob) }
            // What was refused does not stay.
            if !isAdded { try? collect(pinned) }
        }
        for upload in uploads { pinned.append(try blobs.put(upload.bytes)) }
        try write { [pinned] db, _ in
            for (upload, blob) in zip(uploads, pinned) {
                let known = try String.fetchOne(
                    db, sql: "SELECT blob FROM asset_uploads WHERE account = ? AND hash = ?",
                    arguments: [account, upload.hash])
                guard known == nil || known == blob else {
                    throw StoreError(.conflict, "the hash \(upload.hash) stands for other content already")
                }
                try db.execute(
                    sql: """
                        INSERT INTO asset_uploads (account, hash, blob, size, type, used_on) VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (account, hash) DO UPDATE SET type = excluded.type, used_on = excluded.used_on
                        """,
                    arguments: [
                        account, upload.hash, blob, upload.bytes.count, upload.contentType, Timestamp.now.milliseconds,
                    ])
            }
            try Self.checkAssets(of: account, db)
        }
        isAdded = true
    }

    /// Forgets content that no version has and nobody has asked for since then.
    package func dropUploads(before time: Timestamp) throws {
        let isUnused = """
            used_on < ? AND NOT EXISTS (
                SELECT 1 FROM asset_set_blobs WHERE asset_set_blobs.blob = asset_uploads.blob)
            """
        let sql = "SELECT blob FROM asset_uploads WHERE \(isUnused)"
        // Most times there are none.
        guard try !read({ try String.fetchAll($0, sql: sql, arguments: [time.milliseconds]) }).isEmpty else { return }
        let freed = try write { db, _ in
            let freed = try String.fetchAll(db, sql: sql, arguments: [time.milliseconds])
            try db.execute(sql: "DELETE FROM asset_uploads WHERE \(isUnused)", arguments: [time.milliseconds])
            return freed
        }
        try collect(freed)
    }

    // MARK: Sessions

    package func addSession(_ session: AssetSession) throws {
        let manifest = Data(try JSONText.of(session.manifest).utf8)
        let now = Timestamp.now
        try write { db, _ in
            try db.execute(
                sql: "DELETE FROM asset_sessions WHERE created_on < ?",
                arguments: [now.milliseconds - AssetSession.lifetime * 1_000])
            try db.execute(
                sql: "INSERT INTO asset_sessions (id, account, script, manifest, created_on) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    session.id, session.script.account, session.script.name, manifest, session.createdOn.milliseconds,
                ])
            try db.execute(
                sql: """
                    DELETE FROM asset_sessions WHERE id IN (
                        SELECT id FROM (
                            SELECT id, row_number() OVER latest AS place, sum(length(manifest)) OVER latest AS bytes
                            FROM asset_sessions WHERE account = ?
                            WINDOW latest AS (ORDER BY created_on DESC, rowid DESC))
                        WHERE place > ? OR bytes > ? AND place > 1)
                    """, arguments: [session.script.account, Self.sessionsAtMost, Self.manifestBytesAtMost])
        }
    }

    package func session(_ id: String) throws -> AssetSession? {
        let row = try read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM asset_sessions WHERE id = ? AND created_on >= ?",
                arguments: [id, Timestamp.now.milliseconds - AssetSession.lifetime * 1_000])
        }
        return try row.map { row in
            AssetSession(
                id: row["id"], script: ScriptKey(account: row["account"], name: row["script"]),
                manifest: try JSONText.value(
                    [String: AssetSession.Entry].self, of: String(decoding: row["manifest"] as Data, as: UTF8.self)),
                createdOn: Timestamp(milliseconds: row["created_on"]))
        }
    }

    package func sessionKey() -> [UInt8] { box.derivedKey("asset sessions") }

    // MARK: Sets

    package func assets(of version: ScriptVersion) throws -> AssetSet? {
        guard let assets = version.assets else { return nil }
        let bytes = try blobs.get(assets.set)
        return try JSONText.value(AssetSet.self, of: String(decoding: bytes, as: UTF8.self))
    }

    package func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8] {
        try blobs.read(blob, from: offset, count: count)
    }

    /// Notes what a set refers to. Throws `missing` if some of it was not uploaded, or is gone.
    static func insert(
        _ assets: AssetSet, as set: String, bytes: Int, of account: String, _ db: Database
    ) throws {
        try db.execute(
            sql: "INSERT INTO asset_sets (blob, bytes) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = ?2",
            arguments: [set, bytes])
        let isThere = try db.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM asset_uploads WHERE account = ? AND hash = ? AND blob = ?)
                    OR EXISTS (SELECT 1 FROM asset_set_blobs JOIN version_blobs ON hash = set_blob
                        JOIN versions ON versions.id = version WHERE account = ? AND blob = ?)
                """)
        let insert = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO asset_set_blobs (set_blob, blob) VALUES (?, ?)")
        for (path, file) in assets.files {
            let found = try Bool.fetchOne(isThere, arguments: [account, file.hash, file.blob, account, file.blob])
            guard found == true else { throw StoreError(.missing, "the asset '\(path)' is not there any more") }
            try insert.execute(arguments: [set, file.blob])
        }
    }

    /// Forgets sets that no version has.
    /// - Returns: blobs that may have come out of use with them.
    func dropUnusedSets(among hashes: [String]) throws -> [String] {
        let unused = "NOT EXISTS (SELECT 1 FROM version_blobs WHERE hash = ?1)"
        let sets = try read { db in
            try hashes.filter { hash in
                try Bool.fetchOne(
                    db, sql: "SELECT \(unused) AND EXISTS (SELECT 1 FROM asset_sets WHERE blob = ?1)",
                    arguments: [hash]) ?? false
            }
        }
        guard !sets.isEmpty else { return [] }
        return try write { db, _ in
            var freed: Set<String> = []
            for set in sets {
                // It may have come into use meanwhile.
                guard try Bool.fetchOne(db, sql: "SELECT \(unused)", arguments: [set]) ?? false else { continue }
                freed.formUnion(
                    try String.fetchAll(
                        db, sql: "SELECT blob FROM asset_set_blobs WHERE set_blob = ?", arguments: [set]))
                try db.execute(sql: "DELETE FROM asset_set_blobs WHERE set_blob = ?", arguments: [set])
                try db.execute(sql: "DELETE FROM asset_sets WHERE blob = ?", arguments: [set])
            }
            return Array(freed)
        }
    }
}
