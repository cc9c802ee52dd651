/// What became of one event of a Worker, for those who follow it: a value that outlives the event.
package struct Trace: Sendable, Equatable {
    package struct Log: Sendable, Equatable, Codable {
        /// "debug", "log", "info", "warn", "error" or "trace".
        package let level: String
        package let text: String
        package let time: Timestamp

        fileprivate var size: Int { text.utf8.count + 64 }
    }

    package struct Failure: Sendable, Equatable, Codable {
        package let name: String
        package let message: String
        /// Empty if there is none.
        package let stack: String
        package let time: Timestamp

        fileprivate var size: Int { name.utf8.count + message.utf8.count + stack.utf8.count + 64 }

        /// - Parameter text: as an error is shown: "TypeError: what\n    at ...".
        package init(_ text: String, at time: Timestamp) {
            let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = lines[0].split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
            let isNamed = parts.count == 2 && parts[0].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            name = isNamed ? String(parts[0]) : "Error"
            message = String(isNamed ? parts[1] : lines[0])
            stack = lines.count == 2 ? text : ""
            self.time = time
        }
    }

    /// The Worker's name.
    package let worker: String
    /// The id of the version; empty if there are none.
    package let version: String
    package let entrypoint: String?
    package let event: WorkerEvent
    package let head: RequestHead
    package let properties: RequestProperties?
    /// When it began.
    package let time: Timestamp
    /// The location that it happened at, as `request.cf.colo` has it; nil if that is this one.
    package var colo: String?
    package private(set) var logs: [Log]
    package private(set) var failures: [Failure]
    package var outcome = Outcome.ok
    /// 0 if there was no answer.
    package var status = 0
    /// Nanoseconds.
    package var wallTime: UInt64 = 0
    package var cpuTime: UInt64 = 0
    /// Roughly, in bytes.
    package private(set) var size: Int

    /// - Parameters:
    ///   - logs: what was logged before.
    ///   - failures: those before.
    package init(
        worker: String, version: String, entrypoint: String?, event: WorkerEvent, head: RequestHead,
        properties: RequestProperties?, time: Timestamp = .now, logs: [Log] = [], failures: [Failure] = []
    ) {
        self.worker = worker
        self.version = version
        self.entrypoint = entrypoint
        self.event = event
        self.head = head
        self.properties = properties
        self.time = time
        self.logs = logs
        self.failures = failures
        size = head.bytes.count + 1_024 + logs.reduce(0) { $0 + $1.size } + failures.reduce(0) { $0 + $1.size }
    }

    package mutating func log(_ level: String, _ text: String) {
        let log = Log(level: level, text: text, time: .now)
        logs.append(log)
        size += log.size
    }

    /// Failures that a trace has at most; a promise may be rejected in a loop.
    private static let mostFailures = 64

    package mutating func fail(_ text: String) {
        guard failures.count < Self.mostFailures else { return }
        let failure = Failure(text, at: .now)
        failures.append(failure)
        size += failure.size
    }
}

/// Where traces go. Called on lanes: it must be quick and never block.
package protocol TraceSink: AnyObject, Sendable {
    /// Whether anybody wants to see what that Worker does.
    func follows(_ worker: String) -> Bool
    func take(_ trace: Trace)
}
