package import Model

/// An event that is no request, in the form of one: it goes the same way through lanes, limits and placement, and its
/// answer is how it ended. Bound to the lane that it was made on.
package final class EventExchange: Exchange {
    /// What instances answer events with.
    enum Status: Int {
        case ended = 200
        /// The handler called `noRetry()`.
        case endedForGood = 204
    }

    package let event: WorkerEvent
    package let head: RequestHead
    package var observer: (any ExchangeObserver)?
    private var completion: ((EventResult) -> Void)?

    /// - Parameter completion: called once, on the same lane.
    package init(_ event: WorkerEvent, completion: @escaping (EventResult) -> Void) {
        self.event = event
        self.completion = completion
        switch event {
        case .fetch, .rpc: preconditionFailure("A request has an exchange of its own")
        case .scheduled(let scheduled): head = RequestHead(method: "scheduled", url: scheduled.cron)
        }
    }

    private func end(_ outcome: Outcome, mayRetry: Bool) {
        let completion = completion
        self.completion = nil
        completion?(EventResult(outcome: outcome, mayRetry: mayRetry))
    }

    package let hasBody = false
    package let isBodyComplete = true
    package let bodyBytesBuffered = 0
    package func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress { .end }
    package func discardBody() {}

    package func respond(_ head: ResponseHead, body: ResponseBytes) {
        end(head.outcome, mayRetry: head.outcome != .ok && head.status != Status.endedForGood.rawValue)
    }

    package func beginResponse(_ head: ResponseHead, length: Int?) { respond(head, body: .none) }
    package func upgrade(_ head: ResponseHead) { respond(head, body: .none) }
    package func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool { true }
    package func finishResponse() {}
    package func abort() { end(.internalError, mayRetry: true) }
}
