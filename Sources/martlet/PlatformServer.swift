import Control
import Edge
import Feed
import JetStream
import Model
import Store
import Supervisor

/// Joins the parts of `serve --data`: the store, the control API, and the supervisor whose hosts follow the store.
final class PlatformServer {
    private let supervised: Supervised
    private let checks: CheckDesk
    private let store: SQLiteStore
    private let tails: TailHub
    private let feed: FeedHub
    private let publisher: FeedPublisher?
    private let log: any EventSink
    private let cron: CronRunner
    private var control: ControlServer?

    /// - Parameters:
    ///   - services: what hosts need.
    ///   - nats: where the feed is published besides the admin port.
    init(
        supervised: Supervised, options: Supervisor.Options, services: HostServices, store: SQLiteStore,
        tails: TailHub, nats: NATSSettings?, clock: ScheduleClock, log: any EventSink
    ) throws {
        let tell: @Sendable (String, String) -> Void = { level, text in
            log.log(LogEvent(worker: "", request: 0, level: level, text: text))
        }
        feed = try FeedHub(store: store, traces: { [tails] in try tails.take($1, of: $0) }, log: tell)
        publisher = nats.map { [feed] in FeedPublisher(feed, to: $0, log: tell) }
        let claims: any ScheduleClaims
        if let nats {
            claims = ControlClaims(
                NATSClaims(nats, installation: feed.signer.installation, location: nil), clock: clock)
        } else {
            claims = try DeputyClaims(feed, clock: clock)
        }
        cron = CronRunner(store: store, claims: claims, clock: clock, log: log) {
            [supervisor = supervised.supervisor] event, script, completion in
            supervisor.run(event, of: script, completion: completion)
        }
        self.supervised = supervised
        self.store = store
        self.tails = tails
        self.log = log
        checks = CheckDesk(options: options, services: services)
    }

    /// Opens both ports and says so on stdout; at the first start also the operator's token, this once.
    func start(on admin: Listener, _ settings: ControlServer.Settings) throws {
        do {
            try ControlServer.bootstrap(store) { account, secret in
                Server.announce("Account \(account.id)")
                Server.announce("Token \(secret)")
            }
            publisher?.start()
            checks.start()
            tails.tellFollowed { [supervisor = supervised.supervisor, feed] names, done in
                let number = feed.order { $0.followed = names }
                supervisor.follow(names) { feed.registry.awaitOrders(number, done: done) }
            }
            try supervised.start()
            cron.start()
            let control = makeControl(settings)
            try control.open(admin.descriptor)
            self.control = control
            Server.announce(admin)
        } catch let error as StoreError {
            throw CleanFailure(error.message)
        }
    }

    private func makeControl(_ settings: ControlServer.Settings) -> ControlServer {
        ControlServer(
            settings: settings, store: store, check: checks, certificates: CertificateReader(), tails: tails,
            feed: feed,
            status: { [supervised] in StatusPage(supervised.hosts).json },
            metrics: { [supervised] in supervised.metrics },
            log: { [log] level, text in
                log.log(LogEvent(worker: "", request: 0, level: level, text: text))
            })
    }

    /// Leaves the truth to another process: calls of the API under way are answered, those that come wait.
    func pause() {
        control?.close()
        cron.pause()
        publisher?.stop()
    }

    func resume() {
        publisher?.start()
        cron.resume()
        control?.reopen()
    }

    /// The hosts for checks have nothing to finish.
    func end() {
        control?.close()
        checks.kill()
    }
}

extension TailHub {
    /// What a location tells of events. It is believed as far as they can be of Workers that it serves.
    fileprivate func take(_ bytes: [UInt8], of location: Location) throws {
        guard let batch = try? TraceBatch(bytes) else { throw FeedError(.malformed, "events are not of their form") }
        func isServed(_ worker: String) -> Bool {
            follows(worker) && location.accounts?.contains(String(worker.prefix { $0 != "/" })) ?? true
        }
        for (worker, count) in batch.dropped where isServed(worker) { missed(count, of: worker) }
        for var trace in batch.traces where isServed(trace.worker) {
            trace.colo = location.id.uppercased()
            take(trace)
        }
    }
}
