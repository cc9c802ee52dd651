internal import Crypto
internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: LocationStore {
    package func locations() throws -> [Location] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM locations ORDER BY id").map { try Location(row: $0) }
        }
    }

    package func location(_ id: String) throws -> Location? {
        try read { db in
            try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT * FROM locations WHERE id = ?"), arguments: [id]
            ).map { try Location(row: $0) }
        }
    }

    package func add(_ location: Location, secret: String) throws {
        try write { db, _ in
            let isTaken = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM locations WHERE id = ?)", arguments: [location.id])
            guard isTaken != true else {
                throw StoreError(.conflict, "there is a location '\(location.id)' already")
            }
            try db.execute(
                sql: "INSERT INTO locations (id, key, accounts, hash, created_on) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    location.id, Data(location.key), try location.accounts.map { try JSONText.of($0.sorted()) },
                    Data(SHA256.hash(data: Data(secret.utf8))), location.createdOn.milliseconds,
                ])
        }
    }

    package func location(forSecret secret: String) throws -> Location? {
        let hash = Data(SHA256.hash(data: Data(secret.utf8)))
        return try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM locations WHERE hash = ?", arguments: [hash])
                .map { try Location(row: $0) }
        }
    }

    package func secretHash(ofLocation id: String) throws -> [UInt8]? {
        try read { db in
            try Data.fetchOne(db, sql: "SELECT hash FROM locations WHERE id = ?", arguments: [id]).map { Array($0) }
        }
    }

    package func removeLocation(_ id: String) throws {
        try write { db, revision in
            try db.execute(sql: "DELETE FROM locations WHERE id = ?", arguments: [id])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no location '\(id)'") }
            // Whoever has its files can read no secret that is set from now on, nor those of new records.
            try Self.setMeta("feed keys", try feedSecretKey(db).generation + 1, db)
            try Self.noteCertificates(db, revision)
            let scripts = try Row.fetchAll(
                db, sql: "SELECT DISTINCT account, script FROM versions JOIN secrets ON version = versions.id")
            for row in scripts {
                let key = ScriptKey(account: row["account"], name: row["script"])
                try Self.noteFed(FeedKey(.script, key.description), db, revision)
            }
        }
    }
}

extension Location {
    fileprivate init(row: Row) throws {
        let key: Data = row["key"]
        let accounts: String? = row["accounts"]
        self.init(
            id: row["id"], key: Array(key),
            accounts: try accounts.map { Set(try JSONText.value([String].self, of: $0)) },
            createdOn: Timestamp(milliseconds: row["created_on"]))
    }
}
