internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore {
    package func scripts(of account: String) throws -> [Script] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM scripts WHERE account = ? ORDER BY name", arguments: [account])
                .map { try Script(row: $0, db) }
        }
    }

    package func script(_ key: ScriptKey) throws -> Script? {
        try read { db in try Self.script(key, db) }
    }

    static func script(_ key: ScriptKey, _ db: Database) throws -> Script? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM scripts WHERE account = ? AND name = ?", arguments: [key.account, key.name]
        ).map { try Script(row: $0, db) }
    }

    static func require(_ key: ScriptKey, _ db: Database) throws -> Script {
        guard let script = try script(key, db) else {
            throw StoreError(.missing, "there is no script '\(key.name)'")
        }
        return script
    }

    package func update(_ key: ScriptKey, _ change: (inout Script) -> Void) throws {
        try write { db, revision in
            var script = try Self.require(key, db)
            change(&script)
            try db.execute(
                sql: """
                    UPDATE scripts SET modified_on = ?, on_subdomain = ?, previews = ?, settings = ?, cordon = ?
                    WHERE account = ? AND name = ?
                    """,
                arguments: [
                    Timestamp.now.milliseconds, script.isOnSubdomain, script.hasPreviews,
                    try JSONText.of(script.settings), script.cordon, key.account, key.name,
                ])
            try Self.note(.script(key), db, revision)
        }
    }

    package func deleteScript(_ key: ScriptKey) throws {
        let freed = try write { db, revision in
            _ = try Self.require(key, db)
            let hashes = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT hash FROM version_blobs JOIN versions ON versions.id = version
                    WHERE account = ? AND script = ?
                    """, arguments: [key.account, key.name])
            let zones = try String.fetchAll(
                db, sql: "SELECT DISTINCT zone FROM routes WHERE account = ? AND script = ?",
                arguments: [key.account, key.name])
            let domains = try String.fetchAll(
                db, sql: "SELECT id FROM domains WHERE account = ? AND script = ?",
                arguments: [key.account, key.name])
            try db.execute(
                sql: "DELETE FROM routes WHERE account = ? AND script = ?", arguments: [key.account, key.name])
            try db.execute(
                sql: "DELETE FROM scripts WHERE account = ? AND name = ?", arguments: [key.account, key.name])
            try Self.note(.script(key), db, revision)
            for zone in zones { try Self.note(.zone(zone), db, revision) }
            for domain in domains { try Self.note(.domain(domain), db, revision) }
            return hashes
        }
        try collect(freed)
    }

    /// Deletes those of the blobs that nothing refers to; of assets also those that no version's set has any more.
    func collect(_ hashes: [String]) throws {
        let ofSets = try dropUnusedSets(among: hashes)
        try blobs.collect(hashes + ofSets) { hash in
            try read { db in
                try Bool.fetchOne(
                    db,
                    sql: """
                        SELECT NOT EXISTS (SELECT 1 FROM version_blobs WHERE hash = ?1)
                            AND NOT EXISTS (SELECT 1 FROM asset_set_blobs WHERE blob = ?1)
                            AND NOT EXISTS (SELECT 1 FROM asset_uploads WHERE blob = ?1)
                        """, arguments: [hash]) ?? false
            }
        }
    }
}

extension Script {
    init(row: Row, _ db: Database) throws {
        let deployment: String? = row["deployment"]
        self.init(
            key: ScriptKey(account: row["account"], name: row["name"]), tag: row["tag"],
            createdOn: Timestamp(milliseconds: row["created_on"]),
            modifiedOn: Timestamp(milliseconds: row["modified_on"]), isOnSubdomain: row["on_subdomain"],
            hasPreviews: row["previews"], settings: try JSONText.value([String: JSONValue].self, of: row["settings"]),
            latestVersion: row["latest_version"],
            deployment: try deployment.flatMap { try Deployment.fetch($0, db) }, cordon: row["cordon"])
    }
}

/// JSON in a column.
enum JSONText {
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, of text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw StoreError(.damaged, "\(DataFolder.database) is damaged: a record of type \(type)")
        }
    }
}
