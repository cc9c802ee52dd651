import Control
import Edge
import Model
import Store
import Supervisor

/// Joins the parts of `serve --data`: the store, the control API, and the supervisor whose hosts follow the store.
final class PlatformServer {
    private let supervised: Supervised
    private let checks: CheckDesk
    private let store: SQLiteStore
    private let tails: TailHub
    private let log: any EventSink

    /// - Parameter services: what hosts need.
    init(
        supervised: Supervised, settings: HostSettings, services: HostServices, store: SQLiteStore, tails: TailHub,
        log: any EventSink
    ) {
        self.supervised = supervised
        self.store = store
        self.tails = tails
        self.log = log
        checks = CheckDesk(settings: settings, services: services)
    }

    /// Opens both ports and says so on stdout; at the first start also the operator's token, this once.
    func start(control settings: ControlServer.Settings) throws {
        do {
            try ControlServer.bootstrap(store) { account, secret in
                Server.announce("Account \(account.id)")
                Server.announce("Token \(secret)")
            }
            checks.start()
            tails.tellFollowed { [supervisor = supervised.supervisor] in supervisor.follow($0) }
            try supervised.start()
            CronRunner(store: store, log: log) { [supervisor = supervised.supervisor] event, script, completion in
                supervisor.run(event, of: script, completion: completion)
            }.start()
            try startControl(settings)
        } catch let error as StoreError {
            throw CleanFailure(error.message)
        }
    }

    private func startControl(_ settings: ControlServer.Settings) throws {
        let control = ControlServer(
            settings: settings, store: store, check: checks, tails: tails,
            status: { [supervised] in StatusPage(supervised.hosts).json },
            metrics: { [supervised] in MetricsPage(supervised.hosts).text },
            log: { [log] level, text in
                log.log(LogEvent(worker: "", request: 0, level: level, text: text))
            })
        let port = try control.start()
        let isIPv6 = settings.host.contains(":")
        Server.announce("Listening on http://\(isIPv6 ? "[\(settings.host)]" : settings.host):\(port)")
    }

    /// The hosts for checks have nothing to finish.
    func stop() { checks.kill() }
}
