internal import Isolates
internal import Model
internal import WebAPI

// What a request's answer says of its cost, under `martlet dev`.

extension Instance {
    /// Lends the head of an answer.
    func withHead<Value>(_ answer: Answer, of context: RequestContext, _ body: (ResponseHead) -> Value) -> Value {
        guard lane.placement.showsTimings, context.exchange.service == nil else {
            return body(ResponseHead(answer, context.outcome))
        }
        let fields = Array(answer.fields) + Array(timings(of: context).utf8)
        return fields.withUnsafeBytes {
            body(
                ResponseHead(status: answer.status, reason: answer.reason, fields: $0, outcome: context.outcome))
        }
    }

    /// The field Server-Timing (W3C, Server Timing), in milliseconds.
    private func timings(of context: RequestContext) -> String {
        let cpu = context.cpuTime + (CPUClock.threadTime() - callBegan)
        let total = EventLoop.monotonicNow() - context.startedAt
        let start = context.isColdStart ? ", start;dur=\(Self.milliseconds(context.startUpTime))" : ""
        return "server-timing: cpu;dur=\(Self.milliseconds(cpu)), total;dur=\(Self.milliseconds(total))\(start)\r\n"
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let hundredths = (nanoseconds + 5_000) / 10_000
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
