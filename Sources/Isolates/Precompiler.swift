internal import CV8
internal import Synchronization

/// Compiles workers before their first request, on a thread of its own, so that a cold start parses nothing: what a
/// deployment does anyway, without running a line of the worker.
package final class Precompiler: Sendable {
    private struct State {
        /// With the time from which each may be compiled, in monotonic nanoseconds: the soonest first.
        var queue: [(source: WorkerSource, due: UInt64)] = []
        var isStopped = false
    }

    /// Nanoseconds that a worker is left alone. One that is asked for at once is compiled where it starts, which is
    /// soon enough, and many are replaced by the next deploy before this is over.
    private static let pause: UInt64 = 500_000_000
    /// Nanoseconds of CPU for one module.
    private static let budget: UInt64 = 1_000_000_000
    /// Modules compiled in one isolate before a fresh one takes its place: their code is garbage there.
    private static let modulesPerIsolate = 200

    private let engine: Engine
    private let watchdog: Watchdog
    private let reaper: Reaper
    private let memoryLimit: Int
    private let state = Mutex(State())
    private let alarm = Alarm()

    package init(engine: Engine, watchdog: Watchdog, reaper: Reaper, memoryLimit: Int) {
        self.engine = engine
        self.watchdog = watchdog
        self.reaper = reaper
        self.memoryLimit = memoryLimit
        Thread.spawn(name: "precompiler", isBatch: true) { [self] in run() }
    }

    /// Queues a worker. It may be started at any time, compiled or not.
    package func add(_ source: WorkerSource) {
        let due = CPUClock.monotonic() + Self.pause
        let wakes = state.withLock { state in
            state.queue.append((source, due))
            return state.queue.count == 1
        }
        if wakes { alarm.ring() }
    }

    /// Takes a worker out of the queue that will not be started any more.
    package func remove(_ source: WorkerSource) {
        state.withLock { state in state.queue.removeAll { $0.source === source } }
    }

    package func stop() {
        state.withLock { $0.isStopped = true }
        alarm.ring()
    }

    private func run() {
        let thread = IsolateThread(watchdog: watchdog) {}
        var workshop: Workshop?
        while true {
            let now = CPUClock.monotonic()
            let (next, pause, isStopped) = state.withLock { state -> (WorkerSource?, UInt64?, Bool) in
                guard let first = state.queue.first else { return (nil, nil, state.isStopped) }
                guard first.due <= now else { return (nil, first.due - now, state.isStopped) }
                return (state.queue.removeFirst().source, nil, state.isStopped)
            }
            if isStopped { return }
            if let next {
                compile(next, in: &workshop, on: thread)
                continue
            }
            // Nothing to do for now: an idle isolate is a megabyte.
            if let done = workshop { reaper.take(done.isolate) }
            workshop = nil
            alarm.wait(nanoseconds: pause)
        }
    }

    /// The isolate that compiles, and how much it has done.
    private struct Workshop {
        let isolate: Isolate
        var modules = 0

        init?(_ engine: Engine, _ memoryLimit: Int) {
            guard let isolate = Isolate(engine: engine, memoryLimit: memoryLimit) else { return nil }
            self.isolate = isolate
        }
    }

    private func compile(_ source: WorkerSource, in workshop: inout Workshop?, on thread: IsolateThread) {
        source.precompile { module in
            guard var current = workshop ?? Workshop(engine, memoryLimit) else { return cv8_code_cache() }
            current.isolate.tag = source.tag
            let result = current.isolate.precompile(&module, of: source, on: thread, budget: Self.budget)
            current.modules += 1
            let isSpent = current.isolate.isCondemned || current.modules >= Self.modulesPerIsolate
            if isSpent { reaper.take(current.isolate) }
            workshop = isSpent ? nil : current
            return result
        }
    }
}
