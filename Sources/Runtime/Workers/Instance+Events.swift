internal import Isolates
internal import Model
internal import WebAPI

// Events that are no requests.

extension Instance {
    func scheduledEvent(_ exchange: Int) throws(OpError) -> ScheduledEvent {
        guard case .scheduled(let event) = requests[exchange]?.exchange.event else {
            throw .type("The event is over")
        }
        return event
    }

    func eventRefusedRetry(_ exchange: Int) { requests[exchange]?.mayRetry = false }

    func eventEnded(_ exchange: Int) {
        guard let context = requests[exchange] else { return }
        context.isHandlerDone = true
        endEventIfDone(context)
    }

    /// An event is over when its handler and all that was given to `waitUntil` are: what fails there fails the event.
    func endEventIfDone(_ context: RequestContext) {
        guard context.isHandlerDone, context.waitUntilCount == 0, case .none = context.answer else { return }
        answerEvent(context, context.outcome)
        answered(context)
    }

    /// Says how an event has ended.
    func answerEvent(_ context: RequestContext, _ outcome: Outcome) {
        let status = context.mayRetry ? EventExchange.Status.ended : .endedForGood
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        context.status = status.rawValue
        context.exchange.respond(
            ResponseHead(status: status.rawValue, reason: empty, fields: empty, outcome: outcome), body: .none)
    }

    /// An event has no client who would lose patience: its time is limited.
    func limitTime(of context: RequestContext) {
        let seconds = worker.definition.limits.scheduledSeconds
        context.wallDeadline = lane.loop.schedule(after: UInt64(seconds) * 1_000_000_000) { [self] in
            guard isRunning(context) else { return }
            log(
                level: "error", text: "The handler exceeded its time limit of \(seconds) s (--scheduled-s).",
                for: context)
            giveUp(context, .exceededWallTime)
        }
    }
}

extension Exchange {
    /// The entry that calls the handler.
    var entry: Bundle.Entry {
        switch event {
        case .fetch: service?.isPlain ?? true ? .dispatchFetch : .dispatchEntrypoint
        case .rpc: .dispatchCall
        case .scheduled: .dispatchScheduled
        }
    }
}
