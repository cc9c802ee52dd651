internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: ScriptStore, VersionSource {
    package func add(
        _ draft: VersionDraft, to key: ScriptKey, deploying deployment: Deployment?
    ) throws -> ScriptVersion {
        var version = draft.version
        var pinned: [String] = []
        var isAdded = false
        defer {
            for hash in pinned { blobs.unpin(hash) }
            // What was refused does not stay.
            if !isAdded { try? collect(pinned) }
        }
        // Durable before the transaction that refers to them.
        if let files = draft.files {
            version.modules = try files.map { file in
                let hash = try blobs.put(file.bytes)
                pinned.append(hash)
                return ScriptVersion.Module(
                    name: file.name, contentType: file.contentType, hash: hash, size: file.bytes.count)
            }
        }
        var setBytes = 0
        if let assets = draft.assets {
            let bytes = Array(try JSONText.of(assets).utf8)
            let set = try blobs.put(bytes)
            pinned.append(set)
            setBytes = bytes.count
            version.assets = ScriptVersion.Assets(
                set: set, count: assets.files.count, size: assets.files.values.reduce(0) { $0 + $1.size })
        }
        let (added, freed) = try write { db, revision in
            version.number = try Self.nextNumber(for: draft, of: key, db)
            if draft.files == nil, let base = draft.base {
                version.modules = try Self.version(base, of: key, db)?.modules ?? []
            }
            try insert(version, to: key, db)
            if let assets = draft.assets, let set = version.assets?.set {
                try Self.insert(assets, as: set, bytes: setBytes, of: key.account, db)
            }
            try insertSecrets(of: version, from: draft, key, db)
            try Self.setCodeBytes(of: version, db)
            if var deployment {
                deployment.shares = [Deployment.Share(version: version.id, percentage: 100)]
                try Self.insert(deployment, to: key, db)
            }
            let freed = try Self.prune(key, db)
            try Self.checkCode(of: key.account, isNew: version.number == 1, db)
            if draft.assets != nil { try Self.checkAssets(of: key.account, db) }
            try Self.note(.script(key), db, revision)
            return (version, freed)
        }
        isAdded = true
        try collect(freed)
        return added
    }

    /// Checks that nobody was faster, makes the script if there is none, and counts.
    private static func nextNumber(for draft: VersionDraft, of key: ScriptKey, _ db: Database) throws -> Int {
        let now = Timestamp.now.milliseconds
        let row = try Row.fetchOne(
            db, sql: "SELECT latest_version, latest_number FROM scripts WHERE account = ? AND name = ?",
            arguments: [key.account, key.name])
        let latest: String? = row?["latest_version"]
        guard latest == draft.base else {
            throw StoreError(.conflict, "'\(key.name)' was changed by somebody else at the same time")
        }
        if row == nil {
            let owner = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)", arguments: [key.account])
            guard owner == true else { throw StoreError(.missing, "there is no account \(key.account)") }
            try db.execute(
                sql: """
                    INSERT INTO scripts (account, name, tag, created_on, modified_on, on_subdomain, previews, settings,
                        latest_number) VALUES (?, ?, ?, ?, ?, 0, 0, '{}', 0)
                    """, arguments: [key.account, key.name, Identifier.hex(), now, now])
        }
        let number = (row?["latest_number"] ?? 0) + 1
        try db.execute(
            sql: """
                UPDATE scripts SET latest_version = ?, latest_number = ?, modified_on = ? WHERE account = ? AND name = ?
                """, arguments: [draft.version.id, number, now, key.account, key.name])
        return number
    }

    private func insert(_ version: ScriptVersion, to key: ScriptKey, _ db: Database) throws {
        let record = Data(try JSONText.of(version).utf8)
        try db.execute(
            sql: """
                INSERT INTO versions (id, account, script, number, record, checksum) VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [version.id, key.account, key.name, version.number, record, Checksum.short(record)])
        for hash in Set(version.modules.map(\.hash) + (version.assets.map { [$0.set] } ?? [])) {
            try db.execute(
                sql: "INSERT INTO version_blobs (version, hash) VALUES (?, ?)", arguments: [version.id, hash])
        }
    }

    /// New texts are encrypted; the others are the base's, as they are.
    private func insertSecrets(
        of version: ScriptVersion, from draft: VersionDraft, _ key: ScriptKey, _ db: Database
    ) throws {
        for binding in version.bindings where binding.isSecret {
            let sealed: Data
            if let text = draft.secrets[binding.name] {
                sealed = Data(try box.seal(Array(text.utf8), context: Self.context(key, binding.name)))
            } else if let base = draft.base,
                let old = try Data.fetchOne(
                    db, sql: "SELECT sealed FROM secrets WHERE version = ? AND name = ?",
                    arguments: [base, binding.name])
            {
                sealed = old
            } else {
                throw StoreError(.missing, "there is no text for the secret '\(binding.name)'")
            }
            try db.execute(
                sql: "INSERT INTO secrets (version, name, sealed) VALUES (?, ?, ?)",
                arguments: [version.id, binding.name, sealed])
        }
    }

    private static func context(_ key: ScriptKey, _ name: String) -> String { "\(key)/\(name)" }

    /// Deletes versions beyond those that are kept, save what the active deployment uses and the latest.
    /// - Returns: blobs that may have come out of use.
    private static func prune(_ key: ScriptKey, _ db: Database) throws -> [String] {
        let old = try String.fetchAll(
            db,
            sql: """
                SELECT id FROM versions WHERE account = ?1 AND script = ?2
                    AND number <= (SELECT max(number) FROM versions WHERE account = ?1 AND script = ?2) - ?3
                    AND id NOT IN (SELECT version FROM shares JOIN scripts ON scripts.deployment = shares.deployment
                        WHERE account = ?1 AND name = ?2)
                """, arguments: [key.account, key.name, versionsKept])
        var hashes: Set<String> = []
        for id in old {
            hashes.formUnion(
                try String.fetchAll(db, sql: "SELECT hash FROM version_blobs WHERE version = ?", arguments: [id]))
            try db.execute(sql: "DELETE FROM versions WHERE id = ?", arguments: [id])
        }
        return Array(hashes)
    }

    // MARK: Reading

    package func versions(of key: ScriptKey) throws -> [ScriptVersion] {
        try read { db in
            _ = try Self.require(key, db)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM versions WHERE account = ? AND script = ? ORDER BY number DESC",
                arguments: [key.account, key.name]
            ).map(ScriptVersion.init(row:))
        }
    }

    package func version(_ id: String, of key: ScriptKey) throws -> ScriptVersion? {
        try read { db in try Self.version(id, of: key, db) }
    }

    static func version(_ id: String, of key: ScriptKey, _ db: Database) throws -> ScriptVersion? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM versions WHERE id = ? AND account = ? AND script = ?",
            arguments: [id, key.account, key.name]
        ).map(ScriptVersion.init(row:))
    }

    package func files(of version: ScriptVersion) throws -> [VersionDraft.File] {
        try version.modules.map { module in
            VersionDraft.File(
                name: module.name, contentType: module.contentType, bytes: try blobs.get(module.hash))
        }
    }

    package func secrets(of version: String, script key: ScriptKey) throws -> [String: String] {
        try read { db in try secrets(of: version, script: key, db) }
    }

    func secrets(of version: String, script key: ScriptKey, _ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT name, sealed FROM secrets WHERE version = ?", arguments: [version])
        var texts: [String: String] = [:]
        for row in rows {
            let name: String = row["name"]
            let sealed: Data = row["sealed"]
            let text = try box.open(Array(sealed), context: Self.context(key, name))
            texts[name] = String(decoding: text, as: UTF8.self)
        }
        return texts
    }

    package func definition(ofVersion id: String, script key: ScriptKey) throws -> StoredWorker {
        guard let version = try version(id, of: key) else {
            throw StoreError(.missing, "there is no version \(id) of '\(key.name)'")
        }
        return StoredWorker(
            version: version, files: try files(of: version), secrets: try secrets(of: id, script: key),
            assets: try assets(of: version))
    }

    // MARK: Deployments

    package func deployments(of key: ScriptKey) throws -> [Deployment] {
        try read { db in
            _ = try Self.require(key, db)
            return try String.fetchAll(
                db, sql: "SELECT id FROM deployments WHERE account = ? AND script = ? ORDER BY sequence DESC",
                arguments: [key.account, key.name]
            ).compactMap { try Deployment.fetch($0, db) }
        }
    }

    package func add(_ deployment: Deployment, to key: ScriptKey) throws {
        try write { db, revision in
            _ = try Self.require(key, db)
            for share in deployment.shares where try Self.version(share.version, of: key, db) == nil {
                throw StoreError(.missing, "there is no version \(share.version) of '\(key.name)'")
            }
            try Self.insert(deployment, to: key, db)
            try Self.note(.script(key), db, revision)
        }
    }

    static func insert(_ deployment: Deployment, to key: ScriptKey, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO deployments (id, account, script, created_on, source, author, annotations)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                deployment.id, key.account, key.name, deployment.createdOn.milliseconds, deployment.source,
                deployment.author, try JSONText.of(deployment.annotations),
            ])
        for (position, share) in deployment.shares.enumerated() {
            try db.execute(
                sql: "INSERT INTO shares (deployment, position, version, percentage) VALUES (?, ?, ?, ?)",
                arguments: [deployment.id, position, share.version, share.percentage])
        }
        try db.execute(
            sql: "UPDATE scripts SET deployment = ?, modified_on = ? WHERE account = ? AND name = ?",
            arguments: [deployment.id, deployment.createdOn.milliseconds, key.account, key.name])
        try db.execute(
            sql: """
                DELETE FROM deployments WHERE account = ?1 AND script = ?2 AND sequence <= (
                    SELECT sequence FROM deployments WHERE account = ?1 AND script = ?2
                    ORDER BY sequence DESC LIMIT 1 OFFSET ?3)
                """, arguments: [key.account, key.name, deploymentsKept])
    }
}

extension Deployment {
    static func fetch(_ id: String, _ db: Database) throws -> Deployment? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM deployments WHERE id = ?", arguments: [id]) else {
            return nil
        }
        let shares = try Row.fetchAll(
            db, sql: "SELECT * FROM shares WHERE deployment = ? ORDER BY position", arguments: [id])
        return Deployment(
            id: id, createdOn: Timestamp(milliseconds: row["created_on"]), source: row["source"],
            author: row["author"], annotations: try JSONText.value([String: String].self, of: row["annotations"]),
            shares: shares.map { Share(version: $0["version"], percentage: $0["percentage"]) })
    }
}

extension ScriptVersion {
    /// Throws `damaged` if the record is not what was written.
    fileprivate init(row: Row) throws {
        let record: Data = row["record"]
        let checksum: Int64 = row["checksum"]
        let id: String = row["id"]
        guard Checksum.short(record) == checksum,
            let version = try? JSONDecoder().decode(ScriptVersion.self, from: record)
        else {
            throw StoreError(.damaged, "\(DataFolder.database) is damaged: version \(id)")
        }
        self = version
    }
}
