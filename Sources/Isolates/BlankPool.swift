internal import Synchronization

/// Blank isolates, ready with a context, made ahead on a thread of their own: a cold start is then compile and
/// evaluate only.
package final class BlankPool: Sendable {
    private struct State {
        var blanks: [Isolate.Detached] = []
        var isStopped = false
    }

    /// Readies a new isolate further, on the pool's thread: whatever can be done before its worker is known.
    package typealias Preparation = @Sendable (_ isolate: Isolate, _ thread: IsolateThread) -> Void

    /// How long (ns) the pool leaves the process alone that had no memory for an isolate.
    private static let pauseWithoutMemory: UInt64 = 1_000_000_000
    /// How long (ns) those that were taken are missing, unless fewer than half are left: who has just started a
    /// Worker has something else to do, and so may others on the machine that start the same.
    private static let patience: UInt64 = 1_000_000_000

    private let engine: Engine
    private let watchdog: Watchdog
    private let prepare: Preparation
    private let memoryLimit: Int
    private let size: Int
    private let state = Mutex(State())
    private let alarm = Alarm()

    /// - Parameter size: how many blanks are kept ready; each costs about 1 MB.
    package init(
        engine: Engine, watchdog: Watchdog, size: Int, memoryLimit: Int, prepare: @escaping Preparation
    ) {
        self.engine = engine
        self.watchdog = watchdog
        self.prepare = prepare
        self.memoryLimit = memoryLimit
        self.size = size
        Thread.spawn(name: "blank-pool", isBatch: true) { [self] in refill() }
        alarm.ring()
    }

    package var readyCount: Int { state.withLock { $0.blanks.count } }

    /// A blank isolate: from the pool, or made on the spot if it is empty. Nil if the process has no memory for one.
    package func take() -> Isolate? {
        let blank = state.withLock { $0.blanks.popLast() }
        alarm.ring()
        return blank?.attach() ?? Isolate(engine: engine, memoryLimit: memoryLimit)
    }

    package func stop() {
        state.withLock { $0.isStopped = true }
        alarm.ring()
    }

    private func refill() {
        let thread = IsolateThread(watchdog: watchdog) {}
        while true {
            guard fill(on: thread) else { return }
            alarm.wait()
            let end = CPUClock.monotonic() &+ Self.patience
            while case let now = CPUClock.monotonic(), now < end,
                state.withLock({ !$0.isStopped && $0.blanks.count >= size / 2 })
            {
                alarm.wait(nanoseconds: end - now)
            }
        }
    }

    /// - Returns: false at the end.
    private func fill(on thread: IsolateThread) -> Bool {
        while true {
            let (isStopped, isFull) = state.withLock { ($0.isStopped, $0.blanks.count >= size) }
            if isStopped { return false }
            if isFull { return true }
            guard let isolate = Isolate(engine: engine, memoryLimit: memoryLimit) else {
                alarm.wait(nanoseconds: Self.pauseWithoutMemory)
                continue
            }
            prepare(isolate, thread)
            let blank = isolate.detach()
            state.withLock { $0.blanks.append(blank) }
        }
    }
}
