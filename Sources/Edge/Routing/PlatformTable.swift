package import Model
package import Runtime
internal import Synchronization

/// What a platform serves: follows the store's feed, and makes Workers of the versions that are deployed.
package final class PlatformTable: ServiceDirectory {
    private struct State {
        var routes: PlatformRoutes
        var revision: Int64 = -1
        /// Those that have been asked for, or were deployed since the start, by version.
        var workers: [String: (key: ScriptKey, worker: Worker)] = [:]
    }

    package struct Settings: Sendable {
        package var baseDomain: String
        /// The most that a Worker gets.
        package var limits: Limits

        package init(baseDomain: String, limits: Limits) {
            self.baseDomain = baseDomain
            self.limits = limits
        }
    }

    private let feed: any RoutingFeed & VersionSource
    private let placement: Placement
    private let settings: Settings
    private let meter: Meter
    private let elsewhere: (any ServiceCaller)?
    private let log: any EventSink
    private let state: Mutex<State>
    /// Held while changes are read and applied: each is applied once, in order.
    private let following = Mutex<Void>(())
    private let currentVersion = Atomic<Int>(0)
    private let oneOfMany = Atomic<Bool>(false)

    /// Reads all there is, and follows what changes from then on.
    /// - Parameter elsewhere: calls what is not here; nil if there is nothing more.
    package init(
        following feed: any RoutingFeed & VersionSource, placement: Placement, settings: Settings, meter: Meter,
        elsewhere: (any ServiceCaller)? = nil, log: any EventSink
    ) throws {
        self.elsewhere = elsewhere
        self.feed = feed
        self.placement = placement
        self.settings = settings
        self.meter = meter
        self.log = log
        state = Mutex(State(routes: PlatformRoutes(baseDomain: settings.baseDomain)))
        try follow()
        placement.useServices(self)
        // Before the one who deploys is told that it is done: an acknowledged version is live.
        feed.observe { [weak self] in
            do {
                try self?.follow()
            } catch {
                log.log(LogEvent(worker: "", request: 0, level: "error", text: "routes cannot be followed: \(error)"))
            }
        }
    }

    var daily: DailyUse { meter.daily }

    /// Whether there are other tables, in other processes, which may have what this one has not.
    var isOneOfMany: Bool { oneOfMany.load(ordering: .relaxed) }

    package func setOneOfMany(_ isOneOfMany: Bool) { oneOfMany.store(isOneOfMany, ordering: .relaxed) }

    /// Changes with every change of the routes: a lane's copy is good while it stays the same.
    var version: Int { currentVersion.load(ordering: .acquiring) }

    var routes: PlatformRoutes { state.withLock { $0.routes } }

    /// The store's revision as of which requests are routed.
    package var revision: Int64 { state.withLock { $0.revision } }

    /// Workers that have been asked for since they were deployed: "account/script" and version.
    package var workers: [String: Worker] {
        let workers = state.withLock { $0.workers }
        return Dictionary(workers.map { ("\($1.key) \($0)", $1.worker) }) { first, _ in first }
    }

    // MARK: Following

    private func follow() throws {
        try following.withLock { _ in
            let revision = state.withLock { $0.revision }
            if let changes = revision < 0 ? nil : try feed.changes(after: revision) {
                guard !changes.items.isEmpty else { return state.withLock { $0.revision = changes.revision } }
                prepare(changes.items)
                apply(changes, to: state.withLock { $0.routes })
            } else {
                apply(try feed.snapshot(), to: PlatformRoutes(baseDomain: settings.baseDomain))
            }
        }
    }

    /// Reads and compiles new versions while the old ones still answer.
    private func prepare(_ items: [RoutingItem]) {
        for case .script(let script) in items {
            for share in script.shares {
                if state.withLock({ $0.workers[share.version] }) == nil, let worker = load(share.version, script.key) {
                    placement.announce(worker)
                    state.withLock { $0.workers[share.version] = (script.key, worker) }
                }
            }
        }
    }

    private func apply(_ changes: RoutingSnapshot, to routes: PlatformRoutes) {
        var routes = routes
        for item in changes.items {
            routes.apply(item)
            if case .account(let account) = item { daily.set(account) }
            if case .removed(.account(let id)) = item { daily.remove(id) }
        }
        let retired = state.withLock { state in
            state.routes = routes
            state.revision = changes.revision
            let gone = state.workers.filter { version, entry in
                !(routes.script(entry.key)?.shares.contains { $0.version == version } ?? false)
            }
            for version in gone.keys { state.workers[version] = nil }
            return gone.values.map(\.worker)
        }
        placement.zonesHaveOrigins(routes.hasServers)
        currentVersion.add(1, ordering: .acquiringAndReleasing)
        for worker in retired { placement.retire(worker) }
    }

    // MARK: Workers

    package func worker(for key: ScriptKey, _ head: RequestHead) -> ServiceTarget {
        switch routes.target(of: key) {
        case .none, .origin: return .missing
        case .suspended, .paused: return .suspended
        case .script(let script):
            guard let version = VersionChoice.version(of: script, head), let worker = worker(version, of: key) else {
                return .missing
            }
            return .worker(worker)
        }
    }

    package func caller(of key: ScriptKey) -> (any ServiceCaller)? {
        guard let elsewhere, state.withLock({ $0.routes.script(key) == nil }) else { return nil }
        return elsewhere
    }

    package func origin(behind host: String, and other: String, of account: String) -> OriginServer? {
        routes.server(behind: host, and: other, of: account)
    }

    /// The Worker of a version. Reads it from the store if it is asked for the first time: a lane that does so waits
    /// for a few reads of files, less than the Worker's start takes.
    /// - Returns: nil if it cannot be read; the log says why.
    func worker(_ version: String, of key: ScriptKey) -> Worker? {
        if let known = state.withLock({ $0.workers[version]?.worker }) { return known }
        guard let worker = load(version, key) else { return nil }
        let (chosen, isKept) = state.withLock { state in
            if let other = state.workers[version] { return (other.worker, false) }
            let isLive = state.routes.script(key)?.shares.contains { $0.version == version } ?? false
            if isLive { state.workers[version] = (key, worker) }
            return (worker, isLive)
        }
        // Another lane was faster, or the version was replaced while the request was on its way.
        if !isKept { placement.retire(worker) }
        return chosen
    }

    private func load(_ version: String, _ key: ScriptKey) -> Worker? {
        do {
            let stored = try feed.definition(ofVersion: version, script: key)
            let assets = stored.site.map { WorkerAssets(site: $0, source: feed) }
            let worker = Worker(stored.definition(for: key, limits: settings.limits), assets: assets)
            meter.add(worker, of: key)
            return worker
        } catch {
            log.log(LogEvent(worker: key.description, request: 0, level: "error", text: "\(error)"))
            return nil
        }
    }
}
