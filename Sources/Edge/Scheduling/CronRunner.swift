internal import Isolates
package import Model
internal import Synchronization

/// Calls the `scheduled` handlers of Workers when they are due, each once for each time that its schedule names, as far
/// as the minute is this process's.
package final class CronRunner: Sendable {
    private struct State {
        /// All minutes up to this one have been begun with.
        var minute: Int64 = 0
        /// Minutes of which it is not known yet whose they are.
        var pending: [Int64] = []
        var ended: [(run: ScheduleRun, outcome: Outcome)] = []
        var isPaused = false
    }

    /// Minutes that are made up for if the process could not look at them in time.
    private static let minutesMadeUp: Int64 = 5
    /// Between two questions whose a minute is, in nanoseconds.
    private static let claimPause: UInt64 = 250_000_000

    /// Runs a script's handler and tells once how that ended.
    package typealias Run =
        @Sendable (
            _ event: ScheduledEvent, _ script: ScriptKey, _ completion: @escaping @Sendable (EventResult) -> Void
        ) -> Void

    private let store: any ScheduleStore
    private let claims: any ScheduleClaims
    private let clock: ScheduleClock
    private let run: Run
    private let log: any EventSink
    private let state = Mutex(State())
    private let alarm = Alarm()

    package init(
        store: any ScheduleStore, claims: any ScheduleClaims, clock: ScheduleClock, log: any EventSink,
        run: @escaping Run
    ) {
        self.store = store
        self.claims = claims
        self.clock = clock
        self.run = run
        self.log = log
    }

    /// Fires what is due in this minute and was not fired yet, and from then on what becomes due.
    package func start() {
        state.withLock { $0.minute = clock.minute - 1 }
        Thread.spawn(name: "cron") { [self] in
            while true {
                work()
                let isWaiting = state.withLock { !$0.pending.isEmpty }
                let next = clock.untilNextMinute
                alarm.wait(nanoseconds: isWaiting ? min(Self.claimPause, next) : next)
            }
        }
    }

    /// Fires nothing more. What runs is still noted down when it ends.
    package func pause() { state.withLock { $0.isPaused = true } }

    /// Fires again, also what became due meanwhile.
    package func resume() {
        state.withLock { $0.isPaused = false }
        alarm.ring()
    }

    private func work() {
        let minute = clock.minute
        let (pending, ended) = state.withLock { state in
            defer { state.ended = [] }
            guard !state.isPaused else { return ([Int64](), state.ended) }
            let first = max(state.minute + 1, minute - Self.minutesMadeUp)
            if first <= minute { state.pending += first...minute }
            state.minute = max(state.minute, minute)
            state.pending.removeAll { $0 < minute - Self.minutesMadeUp }
            return (state.pending, state.ended)
        }
        for (run, outcome) in ended { attempt { try store.ended(run, outcome) } }
        for due in pending {
            guard let isOurs = claims.claim(minute: due) else { continue }
            state.withLock { $0.pending.removeAll { $0 == due } }
            if isOurs { fire(due) }
        }
    }

    private func fire(_ minute: Int64) {
        attempt {
            let runs = try store.claim(at: minute * 60) { CronExpression.isDue($0, at: minute * 60) }
            for run in runs { call(run) }
        }
    }

    private func call(_ run: ScheduleRun) {
        let event = ScheduledEvent(cron: run.cron, scheduledTime: Double(run.due) * 1_000)
        self.run(event, run.script) { [self] result in end(run, result.outcome) }
    }

    /// On any thread, which must not wait for the disk.
    private func end(_ run: ScheduleRun, _ outcome: Outcome) {
        state.withLock { $0.ended.append((run, outcome)) }
        alarm.ring()
    }

    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            log.log(LogEvent(worker: "", request: 0, level: "error", text: "schedules: \(error)"))
        }
    }
}

extension CronExpression {
    /// What was let in can be read.
    fileprivate static func isDue(_ text: String, at seconds: Int64) -> Bool {
        (try? CronExpression(text))?.isDue(at: Timestamp(milliseconds: seconds * 1_000)) ?? false
    }
}
