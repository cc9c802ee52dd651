internal import Crypto
internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

extension EdgeStore: RoutingFeed, VersionSource {
    package func snapshot() throws -> RoutingSnapshot {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT kind, id, brief, CASE WHEN brief IS NULL THEN value END AS value FROM records
                    WHERE generation = ? AND kind < ? AND hash IS NOT NULL
                    """,
                arguments: [try Self.generation(db), Int(FeedKey.Kind.namespace.rawValue)])
            var items: [RoutingItem] = []
            while let row = try rows.next() { items.append(try Self.item(row)) }
            return RoutingSnapshot(revision: try Self.change(db), items: items)
        }
    }

    private static func change(_ db: Database) throws -> Int64 { try SQLiteStore.meta("change", db) ?? 0 }

    /// Revisions count the changes of this copy; a copy that was made anew needs a new snapshot.
    package func changes(after revision: Int64) throws -> RoutingSnapshot? {
        try read { db in
            let now = try Self.change(db)
            let floor: Int64 = try SQLiteStore.meta("floor", db) ?? 0
            guard revision <= now, revision >= floor else { return nil }
            let items = try db.oftenRows(
                """
                SELECT kind, id, brief, CASE WHEN brief IS NULL THEN value END AS value FROM records
                WHERE change > ? AND kind < \(FeedKey.Kind.namespace.rawValue) AND generation = ?
                """, [revision, try Self.generation(db)]
            ).map(Self.item)
            return RoutingSnapshot(revision: now, items: items)
        }
    }

    private static func item(_ row: Row) throws -> RoutingItem {
        let key = FeedKey(row: row)
        if key.kind == .script {
            guard let script = ScriptKey(fed: key.id) else {
                throw StoreError(.damaged, "\(file) is damaged: Worker '\(key.id)'")
            }
            guard let brief: String = row["brief"], let routed = EdgeRow.script(script, brief: brief) else {
                return .removed(.script(script))
            }
            return .script(routed)
        }
        let bytes: Data? = row["value"]
        guard let text = bytes.map({ String(decoding: $0, as: UTF8.self) }) else { return .removed(key.routing) }
        switch key.kind {
        case .account: return .account(try JSONText.value(RoutedAccount.self, of: text))
        case .zone: return .zone(try JSONText.value(RoutedZone.self, of: text))
        case .domain: return .domain(try JSONText.value(CustomDomain.self, of: text))
        case .script, .namespace, .entry, .certificate:
            preconditionFailure("a record that routes are not made of")
        }
    }

    // MARK: Versions

    package func definition(ofVersion id: String, script key: ScriptKey) throws -> StoredWorker {
        do {
            let worker = try readDefinition(ofVersion: id, script: key)
            failures.withLock { $0[id] = nil }
            return worker
        } catch {
            failures.withLock { $0[id] = (key, "\(error)") }
            throw error
        }
    }

    /// Workers that are served and cannot be read here: why, by "account/name".
    package func broken() throws -> [String: String] {
        let failures = failures.withLock { $0 }
        guard !failures.isEmpty else { return [:] }
        return try read { db in
            var broken: [String: String] = [:]
            for (version, failure) in failures
            where try Self.script(failure.script, db)?.versions.contains(where: { $0.id == version }) == true {
                broken[failure.script.description] = failure.why
            }
            return broken
        }
    }

    private func readDefinition(ofVersion id: String, script key: ScriptKey) throws -> StoredWorker {
        try read { db in
            guard let script = try Self.script(with: id, key, db),
                let version = script.versions.first(where: { $0.id == id })
            else { throw StoreError(.missing, "there is no version \(id) of '\(key.name)' here") }
            let files = try version.modules.map { module in
                VersionDraft.File(
                    name: module.name, contentType: module.contentType, bytes: try Self.blob(module.hash, db))
            }
            let assets = try version.assets.map {
                try JSONText.value(AssetSet.self, of: String(decoding: try Self.blob($0.set, db), as: UTF8.self))
            }
            return StoredWorker(
                version: version, files: files, secrets: try secrets(of: id, script, key), assets: assets)
        }
    }

    /// The Worker as it is, or as it was a moment ago, with that version.
    private static func script(with version: String, _ key: ScriptKey, _ db: Database) throws -> FedScript? {
        if let script = try script(key, db), script.versions.contains(where: { $0.id == version }) { return script }
        let former = try Data.fetchAll(
            db, sql: "SELECT value FROM former WHERE id = ? ORDER BY retired_on DESC",
            arguments: [Data(key.description.utf8)])
        for value in former {
            let script = try EdgeRow.script(Array(value))
            if script.versions.contains(where: { $0.id == version }) { return script }
        }
        return nil
    }

    private static func script(_ key: ScriptKey, _ db: Database) throws -> FedScript? {
        let value: Data? = try db.oftenValue(
            "SELECT value FROM records WHERE generation = ? AND kind = ? AND id = ?",
            [try generation(db), Int(FeedKey.Kind.script.rawValue), Data(key.description.utf8)])
        guard let bytes = value else { return nil }
        return try EdgeRow.script(Array(bytes))
    }

    private static func blob(_ hash: String, _ db: Database) throws -> [UInt8] {
        guard let bytes = try bytes(of: hash, db) else { throw StoreError(.damaged, "blob \(hash) is gone") }
        guard Checksum.hex(bytes) == hash else { throw StoreError(.damaged, "blob \(hash) is damaged") }
        return bytes
    }

    private func secrets(of version: String, _ script: FedScript, _ key: ScriptKey) throws -> [String: String] {
        guard let secrets = script.secrets[version] else { return [:] }
        guard let box = secretBox(generation: secrets.generation, account: key.account) else {
            throw StoreError(.unusable, "the key of the secrets of '\(key.name)' has not come to this location")
        }
        return try Dictionary(
            uniqueKeysWithValues: secrets.sealed.map { ($0, try box.open($1, context: "\(key)/\($0)")) })
    }

    /// Opens what is sealed for an account; nil if the key has not come.
    func secretBox(generation: Int64, account: String) -> FeedSecretBox? {
        keys.withLock { $0 }.first { own in
            own.generation == generation && (own.account == nil || own.account == account)
        }.map { FeedSecretBox($0, account: account) }
    }

    // MARK: Assets

    package func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8] {
        if checked.withLock({ $0.contains(blob) }) {
            let piece = try read { db in
                try Data.fetchOne(
                    db, sql: "SELECT substr(bytes, ?, ?) FROM blobs WHERE hash = ?",
                    arguments: [offset + 1, count, blob])
            }
            if let piece { return Array(piece) }
        }
        let bytes = try wholeBlob(blob)
        checked.withLock { _ = $0.insert(blob) }
        return Array(bytes.dropFirst(offset).prefix(count))
    }

    /// Asks the control node for what is not here yet.
    private func wholeBlob(_ hash: String) throws -> [UInt8] {
        if try read({ db in try Self.has(hash, db) }) { return try read { db in try Self.blob(hash, db) } }
        guard let fetch = fetchBlob.withLock({ $0 }) else {
            throw StoreError(.damaged, "blob \(hash) has not come to this location yet")
        }
        do {
            let bytes = try fetch(hash)
            try add(blob: bytes, hash: hash)
            return bytes
        } catch {
            throw StoreError(.damaged, "blob \(hash) has not come to this location yet: \(error)")
        }
    }

    // MARK: Keys of secrets

    package func add(secretKeys new: [FeedSecretKey], sealed: [UInt8]) throws {
        guard let generation = new.map(\.generation).max() else { return }
        try write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO secret_keys (generation, sealed) VALUES (?, ?)",
                arguments: [generation, Data(sealed)])
            // Records that are sealed with the one before may still be on their way to being replaced.
            try db.execute(sql: "DELETE FROM secret_keys WHERE generation < ?", arguments: [generation - 1])
        }
        take(new)
        // What could not be opened before may be now.
        tell()
    }

    private func take(_ new: [FeedSecretKey]) {
        keys.withLock { keys in
            keys.removeAll { old in new.contains { $0.generation == old.generation } }
            keys += new
        }
    }

    /// Opens the keys that came before.
    /// - Parameter open: with the location's own key.
    package func unlock(_ open: (_ sealed: [UInt8]) throws -> [FeedSecretKey]) throws {
        let stored = try read { db in try Data.fetchAll(db, sql: "SELECT sealed FROM secret_keys") }
        for sealed in stored { take(try open(Array(sealed))) }
    }
}

extension FeedKey {
    fileprivate var routing: RoutingKey {
        switch kind {
        case .account: .account(id)
        case .zone: .zone(id)
        case .domain: .domain(id)
        case .script, .namespace, .entry, .certificate: preconditionFailure("a record that routes are not made of")
        }
    }
}
