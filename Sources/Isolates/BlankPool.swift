internal import CV8
internal import Synchronization

/// Blank isolates, ready with a context, made ahead on a thread of their own: a cold start is then compile and
/// evaluate only.
package final class BlankPool: Sendable {
    private struct State {
        var blanks: [Isolate.Detached] = []
        var wanted: Int
        var isStopped = false
    }

    private let engine: Engine
    private let memoryLimit: Int
    private let state: Mutex<State>
    private let alarm = Alarm()

    /// - Parameter size: how many blanks are kept ready; each costs about 1 MB.
    package init(engine: Engine, size: Int, memoryLimit: Int) {
        self.engine = engine
        self.memoryLimit = memoryLimit
        state = Mutex(State(wanted: size))
        Thread.spawn(name: "blank-pool") { [self] in refill() }
        alarm.ring()
    }

    package var readyCount: Int { state.withLock { $0.blanks.count } }

    /// A blank isolate: from the pool, or made on the spot if it is empty.
    package func take() -> Isolate {
        let blank = state.withLock { $0.blanks.popLast() }
        alarm.ring()
        return blank?.attach() ?? Isolate(engine: engine, memoryLimit: memoryLimit)
    }

    package func stop() {
        state.withLock { $0.isStopped = true }
        alarm.ring()
    }

    private func refill() {
        _ = cv8_thread_attach()
        while true {
            let (isStopped, isFull) = state.withLock { ($0.isStopped, $0.blanks.count >= $0.wanted) }
            if isStopped { return }
            if isFull {
                alarm.wait()
                continue
            }
            let blank = Isolate(engine: engine, memoryLimit: memoryLimit).detach()
            state.withLock { $0.blanks.append(blank) }
        }
    }
}
