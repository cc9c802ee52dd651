internal import CV8
internal import Synchronization

/// Ends isolates on a thread of its own, so that no lane waits for it, and gives their memory back to the system.
package final class Reaper: Sendable {
    private struct State {
        var queue: [Isolate.Detached] = []
        var condemned = 0
        var lost = 0
        var isStopped = false
        var waiters: [@Sendable () -> Void] = []
    }

    /// Counts since the start.
    package struct Counts: Sendable {
        /// Isolates that came here condemned.
        package let condemned: Int
        /// Of those, the ones V8 could not dispose of: their memory is gone.
        package let lost: Int
    }

    private let state = Mutex(State())
    private let alarm = Alarm()

    package init() {
        Thread.spawn(name: "reaper") { [self] in run() }
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
    }

    private func run() {
        _ = cv8_thread_attach()
        while true {
            let batch = state.withLock { state in
                defer { state.queue.removeAll() }
                return state.queue
            }
            for detached in batch where !detached.attach().dispose() {
                state.withLock { $0.lost += 1 }
            }
            // What V8 and the allocator freed stays in malloc's lists otherwise: 0.5 MB an isolate.
            if !batch.isEmpty { cv8_release_free_memory() }
            let (waiters, isStopped) = state.withLock { state in
                guard state.queue.isEmpty else { return ([@Sendable () -> Void](), false) }
                defer { state.waiters.removeAll() }
                return (state.waiters, state.isStopped)
            }
            for waiter in waiters { waiter() }
            if isStopped { return }
            if state.withLock({ $0.queue.isEmpty && !$0.isStopped }) { alarm.wait() }
        }
    }
}
