internal import Isolates
package import Model
internal import Synchronization

/// Calls the `scheduled` handlers of Workers when they are due, each once for each time that its schedule names.
package final class CronRunner: Sendable {
    private struct State {
        /// Minutes since 1970: all up to this one have been looked at.
        var minute: Int64 = 0
        var ended: [(run: ScheduleRun, outcome: Outcome)] = []
        var isPaused = false
    }

    /// Minutes that are made up for if the process could not look at them in time.
    private static let minutesMadeUp: Int64 = 5

    /// Runs a script's handler and tells once how that ended.
    package typealias Run =
        @Sendable (
            _ event: ScheduledEvent, _ script: ScriptKey, _ completion: @escaping @Sendable (EventResult) -> Void
        ) -> Void

    private let store: any ScheduleStore
    private let run: Run
    private let log: any EventSink
    private let state = Mutex(State())
    private let alarm = Alarm()

    package init(store: any ScheduleStore, log: any EventSink, run: @escaping Run) {
        self.store = store
        self.run = run
        self.log = log
    }

    /// Fires what is due in this minute and was not fired yet, and from then on what becomes due.
    package func start() {
        let minute = Self.now.seconds / 60
        state.withLock { $0.minute = minute }
        fire(minute)
        Thread.spawn(name: "cron") { [self] in
            while true {
                alarm.wait(nanoseconds: Self.untilNextMinute)
                work()
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

    private static var now: Timestamp { .now }

    /// Nanoseconds. A little more: the wait may end early.
    private static var untilNextMinute: UInt64 { UInt64(60_000 - now.milliseconds % 60_000 + 1) * 1_000_000 }

    private func work() {
        let minute = Self.now.seconds / 60
        let (first, ended) = state.withLock { state in
            defer {
                if !state.isPaused { state.minute = max(state.minute, minute) }
                state.ended = []
            }
            let first = state.isPaused ? minute + 1 : max(state.minute + 1, minute - Self.minutesMadeUp)
            return (first, state.ended)
        }
        for (run, outcome) in ended { attempt { try store.ended(run, outcome) } }
        guard first <= minute else { return }
        for due in first...minute { fire(due) }
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
