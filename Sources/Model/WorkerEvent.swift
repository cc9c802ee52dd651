/// What a worker's handler is called for.
package enum WorkerEvent: Sendable, Equatable, Codable {
    /// An HTTP request: the handler `fetch`.
    case fetch
    /// A time that a cron trigger names has come: the handler `scheduled`.
    case scheduled(ScheduledEvent)
    /// A call of a method, by another Worker's service binding.
    case rpc(RPCCall)

    /// Whether somebody waits for the answer. If so it has a request's limits, and ends when nobody does any more.
    package var hasCaller: Bool {
        switch self {
        case .fetch, .rpc: true
        case .scheduled: false
        }
    }
}

package struct ScheduledEvent: Sendable, Equatable, Codable {
    /// The expression that matched, as the worker's author wrote it.
    package var cron: String
    /// The time that it was meant for, in milliseconds since 1970.
    package var scheduledTime: Double

    package init(cron: String, scheduledTime: Double) {
        self.cron = cron
        self.scheduledTime = scheduledTime
    }
}

/// How an event that is no request has ended.
package struct EventResult: Sendable, Equatable, Codable {
    package var outcome: Outcome
    /// False if the handler said that nobody should try again.
    package var mayRetry: Bool

    package init(outcome: Outcome, mayRetry: Bool) {
        self.outcome = outcome
        self.mayRetry = mayRetry
    }
}
