internal import Crypto
internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: AccountStore {
    package func accounts() throws -> [Account] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM accounts ORDER BY rowid").map { try Account(row: $0) }
        }
    }

    package func account(_ id: String) throws -> Account? {
        try read { db in try Self.account(id, db) }
    }

    private static func account(_ id: String, _ db: Database) throws -> Account? {
        try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [id]).map { try Account(row: $0) }
    }

    package func add(_ account: Account) throws {
        try write { db, revision in
            try db.execute(
                sql: """
                    INSERT INTO accounts (id, name, created_on, suspended, subdomain, limits, cordon)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    account.id, account.name, account.createdOn.milliseconds, account.isSuspended, account.subdomain,
                    try JSONText.of(account.limits), account.cordon,
                ])
            try Self.note(.account(account.id), db, revision)
        }
    }

    @discardableResult
    package func updateAccount(_ id: String, _ change: (inout Account) -> Void) throws -> Account {
        try write { db, revision in
            guard var account = try Self.account(id, db) else {
                throw StoreError(.missing, "there is no account \(id)")
            }
            change(&account)
            if let subdomain = account.subdomain {
                let holder = try String.fetchOne(
                    db, sql: "SELECT id FROM accounts WHERE subdomain = ?", arguments: [subdomain])
                guard holder == nil || holder == id else {
                    throw StoreError(.conflict, "another account has the subdomain '\(subdomain)'")
                }
            }
            try db.execute(
                sql: """
                    UPDATE accounts SET name = ?, suspended = ?, subdomain = ?, limits = ?, cordon = ? WHERE id = ?
                    """,
                arguments: [
                    account.name, account.isSuspended, account.subdomain, try JSONText.of(account.limits),
                    account.cordon, id,
                ])
            try Self.judge(id, db, revision)
            try Self.note(.account(id), db, revision)
            return account
        }
    }

    package func deleteAccount(_ id: String) throws {
        let freed = try write { db, revision in
            let hashes = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT hash FROM version_blobs JOIN versions ON versions.id = version
                    WHERE account = ?1 UNION SELECT blob FROM asset_uploads WHERE account = ?1
                    """, arguments: [id])
            for name in try String.fetchAll(db, sql: "SELECT name FROM scripts WHERE account = ?", arguments: [id]) {
                try Self.note(.script(ScriptKey(account: id, name: name)), db, revision)
            }
            for zone in try String.fetchAll(db, sql: "SELECT id FROM zones WHERE account = ?", arguments: [id]) {
                try Self.note(.zone(zone), db, revision)
            }
            for domain in try String.fetchAll(db, sql: "SELECT id FROM domains WHERE account = ?", arguments: [id]) {
                try Self.note(.domain(domain), db, revision)
            }
            try Self.noteCertificates(ofAccount: id, db, revision)
            let namespaces = "SELECT id FROM kv_namespaces WHERE account = ?"
            for namespace in try String.fetchAll(db, sql: namespaces, arguments: [id]) {
                try Self.noteFed(FeedKey(.namespace, namespace), db, revision)
            }
            try db.execute(sql: "DELETE FROM accounts WHERE id = ?", arguments: [id])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no account \(id)") }
            try Self.note(.account(id), db, revision)
            return hashes
        }
        try collect(freed)
    }

    package func isTaken(subdomain: String) throws -> Bool {
        try read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM accounts WHERE subdomain = ?)", arguments: [subdomain]) ?? false
        }
    }

    // MARK: Tokens

    package func tokens(of account: String?) throws -> [Token] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM tokens WHERE account IS ? ORDER BY rowid", arguments: [account]
            ).map(Token.init(row:))
        }
    }

    package func add(_ token: Token, secret: String) throws {
        try write { db, _ in
            try db.execute(
                sql: "INSERT INTO tokens (id, account, name, scope, hash, created_on) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    token.id, token.account, token.name, token.scope.rawValue, Self.hash(secret),
                    token.createdOn.milliseconds,
                ])
        }
    }

    /// The index is asked for a hash, which tells nobody how much of a guess was right; then all of it is compared, in
    /// constant time. A slow hash is for secrets that people make up: these have 256 random bits.
    package func token(forSecret secret: String) throws -> Token? {
        let hash = Self.hash(secret)
        let row = try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM tokens WHERE hash = ?", arguments: [hash])
        }
        guard let row else { return nil }
        let stored: Data = row["hash"]
        let difference = zip(stored, hash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return stored.count == hash.count && difference == 0 ? Token(row: row) : nil
    }

    package func deleteToken(_ id: String, of account: String?) throws {
        try write { db, _ in
            try db.execute(sql: "DELETE FROM tokens WHERE id = ? AND account IS ?", arguments: [id, account])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no token \(id)") }
        }
    }

    private static func hash(_ secret: String) -> Data { Data(SHA256.hash(data: Data(secret.utf8))) }
}

extension Account {
    fileprivate init(row: Row) throws {
        self.init(
            id: row["id"], name: row["name"], createdOn: Timestamp(milliseconds: row["created_on"]),
            isSuspended: row["suspended"], subdomain: row["subdomain"], limits: try AccountLimits(row: row),
            cordon: row["cordon"])
    }
}

extension AccountLimits {
    init(row: Row) throws {
        let text: String? = row["limits"]
        self = try text.map { try JSONText.value(AccountLimits.self, of: $0) } ?? AccountLimits()
    }
}

extension Token {
    fileprivate init(row: Row) {
        guard let scope = Scope(rawValue: row["scope"]) else { preconditionFailure("a scope that is none of ours") }
        self.init(
            id: row["id"], account: row["account"], name: row["name"], scope: scope,
            createdOn: Timestamp(milliseconds: row["created_on"]))
    }
}
