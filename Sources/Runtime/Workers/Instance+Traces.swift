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
    /// - Parameter text: what the log says; nil for the failure itself.
    func logFailure(_ failure: String, as text: String? = nil, for context: RequestContext) {
        context.trace?.fail(worker.sourceMaps.resolved(failure))
        emitWithinLimit(level: "error", text: text ?? failure, for: context)
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
