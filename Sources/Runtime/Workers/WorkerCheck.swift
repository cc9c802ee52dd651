package import Isolates
package import Model
internal import WebAPI

/// Finds out whether a worker can start, in an isolate that is thrown away.
package enum WorkerCheck {
    /// Evaluates the worker's top level on the calling thread, which must descend from the one that started the engine.
    /// What it logs goes to `events`.
    /// - Returns: what came of it, and whether it may have left something behind in the process.
    package static func report(
        on definition: WorkerDefinition, engine: Engine, watchdog: Watchdog, events: any EventSink
    ) -> (report: StartupReport, isTainted: Bool) {
        let clock = ContinuousClock()
        let start = clock.now
        var exports = WorkerExports()
        let (failure, isTainted) = failure(
            of: definition, engine: engine, watchdog: watchdog, loaded: { exports = $0 },
            log: { level, text in
                events.log(LogEvent(worker: definition.name, request: 0, level: level, text: text))
            })
        let (seconds, attoseconds) = (clock.now - start).components
        let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) / 1e15
        return (StartupReport(failure: failure, exports: exports, milliseconds: milliseconds), isTainted)
    }

    private static func failure(
        of definition: WorkerDefinition, engine: Engine, watchdog: Watchdog,
        loaded: @escaping (WorkerExports) -> Void, log: @escaping (_ level: String, _ text: String) -> Void
    ) -> (text: String?, isTainted: Bool) {
        let worker = Worker(definition)
        let thread = IsolateThread(watchdog: watchdog) {}
        defer { thread.close() }
        let memoryLimit = definition.limits.memoryMegabytes << 20
        guard let isolate = Isolate(engine: engine, memoryLimit: memoryLimit) else {
            return ("There is no memory left for an isolate to check the worker in.", true)
        }
        isolate.tag = worker.source.tag
        let limitedLog = LimitedLog(kilobytes: definition.limits.logKilobytes) { level, text in
            log(level, worker.sourceMaps.resolved(text))
        }
        isolate.setHost(
            DetachedHost.check(
                bindings: definition.bindings, compatibility: definition.compatibility, in: isolate,
                loaded: loaded, log: limitedLog.write))
        defer { isolate.discard() }
        do {
            let budget = UInt64(definition.limits.startupCPUMilliseconds) * 1_000_000
            for entry in worker.preparations {
                try isolate.call(entry.isolateEntry, number: 0, on: thread, budget: budget)
            }
            try isolate.load(worker.source, loaded: Bundle.Entry.loaded.isolateEntry, on: thread, budget: budget)
            return (nil, false)
        } catch {
            return (error.explanation(of: worker), error.condemns)
        }
    }
}

/// A log that stops at its limit.
private final class LimitedLog {
    private var bytesLeft: Int
    private let log: (_ level: String, _ text: String) -> Void

    init(kilobytes: Int, _ log: @escaping (_ level: String, _ text: String) -> Void) {
        bytesLeft = kilobytes << 10
        self.log = log
    }

    func write(level: String, text: String) {
        bytesLeft -= text.utf8.count
        if bytesLeft >= 0 { log(level, text) }
    }
}

extension CallFailure {
    /// What to tell the worker's author about a start that failed: begins with the file, and the line if there is one.
    func explanation(of running: Worker) -> String {
        let worker = running.definition
        let text =
            switch self {
            case .exception(let error): error.resolved(by: running.sourceMaps).explanation
            case .exceededCPU:
                "The worker's top level used more than \(worker.limits.startupCPUMilliseconds) ms of CPU time "
                    + "(--startup-cpu-ms)."
            case .exceededMemory:
                "The worker's top level used more than \(worker.limits.memoryMegabytes) MB of memory (--memory-mb)."
            case .fatal(let message): "The worker's isolate failed: \(message)"
            }
        if case .exception(let error) = self, error.place != nil { return text }
        return "\(worker.modules[0].name): \(text)"
    }
}
