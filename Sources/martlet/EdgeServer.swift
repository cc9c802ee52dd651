import Edge
import Feed
import Foundation
import Model
import Store
import Supervisor
import Synchronization

/// Joins the parts of `martlet edge`: the copy, the feed that keeps it, and the supervisor whose hosts serve from it.
final class EdgeServer: Sendable {
    private let supervised: Supervised
    private let follower: FeedFollower
    private let credentials: LocationCredentials
    private let store: EdgeStore
    private let load: Load
    private let schedules: CronRunner

    /// Opens the copy. Nothing is followed yet.
    static func open(
        _ folder: String, _ credentials: LocationCredentials, _ handover: Handover
    ) throws(CleanFailure) -> EdgeStore {
        do {
            let store = try EdgeStore(
                folder: folder, installation: credentials.installation, location: credentials.location,
                lock: handover.inherited("data"))
            handover.keep(store.lock, as: "data")
            let key = try LocationKey(hexadecimal: credentials.privateKey)
            try store.unlock { try key.open($0) }
            return store
        } catch {
            throw CleanFailure("\(error)")
        }
    }

    init(
        supervised: Supervised, store: EdgeStore, tails: EdgeTails, credentials: LocationCredentials,
        connector: any FeedConnector, schedules rule: EdgeClaims.Rule, clock: ScheduleClock, log: any EventSink
    ) throws {
        self.supervised = supervised
        self.credentials = credentials
        self.store = store
        let load = Load()
        let claims = try EdgeClaims(store, clock: clock, rule: rule)
        let follower = try FeedFollower(
            copy: store, connector: connector, credentials: credentials,
            report: { position in
                let (rate, isolates) = load.now
                return LocationReport(
                    epoch: position.epoch, revision: position.revision, version: Martlet.version, requestRate: rate,
                    isolates: isolates, broken: (try? store.broken()) ?? [:])
            },
            obey: { [supervisor = supervised.supervisor] orders, done in
                tails.follow(orders.isNone ? nil : orders.followed)
                let ran = orders.isNone ? 0 : claims.take(orders, at: credentials.location)
                supervisor.follow(orders.followed) { done(ran) }
            },
            log: { level, text in log.log(LogEvent(worker: "", request: 0, level: level, text: text)) })
        store.connect(call: { try follower.call($0, $1) }, fetchBlob: { try follower.blob($0) })
        tails.connect { _ = try follower.call(FeedService.Name.traces, $0) }
        claims.follow(follower)
        schedules = CronRunner(store: store, claims: claims, clock: clock, log: log) {
            [supervisor = supervised.supervisor] event, script, completion in
            supervisor.run(event, of: script, completion: completion)
        }
        self.load = load
        self.follower = follower
    }

    /// Opens both ports and says so on stdout: the admin port at once, the other when there is something to serve.
    func start(adminHost: String, adminPort: UInt16) throws {
        try supervised.startAdmin(host: adminHost, port: adminPort) { [self] in state }
        follower.start()
        do {
            try follower.waitForCopy()
        } catch let error as FeedError {
            throw CleanFailure(error.message)
        }
        try supervised.start()
        schedules.start()
        load.follow(supervised)
    }

    /// Leaves schedules to another process on the same copy, or takes them up again.
    func pause() { schedules.pause() }
    func resume() { schedules.resume() }

    /// How far the copy is, and since when the control node was not heard of.
    private var state: JSONValue {
        let status = follower.now
        func number(_ value: Int64?) -> JSONValue { value.map { .number(Double($0)) } ?? .null }
        let contact = status.lastContact.map { Double(Timestamp.now.milliseconds - $0.milliseconds) / 1_000 }
        let revision = status.position?.revision
        let lag = revision.flatMap { revision in status.truthRevision.map { max(0, $0 - revision) } }
        return [
            "location": .string(credentials.location), "ready": .bool(status.position != nil),
            "connected": .bool(status.isConnected), "revision": number(revision), "lag": number(lag),
            "contact_seconds": contact.map { .number(max(0, $0)) } ?? .null,
            "waiting_requests": number(try? store.waitingRequests()),
            "failure": status.failure.map { .string($0.message) } ?? .null,
        ]
    }
}

/// How much there is to do, looked at from time to time.
private final class Load: Sendable {
    private static let pauseSeconds = 15.0
    private let latest = Mutex<(rate: Double, isolates: Int)>((0, 0))

    /// Requests in a second, and isolates.
    var now: (rate: Double, isolates: Int) { latest.withLock { $0 } }

    func follow(_ supervised: Supervised) {
        Foundation.Thread.detachNewThread { [self] in
            var last: (count: UInt64, time: Timestamp)?
            while true {
                let hosts = supervised.hosts.map(\.runtime)
                let count = hosts.reduce(0) { $0 + $1.requests.outcomes.values.reduce(0, +) }
                let isolates = hosts.reduce(0) { $0 + $1.isolates }
                let time = Timestamp.now
                let rate = last.map { last in
                    // A host that was replaced counts from zero.
                    Double(count - min(count, last.count)) * 1_000
                        / Double(max(1, time.milliseconds - last.time.milliseconds))
                }
                latest.withLock { $0 = (rate ?? 0, isolates) }
                last = (count, time)
                Foundation.Thread.sleep(forTimeInterval: Self.pauseSeconds)
            }
        }
    }
}
