// The store as the control plane and the data plane see it. Every call may wait for the disk: never call one on a
// lane or an event loop. What changes something is one transaction, durable when the call returns; errors are
// `StoreError`s.

/// All of it.
package typealias PlatformStore = AccountStore & AssetStore & CertificateStorage & FeedTruth & KVStore & LocationStore
    & RoutingFeed & ScheduleStore & ScriptStore & UsageStore & VersionSource & ZoneStore

package protocol AccountStore: Sendable {
    func accounts() throws -> [Account]
    func account(_ id: String) throws -> Account?
    func add(_ account: Account) throws
    /// Changes what the account is by then: no change that comes between is lost. Throws `missing`, or `conflict` if
    /// another account has the subdomain.
    /// - Returns: what it is now.
    @discardableResult
    func updateAccount(_ id: String, _ change: (inout Account) -> Void) throws -> Account
    /// Deletes all that it owns, too.
    func deleteAccount(_ id: String) throws
    /// What it has in the store.
    func storedAmounts(of account: String) throws -> StoredAmounts
    /// Whether an account has that subdomain.
    func isTaken(subdomain: String) throws -> Bool

    /// Those of one account; nil for the operator's.
    func tokens(of account: String?) throws -> [Token]
    /// - Parameter secret: what the holder shows. Only its hash is stored.
    func add(_ token: Token, secret: String) throws
    /// Compares in constant time.
    func token(forSecret secret: String) throws -> Token?
    func deleteToken(_ id: String, of account: String?) throws
}

/// Code and secrets for a new version.
package struct VersionDraft: Sendable {
    package struct File: Sendable {
        package var name: String
        package var contentType: String
        package var bytes: [UInt8]

        package init(name: String, contentType: String, bytes: [UInt8]) {
            self.name = name
            self.contentType = contentType
            self.bytes = bytes
        }
    }

    /// `modules` and `number` are filled in by the store. A secret binding takes its text from `secrets`, or else from
    /// the version that the draft is based on.
    package var version: ScriptVersion
    /// The main module first; nil keeps the files of the version that the draft is based on.
    package var files: [File]?
    /// Texts of new secrets, by binding.
    package var secrets: [String: String]
    /// New assets, all of which the account has uploaded; nil leaves the version those that it names, or none.
    package var assets: AssetSet?
    /// The script's latest version when the draft was made; nil if there was no script.
    package var base: String?

    package init(
        version: ScriptVersion, files: [File]?, secrets: [String: String], base: String?, assets: AssetSet? = nil
    ) {
        self.assets = assets
        self.version = version
        self.files = files
        self.secrets = secrets
        self.base = base
    }
}

package protocol ScriptStore: Sendable {
    /// By name.
    func scripts(of account: String) throws -> [Script]
    func script(_ key: ScriptKey) throws -> Script?
    /// Makes the script if there is none. Keeps the last `versionsKept`.
    /// - Parameter deployment: made with the version, with it at 100 percent.
    /// - Throws: `conflict` if the latest version is not the draft's base.
    func add(_ draft: VersionDraft, to key: ScriptKey, deploying deployment: Deployment?) throws -> ScriptVersion
    /// Throws `missing` if there is no such script.
    func update(_ key: ScriptKey, _ change: (inout Script) -> Void) throws
    func deleteScript(_ key: ScriptKey) throws
    /// Newest first.
    func versions(of key: ScriptKey) throws -> [ScriptVersion]
    func version(_ id: String, of key: ScriptKey) throws -> ScriptVersion?
    /// The bytes of a version's modules, in order.
    func files(of version: ScriptVersion) throws -> [VersionDraft.File]
    /// The texts of a version's secrets, by binding. For the runtime only.
    func secrets(of version: String, script: ScriptKey) throws -> [String: String]
    /// Newest first; the first is active.
    func deployments(of key: ScriptKey) throws -> [Deployment]
    /// Throws `missing` if a version is not there.
    func add(_ deployment: Deployment, to key: ScriptKey) throws
    func schedules(of key: ScriptKey) throws -> [Schedule]
    func replaceSchedules(of key: ScriptKey, with crons: [String]) throws -> [Schedule]
}

/// How many of a script's versions are kept. Those that a deployment uses are kept besides.
package let versionsKept = 100
/// How many of its deployments are; the last is the one in force.
package let deploymentsKept = 100

package protocol ZoneStore: Sendable {
    /// Those of one account, by name; of all if nil.
    func zones(of account: String?) throws -> [Zone]
    func zone(_ id: String) throws -> Zone?
    /// Throws `conflict` if the name, or one above or below it, is another account's.
    func add(_ zone: Zone) throws
    func update(_ zone: Zone) throws
    func deleteZone(_ id: String) throws
    /// Domains under which an account may add zones itself.
    func allowedZones(of account: String) throws -> [String]
    func allow(zone name: String, for account: String) throws

    func routes(of zone: String) throws -> [Route]
    /// Throws `conflict` if another route has the pattern.
    func put(_ route: Route, in zone: String) throws
    func deleteRoute(_ id: String, in zone: String) throws
    /// Makes these the routes of the script: each with its zone.
    func replaceRoutes(of script: ScriptKey, with routes: [(zone: String, pattern: String)]) throws -> [Route]

    func domains(of account: String) throws -> [CustomDomain]
    /// Throws `conflict` if the host name is another account's. Replaces the script of one's own.
    func put(_ domain: CustomDomain) throws -> CustomDomain
    func deleteDomain(_ id: String, of account: String) throws
}

package protocol CertificateStorage: CertificateSource {
    /// Those of a zone, in the order in which they were uploaded.
    func certificates(of zone: String) throws -> [ZoneCertificate]
    /// Adds one, or takes the place of that with its id. Throws `missing` if there is no such zone.
    /// - Parameter key: PEM. It is stored encrypted.
    func put(_ certificate: ZoneCertificate, key: String) throws
    func deleteCertificate(_ id: String, in zone: String) throws
}

package protocol KVStore: ValueStore {
    func namespaces(of account: String) throws -> [KVNamespace]
    func namespace(_ id: String, of account: String) throws -> KVNamespace?
    /// Throws `conflict` if the account has that title.
    func add(_ namespace: KVNamespace, to account: String) throws
    func rename(_ namespace: KVNamespace, of account: String) throws
    func deleteNamespace(_ id: String, of account: String) throws
}

/// The part of KV that Workers see.
package protocol ValueStore: Sendable {
    /// nil also for what has expired.
    func entry(_ key: String, in namespace: String) throws -> KVEntry?
    /// The same for the first of some keys, one at least: no more are read when there are `KVLimits.batchBytes`.
    func entries(_ keys: [String], in namespace: String) throws -> [KVEntry?]
    /// All or none.
    func put(_ entries: [(key: String, entry: KVEntry)], in namespace: String) throws
    func delete(_ keys: [String], in namespace: String) throws
    /// - Parameter after: the key behind which the page begins.
    func keys(in namespace: String, prefix: String, after: String?, limit: Int) throws -> KVPage
}

extension ValueStore {
    package func entries(_ keys: [String], in namespace: String) throws -> [KVEntry?] {
        var entries: [KVEntry?] = []
        var bytes = 0
        for key in keys where bytes < KVLimits.batchBytes {
            let entry = try entry(key, in: namespace)
            entries.append(entry)
            bytes += entry?.value.count ?? 0
        }
        return entries
    }
}

package protocol ScheduleStore: Sendable {
    /// Notes that the schedules which are due at a time are run now, so that they are not run for that time again.
    /// - Parameters:
    ///   - seconds: since 1970.
    ///   - isDue: whether a schedule's expression names that time.
    /// - Returns: those that had not been run for it.
    func claim(at seconds: Int64, isDue: (_ cron: String) -> Bool) throws -> [ScheduleRun]
    func ended(_ run: ScheduleRun, _ outcome: Outcome) throws
}

package protocol UsageStore: Sendable {
    /// Adds readings to the ledger. A batch that is there already is not counted again.
    func add(_ readings: [Usage], batch: String) throws
    /// By hour and script. Hours since 1970, the end excluded.
    func usage(of account: String, hours: Range<Int64>) throws -> [Usage]
}
