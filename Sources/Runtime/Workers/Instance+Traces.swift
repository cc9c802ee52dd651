internal import Model

// What is told to those who follow a worker.

extension Instance {
    /// A trace to write into, if anybody follows the worker.
    func beginTrace(of exchange: any Exchange) -> Trace? { lane.trace(of: exchange, to: worker) }

    func endTrace(of context: RequestContext) {
        guard var trace = context.trace else { return }
        trace.outcome = context.outcome
        trace.status = context.status
        trace.wallTime = EventLoop.monotonicNow() - context.startedAt
        trace.cpuTime = context.startUpTime + context.cpuTime + context.earlierCPUTime
        lane.traces?.take(trace)
    }

    /// Logs what went wrong in a request.
    /// - Parameter introduction: what the log says in front of the failure.
    func logFailure(_ failure: String, after introduction: String = "", for context: RequestContext) {
        let failure = worker.sourceMaps.resolved(failure)
        context.trace?.fail(failure)
        let text = introduction + failure
        if takeRoom(for: text, of: context) { emit(level: "error", text: text, of: context) }
    }
}

extension Lane {
    func trace(of exchange: any Exchange, to worker: Worker) -> Trace? {
        guard let traces, traces.follows(worker.name) else { return nil }
        return Trace(
            worker: worker.name, version: worker.definition.version, entrypoint: exchange.service?.entrypoint,
            event: exchange.event, head: exchange.head, properties: exchange.properties)
    }
}
