internal import CV8
internal import Synchronization

/// Ends isolates on a thread of its own, so that no lane waits for it, and gives their memory back to the system.
package final class Reaper: Sendable {
    private struct State {
        var queue: [Isolate.Detached] = []
        var condemned = 0
        var lost = 0
        /// The thread that works now; one that finds another number here has been given up.
        var worker = 0
        /// When the disposal under way began, in monotonic ns.
        var disposingSince: UInt64?
        var isStopped = false
        var waiters: [@Sendable () -> Void] = []
    }

    /// Counts since the start.
    package struct Counts: Sendable {
        /// Isolates that came here condemned.
        package let condemned: Int
        /// Isolates that V8 could not dispose of: their memory is gone.
        package let lost: Int
    }

    /// What V8 gets to dispose of one isolate, in ns; it takes milliseconds. Where the isolate broke off, V8 may wait
    /// for what will never happen.
    private static let longestDisposal: UInt64 = 10_000_000_000
    private static let guardTick: UInt64 = 1_000_000_000

    private let state = Mutex(State())
    private let alarm = Alarm()
    private let guardAlarm = Alarm()

    package init() {
        Thread.spawn(name: "reaper", isBatch: true) { [self] in run(worker: 0) }
        Thread.spawn(name: "reaper-guard") { [self] in watchOver() }
    }

    package var counts: Counts { state.withLock { Counts(condemned: $0.condemned, lost: $0.lost) } }

    package func take(_ isolate: consuming Isolate) {
        let isCondemned = isolate.isCondemned
        isolate.setHost(nil)
        let detached = isolate.detach()
        state.withLock {
            $0.queue.append(detached)
            if isCondemned { $0.condemned += 1 }
        }
        alarm.ring()
    }

    /// Calls `body` on the reaper's thread once all that it has been given by now is disposed of.
    package func whenIdle(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.waiters.append(body) }
        alarm.ring()
    }

    package func stop() {
        state.withLock { $0.isStopped = true }
        alarm.ring()
        guardAlarm.ring()
    }

    // MARK: The worker

    private enum Step {
        case dispose(Isolate.Detached)
        case rest([@Sendable () -> Void])
        case leave
    }

    private func run(worker: Int) {
        _ = cv8_thread_attach()
        defer { cv8_thread_detach() }
        var hasFreed = false
        while true {
            switch nextStep(worker) {
            case .dispose(let detached):
                guardAlarm.ring()
                let isDisposed = detached.attach().dispose()
                hasFreed = true
                guard ended(worker, isDisposed) else { return }
            case .rest(let waiters):
                // What V8 and the allocator freed stays in malloc's lists otherwise: 0.5 MB an isolate.
                if hasFreed { cv8_release_free_memory() }
                hasFreed = false
                for waiter in waiters { waiter() }
                alarm.wait()
            case .leave: return
            }
        }
    }

    private func nextStep(_ worker: Int) -> Step {
        state.withLock { state in
            guard state.worker == worker else { return .leave }
            if !state.queue.isEmpty {
                state.disposingSince = CPUClock.monotonic()
                return .dispose(state.queue.removeFirst())
            }
            if state.isStopped { return .leave }
            defer { state.waiters.removeAll() }
            return .rest(state.waiters)
        }
    }

    /// False if the guard has given this thread up meanwhile: then the isolate was counted as lost too early.
    private func ended(_ worker: Int, _ isDisposed: Bool) -> Bool {
        state.withLock { state in
            guard state.worker == worker else {
                if isDisposed { state.lost -= 1 }
                return false
            }
            state.disposingSince = nil
            if !isDisposed { state.lost += 1 }
            return true
        }
    }

    // MARK: The guard

    private func watchOver() {
        while !state.withLock({ $0.isStopped }) {
            let isBusy = state.withLock { $0.disposingSince != nil }
            if isBusy { guardAlarm.wait(nanoseconds: Self.guardTick) } else { guardAlarm.wait() }
            let replacement = state.withLock { state -> Int? in
                guard let since = state.disposingSince, CPUClock.monotonic() &- since > Self.longestDisposal else {
                    return nil
                }
                state.lost += 1
                state.disposingSince = nil
                state.worker += 1
                return state.worker
            }
            if let replacement { Thread.spawn(name: "reaper", isBatch: true) { [self] in run(worker: replacement) } }
        }
    }
}
