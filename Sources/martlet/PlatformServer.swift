import Control
import Dispatch
import Edge
import Isolates
import Model
import Runtime
import Store
import Synchronization

/// Joins the parts of `serve --data`: the store, the control API, and the data plane that follows the store.
final class PlatformServer {
    private let server: Server
    private let store: SQLiteStore
    private let limits: Limits
    private let log: any EventSink
    private let tails: TailHub
    let meter: Meter

    init(server: Server, store: SQLiteStore, tails: TailHub, limits: Limits, log: any EventSink) {
        meter = Meter(ledger: store, log: log)
        self.server = server
        self.store = store
        self.tails = tails
        self.limits = limits
        self.log = log
    }

    /// Opens both ports and says so on stdout; at the first start also the operator's token, this once.
    func start(
        host: String, port: UInt16, tls: TLSOptions, ingress: IngressSettings, control: ControlServer.Settings
    ) throws {
        do {
            try ControlServer.bootstrap(store) { account, secret in
                Server.announce("Account \(account.id)")
                Server.announce("Token \(secret)")
            }
            let settings = PlatformTable.Settings(baseDomain: control.baseDomain, limits: limits)
            let table = try server.follow(store, settings: settings, meter: meter, log: log)
            meter.start()
            server.runSchedules(of: store, table, log: log)
            try server.start(host: host, port: port, tls: tls, settings: ingress, log: log) { lane in
                PlatformRouter(lane: lane, table: table)
            }
            try startControl(control, table)
        } catch let error as StoreError {
            throw CleanFailure(error.message)
        }
    }

    private func startControl(_ settings: ControlServer.Settings, _ table: PlatformTable) throws {
        let check = IsolateCheck(server: server, limits: limits, log: log)
        let control = ControlServer(
            settings: settings, store: store, check: check, tails: tails,
            status: { [server] in server.status(of: { table.workers }) },
            metrics: { [server] in server.metrics(of: { table.workers }, revision: table.revision) },
            log: { [log] level, text in
                log.log(LogEvent(worker: "", request: 0, level: level, text: text))
            })
        let port = try control.start()
        let isIPv6 = settings.host.contains(":")
        Server.announce("Listening on http://\(isIPv6 ? "[\(settings.host)]" : settings.host):\(port)")
    }
}

/// Start-up checks for the control plane, each on a thread of its own, which has the stack that V8 wants.
private struct IsolateCheck: StartupCheck {
    let server: Server
    let limits: Limits
    let log: any EventSink

    func check(_ worker: StoredWorker, script: ScriptKey) -> StartupReport {
        let definition = worker.definition(for: script, limits: limits)
        let outcome = Outcome()
        Thread.spawn(name: "check") { [server, log] in
            let clock = ContinuousClock()
            let start = clock.now
            var exports = WorkerExports()
            let failure = server.check(definition, log: log) { exports = $0 }
            let (seconds, attoseconds) = (clock.now - start).components
            let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) / 1e15
            outcome.set(StartupReport(failure: failure, exports: exports, milliseconds: milliseconds))
        }
        return outcome.wait()
    }

    /// The report on its way from one thread to the other.
    private final class Outcome: Sendable {
        private let report = Mutex<StartupReport?>(nil)
        private let done = DispatchSemaphore(value: 0)

        func set(_ report: StartupReport) {
            self.report.withLock { $0 = report }
            done.signal()
        }

        func wait() -> StartupReport {
            done.wait()
            guard let report = report.withLock({ $0 }) else { preconditionFailure("a check ended without a report") }
            return report
        }
    }
}
