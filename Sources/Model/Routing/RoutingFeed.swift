/// All that the data plane needs to find the Worker for a request, as of one revision. A value that can be sent to
/// another process.
package struct RoutingSnapshot: Sendable, Equatable, Codable {
    package var revision: Int64
    package var items: [RoutingItem]

    package init(revision: Int64, items: [RoutingItem]) {
        self.revision = revision
        self.items = items
    }
}

/// One thing of the routing state, as it is now. It replaces what was known under its key.
package enum RoutingItem: Sendable, Equatable, Codable {
    case account(RoutedAccount)
    case script(RoutedScript)
    case zone(RoutedZone)
    case domain(CustomDomain)
    /// It is gone.
    case removed(RoutingKey)

    package var key: RoutingKey {
        switch self {
        case .account(let account): .account(account.id)
        case .script(let script): .script(script.key)
        case .zone(let zone): .zone(zone.zone.id)
        case .domain(let domain): .domain(domain.id)
        case .removed(let key): key
        }
    }
}

/// Names a `RoutingItem`.
package enum RoutingKey: Sendable, Hashable, Codable {
    case account(String)
    case script(ScriptKey)
    case zone(String)
    case domain(String)
}

package struct RoutedAccount: Sendable, Equatable, Codable {
    package var id: String
    package var subdomain: String?
    package var isSuspended: Bool
    package var limits: AccountLimits
    /// Where its scripts run that say nothing else; nil: where all do.
    package var cordon: String?
    /// The last day on which it used up what it may have on one, all locations together; days since 1970, UTC.
    package var exhaustedOn: Int64?

    package init(
        id: String, subdomain: String?, isSuspended: Bool, limits: AccountLimits = AccountLimits(),
        cordon: String? = nil, exhaustedOn: Int64? = nil
    ) {
        self.exhaustedOn = exhaustedOn
        self.cordon = cordon
        self.limits = limits
        self.id = id
        self.subdomain = subdomain
        self.isSuspended = isSuspended
    }
}

package struct RoutedScript: Sendable, Equatable, Codable {
    package var key: ScriptKey
    package var isOnSubdomain: Bool
    /// Of the active deployment; empty if there is none.
    package var shares: [Deployment.Share]
    /// Where it runs; nil: where its account's do.
    package var cordon: String?
    /// It does not run for some time, after it has crashed its host.
    package var isPaused: Bool?

    package init(key: ScriptKey, isOnSubdomain: Bool, shares: [Deployment.Share], cordon: String? = nil) {
        self.cordon = cordon
        self.key = key
        self.isOnSubdomain = isOnSubdomain
        self.shares = shares
    }
}

package struct RoutedZone: Sendable, Equatable, Codable {
    package var zone: Zone
    package var routes: [Route]

    package init(zone: Zone, routes: [Route]) {
        self.zone = zone
        self.routes = routes
    }
}

/// Where the data plane learns what it serves: a snapshot, then what changed after its revision.
package protocol RoutingFeed: Sendable {
    func snapshot() throws -> RoutingSnapshot
    /// What changed after a revision, as it is now.
    /// - Returns: nil if that is no longer known: take a new snapshot.
    func changes(after revision: Int64) throws -> RoutingSnapshot?
    /// Calls back after each change, on the thread that made it and before it is told that it is done.
    func observe(_ changed: @escaping @Sendable () -> Void)
}

/// Where the data plane gets the code of a version, when it is first asked for.
package protocol VersionSource: AssetSource {
    /// - Throws: `missing`, `damaged`.
    func definition(ofVersion id: String, script: ScriptKey) throws -> StoredWorker
}

/// A version with all that is needed to run it.
package struct StoredWorker: Sendable {
    package var version: ScriptVersion
    package var files: [VersionDraft.File]
    /// Texts of its secrets, by binding.
    package var secrets: [String: String]
    package var assets: AssetSet?

    package init(
        version: ScriptVersion, files: [VersionDraft.File], secrets: [String: String], assets: AssetSet? = nil
    ) {
        self.assets = assets
        self.version = version
        self.files = files
        self.secrets = secrets
    }
}
