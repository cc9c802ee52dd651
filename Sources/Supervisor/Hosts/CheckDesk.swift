internal import Foundation
package import Model
internal import Synchronization

/// Has Workers' top levels evaluated by a host that serves nothing. One that is left behind tainted, or crashed, is
/// replaced. Who crashes it twice has no Worker that can start; others are tried again.
package final class CheckDesk: Sendable, StartupCheck {
    /// Checks under way at a time.
    private static let width = 4
    /// How long a check may take in all, in seconds: start-up limits are of CPU time.
    private static let patience = 60.0

    private let group: HostGroup
    private let keeper: Keeper
    private let room = DispatchSemaphore(value: width)
    /// Held by the one who checks alone.
    private let alone = Mutex<Void>(())

    /// - Parameter options: those of the hosts that serve.
    package init(options serving: Supervisor.Options, services: HostServices) {
        var options = HostGroup.Options(settings: serving.host)
        options.groups = serving.groups
        options.settings.role = .check
        options.settings.frontLanes = 0
        options.settings.backLanes = 0
        options.settings.blankIsolates = 0
        options.settings.listeners = []
        options.settings.hasStore = false
        var services = services
        services.store = nil
        services.traces = nil
        services.certificates = nil
        keeper = Keeper(events: services.events)
        group = HostGroup(options: options, services: services, launcher: Launcher(), delegate: keeper)
    }

    /// Starts the host; checks wait for it.
    package func start() { group.launch(after: 0) }
    package func kill() { group.kill() }
    package func drain() { group.drain() }

    package func check(_ worker: StoredWorker, script: ScriptKey) -> StartupReport {
        room.wait()
        let report = ask(worker, script)
        room.signal()
        if let report { return report }
        // The host has crashed: this Worker's doing, or another's that was there at the same time.
        return alone.withLock { _ in
            for _ in 0..<Self.width { room.wait() }
            defer { for _ in 0..<Self.width { room.signal() } }
            return ask(worker, script)
                ?? Self.failure("The Worker crashed the process that it was checked in.")
        }
    }

    private static func failure(_ text: String) -> StartupReport {
        StartupReport(failure: text, exports: WorkerExports(), milliseconds: 0)
    }

    /// - Returns: nil if the host has ended meanwhile.
    private func ask(_ worker: StoredWorker, _ script: ScriptKey) -> StartupReport? {
        guard let host = group.serving(within: Self.patience) else {
            return Self.failure("There is no process to check the Worker in; try again.")
        }
        let outcome = Outcome()
        host.ask(
            { .check(id: $0, worker, script) },
            answered: { answer in
                if case .checked(let report, let isTainted) = answer {
                    outcome.set((report, isTainted))
                } else {
                    outcome.set(nil)
                }
            })
        guard let (report, isTainted) = outcome.wait(seconds: Self.patience, else: { host.kill() }) else { return nil }
        if isTainted { group.launch(after: 0) }
        return report
    }

    /// A report on its way from one thread to the other.
    private final class Outcome: Sendable {
        private let value = Mutex<(StartupReport, isTainted: Bool)?>(nil)
        private let done = DispatchSemaphore(value: 0)

        func set(_ value: (StartupReport, isTainted: Bool)?) {
            self.value.withLock { $0 = value }
            done.signal()
        }

        /// - Parameter late: called if there is none in time, and has to see to it that there is one.
        func wait(seconds: Double, else late: () -> Void) -> (StartupReport, isTainted: Bool)? {
            if done.wait(timeout: .now() + seconds) != .success {
                late()
                done.wait()
            }
            return value.withLock { $0 }
        }
    }

    /// There is nothing to tell a host that only checks, and nothing that it serves.
    private final class Keeper: HostGroupDelegate {
        private let events: any EventSink

        init(events: any EventSink) { self.events = events }

        func introduce(_ group: HostGroup, _ ready: ([ToHost]) -> Void) { ready([]) }
        func isLocked(refusals: [String]) {}
        func handedBack(_ connection: PassedConnection, by host: Int, of group: HostGroup) -> Bool { false }
        func crashed(_ suspects: [String]) {
            say("error", "The host for checks crashed on \(suspects.sorted().joined(separator: ", ")).")
        }
        func say(_ level: String, _ text: String) {
            events.log(LogEvent(worker: "", request: 0, level: level, text: text))
        }
        func log(_ event: LogEvent) { events.log(event) }
        func requestEnded(_ event: RequestEvent) {}
    }
}
