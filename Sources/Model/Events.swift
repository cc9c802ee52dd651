/// A line that a worker logged, or that the runtime logs about it.
package struct LogEvent: Sendable, Equatable {
    package var worker: String
    /// Which request, counted per isolate; 0 for the worker's top level.
    package var request: Int
    /// "debug", "log", "info", "warn", "error" or "trace".
    package var level: String
    package var text: String
    /// The value of the request's `CF-Ray`, where requests are marked.
    package var ray: String?

    package init(worker: String, request: Int, level: String, text: String) {
        self.worker = worker
        self.request = request
        self.level = level
        self.text = text
    }
}

/// A request that has ended, with what it used.
package struct RequestEvent: Sendable, Equatable {
    package var worker: String
    package var method: String
    package var url: String
    /// 0 if the client went away before there was an answer.
    package var status: Int
    package var outcome: Outcome
    /// From the request's arrival at the worker to its end, in nanoseconds.
    package var wallTime: UInt64
    /// All CPU time spent for it, a cold start included, in nanoseconds.
    package var cpuTime: UInt64
    package var isColdStart: Bool
    package var event: WorkerEvent

    package init(
        worker: String, method: String, url: String, status: Int, outcome: Outcome, wallTime: UInt64, cpuTime: UInt64,
        isColdStart: Bool, event: WorkerEvent = .fetch
    ) {
        self.worker = worker
        self.method = method
        self.url = url
        self.status = status
        self.outcome = outcome
        self.wallTime = wallTime
        self.cpuTime = cpuTime
        self.isColdStart = isColdStart
        self.event = event
    }
}

/// Where logs and meter readings go. Called on lanes: it must be quick and never block.
package protocol EventSink: AnyObject, Sendable {
    /// Whether `requestEnded` wants to hear of every request; if not, only of other events.
    var wantsRequests: Bool { get }
    /// Whether the events of logs are to say which request of which client they belong to, by its `CF-Ray`.
    var wantsRays: Bool { get }
    func log(_ event: LogEvent)
    func requestEnded(_ event: RequestEvent)
}
