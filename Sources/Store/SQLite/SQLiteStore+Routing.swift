internal import GRDB
package import Model

extension SQLiteStore: RoutingFeed {
    /// How many revisions back `changes` reaches.
    private static let revisionsKept: Int64 = 10_000

    /// Writes into the transaction that something of the routing state has changed with it.
    static func note(_ key: RoutingKey, _ db: Database, _ revision: Int64) throws {
        let (kind, account, id) = columns(of: key)
        try db.execute(
            sql: "INSERT INTO changes (revision, kind, account, id) VALUES (?, ?, ?, ?)",
            arguments: [revision, kind, account, id])
        try db.execute(sql: "DELETE FROM changes WHERE revision < ?", arguments: [revision - revisionsKept])
        try noteFed(key.fed, db, revision)
    }

    private static func columns(of key: RoutingKey) -> (kind: String, account: String, id: String) {
        switch key {
        case .account(let id): ("account", "", id)
        case .script(let key): ("script", key.account, key.name)
        case .zone(let id): ("zone", "", id)
        case .domain(let id): ("domain", "", id)
        }
    }

    private static func key(kind: String, account: String, id: String) -> RoutingKey {
        switch kind {
        case "account": .account(id)
        case "script": .script(ScriptKey(account: account, name: id))
        case "zone": .zone(id)
        case "domain": .domain(id)
        default: preconditionFailure("a change of kind \(kind)")
        }
    }

    package func changes(after revision: Int64) throws -> RoutingSnapshot? {
        try read { db in
            let current = try Self.revision(db)
            guard revision <= current, revision >= current - Self.revisionsKept else { return nil }
            let rows = try Row.fetchAll(
                db, sql: "SELECT DISTINCT kind, account, id FROM changes WHERE revision > ?", arguments: [revision])
            let items = try rows.map { row in
                try Self.item(Self.key(kind: row["kind"], account: row["account"], id: row["id"]), db)
            }
            return RoutingSnapshot(revision: current, items: items)
        }
    }

    /// What stands under a key now.
    private static func item(_ key: RoutingKey, _ db: Database) throws -> RoutingItem {
        let item: RoutingItem? =
            switch key {
            case .account(let id):
                try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [id])
                    .map { .account(try RoutedAccount(row: $0)) }
            case .script(let key):
                try script(key, db).map {
                    .script(
                        RoutedScript(
                            key: key, isOnSubdomain: $0.isOnSubdomain, shares: $0.deployment?.shares ?? [],
                            cordon: $0.cordon))
                }
            case .zone(let id):
                try zone(id, db).map { .zone(RoutedZone(zone: $0, routes: try routes(of: id, db))) }
            case .domain(let id):
                try Row.fetchOne(db, sql: domainColumns + " WHERE domains.id = ?", arguments: [id])
                    .map { .domain(CustomDomain(row: $0)) }
            }
        return item ?? .removed(key)
    }

    package func snapshot() throws -> RoutingSnapshot {
        try read { db in
            var items = try Row.fetchAll(db, sql: "SELECT * FROM accounts")
                .map { RoutingItem.account(try RoutedAccount(row: $0)) }
            items += try Self.routedScripts(db).map { .script($0) }
            var routes: [String: [Route]] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM routes ORDER BY pattern") {
                routes[row["zone"], default: []].append(Route(row: row))
            }
            items += try Row.fetchAll(db, sql: "SELECT * FROM zones").map(Zone.init(row:))
                .map { .zone(RoutedZone(zone: $0, routes: routes[$0.id] ?? [])) }
            items += try Row.fetchAll(db, sql: Self.domainColumns).map { .domain(CustomDomain(row: $0)) }
            return RoutingSnapshot(revision: try Self.revision(db), items: items)
        }
    }

    /// In one query: there may be tens of thousands.
    private static func routedScripts(_ db: Database) throws -> [RoutedScript] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT account, name, on_subdomain, version, percentage, cordon FROM scripts
                LEFT JOIN shares ON shares.deployment = scripts.deployment ORDER BY account, name, position
                """)
        var scripts: [RoutedScript] = []
        while let row = try rows.next() {
            let key = ScriptKey(account: row[0], name: row[1])
            if scripts.last?.key != key {
                scripts.append(RoutedScript(key: key, isOnSubdomain: row[2], shares: [], cordon: row[5]))
            }
            if let version = row[3] as String? {
                scripts[scripts.count - 1].shares.append(Deployment.Share(version: version, percentage: row[4]))
            }
        }
        return scripts
    }
}

extension RoutingKey {
    fileprivate var fed: FeedKey {
        switch self {
        case .account(let id): FeedKey(.account, id)
        case .script(let key): FeedKey(.script, key.description)
        case .zone(let id): FeedKey(.zone, id)
        case .domain(let id): FeedKey(.domain, id)
        }
    }
}

extension RoutedAccount {
    init(row: Row) throws {
        self.init(
            id: row["id"], subdomain: row["subdomain"], isSuspended: row["suspended"],
            limits: try AccountLimits(row: row), cordon: row["cordon"], exhaustedOn: row["exhausted_on"])
    }
}
