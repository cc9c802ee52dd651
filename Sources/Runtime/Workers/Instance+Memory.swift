internal import Isolates
internal import Model

// What bodies outside of JavaScript cost a request.
extension Instance {
    /// Charges what the host did for a request outside of its JavaScript, in nanoseconds of CPU time. False if the
    /// request has none left: its next call ends it.
    func charge(_ time: UInt64, to context: RequestContext) -> Bool {
        context.cpuTime += time
        worker.counts.addCPUTime(time)
        return context.cpuTime < UInt64(worker.definition.limits.cpuMilliseconds) * 1_000_000
    }

    /// Collects the isolate's garbage on a request's account, because memory was refused to it. Not within a call.
    func collectGarbage(for context: RequestContext) {
        run(for: context) { budget throws(CallFailure) in
            try isolate.collectGarbage(on: lane.thread, budget: budget)
        }
    }
}
