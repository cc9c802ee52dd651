internal import GRDB
package import Model

extension SQLiteStore: ZoneStore {
    package func zones(of account: String?) throws -> [Zone] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM zones WHERE ?1 IS NULL OR account = ?1 ORDER BY name", arguments: [account]
            ).map(Zone.init(row:))
        }
    }

    package func zone(_ id: String) throws -> Zone? {
        try read { db in try Self.zone(id, db) }
    }

    static func zone(_ id: String, _ db: Database) throws -> Zone? {
        try Row.fetchOne(db, sql: "SELECT * FROM zones WHERE id = ?", arguments: [id]).map(Zone.init(row:))
    }

    private static func requireZone(_ id: String, _ db: Database) throws -> Zone {
        guard let zone = try zone(id, db) else { throw StoreError(.missing, "there is no zone \(id)") }
        return zone
    }

    package func add(_ zone: Zone) throws {
        try write { db, revision in
            for other in try Row.fetchAll(db, sql: "SELECT * FROM zones").map(Zone.init(row:)) {
                let overlaps =
                    HostName.isWithin(zone.name, domain: other.name) || HostName.isWithin(other.name, domain: zone.name)
                if zone.name == other.name || (overlaps && other.account != zone.account) {
                    throw StoreError(.conflict, "'\(zone.name)' overlaps a zone that is there already")
                }
            }
            try db.execute(
                sql: "INSERT INTO zones (id, account, name, origin, trusted, created_on) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    zone.id, zone.account, zone.name, zone.origin, zone.isOriginTrusted, zone.createdOn.milliseconds,
                ])
            try Self.note(.zone(zone.id), db, revision)
        }
    }

    package func update(_ zone: Zone) throws {
        try write { db, revision in
            try db.execute(
                sql: "UPDATE zones SET origin = ?, trusted = ? WHERE id = ?",
                arguments: [zone.origin, zone.isOriginTrusted, zone.id])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no zone \(zone.id)") }
            try Self.note(.zone(zone.id), db, revision)
        }
    }

    package func deleteZone(_ id: String) throws {
        try write { db, revision in
            for domain in try String.fetchAll(db, sql: "SELECT id FROM domains WHERE zone = ?", arguments: [id]) {
                try Self.note(.domain(domain), db, revision)
            }
            try Self.noteCertificates(ofZone: id, db, revision)
            try db.execute(sql: "DELETE FROM zones WHERE id = ?", arguments: [id])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no zone \(id)") }
            try Self.note(.zone(id), db, revision)
        }
    }

    package func allowedZones(of account: String) throws -> [String] {
        try read { db in
            try String.fetchAll(
                db, sql: "SELECT name FROM allowed_zones WHERE account = ? ORDER BY name", arguments: [account])
        }
    }

    package func allow(zone name: String, for account: String) throws {
        try write { db, _ in
            try db.execute(
                sql: "INSERT INTO allowed_zones (account, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [account, name])
        }
    }

    // MARK: Routes

    package func routes(of zone: String) throws -> [Route] {
        try read { db in try Self.routes(of: zone, db) }
    }

    static func routes(of zone: String, _ db: Database) throws -> [Route] {
        try Row.fetchAll(db, sql: "SELECT * FROM routes WHERE zone = ? ORDER BY pattern", arguments: [zone])
            .map(Route.init(row:))
    }

    package func put(_ route: Route, in zone: String) throws {
        try write { db, revision in
            try Self.put(route, in: try Self.requireZone(zone, db), db)
            try Self.note(.zone(zone), db, revision)
        }
    }

    private static func put(_ route: Route, in zone: Zone, _ db: Database) throws {
        let holder = try String.fetchOne(
            db, sql: "SELECT id FROM routes WHERE zone = ? AND pattern = ?", arguments: [zone.id, route.pattern])
        guard holder == nil || holder == route.id else {
            throw StoreError(.conflict, "there is a route with the pattern '\(route.pattern)' already")
        }
        try db.execute(
            sql: """
                INSERT INTO routes (id, zone, account, pattern, script) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET pattern = excluded.pattern, script = excluded.script
                """, arguments: [route.id, zone.id, zone.account, route.pattern, route.script])
    }

    package func deleteRoute(_ id: String, in zone: String) throws {
        try write { db, revision in
            try db.execute(sql: "DELETE FROM routes WHERE id = ? AND zone = ?", arguments: [id, zone])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no route \(id)") }
            try Self.note(.zone(zone), db, revision)
        }
    }

    package func replaceRoutes(
        of script: ScriptKey, with routes: [(zone: String, pattern: String)]
    ) throws -> [Route] {
        try write { db, revision in
            _ = try Self.require(script, db)
            let arguments: StatementArguments = [script.account, script.name]
            let old = try Row.fetchAll(
                db, sql: "SELECT * FROM routes WHERE account = ? AND script = ?", arguments: arguments)
            try db.execute(sql: "DELETE FROM routes WHERE account = ? AND script = ?", arguments: arguments)
            var zones = Set(old.map { $0["zone"] as String })
            var added: [Route] = []
            for (id, pattern) in routes {
                let zone = try Self.requireZone(id, db)
                let known = old.first { $0["zone"] == id && $0["pattern"] == pattern }
                let route = Route(id: known?["id"] ?? Identifier.hex(), pattern: pattern, script: script.name)
                try Self.put(route, in: zone, db)
                added.append(route)
                zones.insert(id)
            }
            for zone in zones { try Self.note(.zone(zone), db, revision) }
            return added
        }
    }

    // MARK: Custom domains

    package func domains(of account: String) throws -> [CustomDomain] {
        try read { db in
            try Row.fetchAll(
                db, sql: Self.domainColumns + " WHERE domains.account = ? ORDER BY hostname", arguments: [account]
            ).map(CustomDomain.init(row:))
        }
    }

    static let domainColumns = "SELECT domains.*, zones.name AS zone_name FROM domains JOIN zones ON zones.id = zone"

    package func put(_ domain: CustomDomain) throws -> CustomDomain {
        try write { db, revision in
            _ = try Self.require(domain.script, db)
            let row = try Row.fetchOne(
                db, sql: Self.domainColumns + " WHERE hostname = ?", arguments: [domain.hostname])
            var stored = domain
            if let row {
                stored = CustomDomain(row: row)
                guard stored.script.account == domain.script.account else {
                    throw StoreError(.conflict, "'\(domain.hostname)' is another account's")
                }
                stored.script = domain.script
            }
            try db.execute(
                sql: """
                    INSERT INTO domains (id, account, script, zone, hostname) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET script = excluded.script
                    """,
                arguments: [stored.id, stored.script.account, stored.script.name, stored.zone, stored.hostname])
            try Self.note(.domain(stored.id), db, revision)
            return stored
        }
    }

    package func deleteDomain(_ id: String, of account: String) throws {
        try write { db, revision in
            try db.execute(sql: "DELETE FROM domains WHERE id = ? AND account = ?", arguments: [id, account])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no custom domain \(id)") }
            try Self.note(.domain(id), db, revision)
        }
    }
}

extension Zone {
    init(row: Row) {
        self.init(
            id: row["id"], account: row["account"], name: row["name"], origin: row["origin"],
            isOriginTrusted: row["trusted"], createdOn: Timestamp(milliseconds: row["created_on"]))
    }
}

extension Route {
    init(row: Row) { self.init(id: row["id"], pattern: row["pattern"], script: row["script"]) }
}

extension CustomDomain {
    init(row: Row) {
        self.init(
            id: row["id"], hostname: row["hostname"], zone: row["zone"], zoneName: row["zone_name"],
            script: ScriptKey(account: row["account"], name: row["script"]))
    }
}
