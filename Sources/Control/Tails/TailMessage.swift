internal import Foundation
internal import Model

/// What a tail is sent: a text of JSON for each event, as `trace-v1` has it.
enum TailMessage {
    /// Fields whose values let somebody in.
    private static let secretFields: Set<String> = [
        "authorization", "cookie", "proxy-authorization", "set-cookie", "x-auth-key",
    ]

    /// - Parameter colo: of this location.
    static func text(of trace: Trace, at colo: String) -> String {
        let name = trace.worker.split(separator: "/", maxSplits: 1).last.map(String.init) ?? trace.worker
        var message: [String: JSONValue] = [
            "outcome": .string(trace.outcomeName), "scriptName": .string(name),
            "exceptions": .array(trace.failures.map(json)), "logs": .array(trace.logs.map(json)),
            "eventTimestamp": json(trace.time), "event": .object(event(of: trace)),
            // Ours: milliseconds.
            "cpuTime": .number(Double(trace.cpuTime / 1_000_000)),
            "wallTime": .number(Double(trace.wallTime / 1_000_000)), "colo": .string(trace.colo ?? colo),
        ]
        if let entrypoint = trace.entrypoint { message["entrypoint"] = .string(entrypoint) }
        if !trace.version.isEmpty { message["scriptVersion"] = ["id": .string(trace.version)] }
        return JSONValue.object(message).text
    }

    /// What is said when events were left out.
    static func text(ofDropped count: Int, of worker: String) -> String {
        let text = "\(count) events were dropped: they came faster than this tail reads."
        let message: JSONValue = [
            "outcome": "unknown", "scriptName": .string(worker), "exceptions": [], "logs": [],
            "eventTimestamp": json(.now), "event": ["type": "overload", "message": .string(text)],
        ]
        return message.text
    }

    private static func json(_ time: Timestamp) -> JSONValue { .number(Double(time.milliseconds)) }

    private static func json(_ failure: Trace.Failure) -> JSONValue {
        var shape: [String: JSONValue] = [
            "name": .string(failure.name), "message": .string(failure.message), "timestamp": json(failure.time),
        ]
        if !failure.stack.isEmpty { shape["stack"] = .string(failure.stack) }
        return .object(shape)
    }

    private static func json(_ log: Trace.Log) -> JSONValue {
        let level = log.level == "trace" ? "debug" : log.level
        return ["message": [.string(log.text)], "level": .string(level), "timestamp": json(log.time)]
    }

    private static func event(of trace: Trace) -> [String: JSONValue] {
        switch trace.event {
        case .fetch: request(of: trace)
        case .scheduled(let event): ["cron": .string(event.cron), "scheduledTime": .number(event.scheduledTime)]
        case .rpc(let call): ["rpcMethod": .string(call.method)]
        }
    }

    private static func request(of trace: Trace) -> [String: JSONValue] {
        var headers: [String: JSONValue] = [:]
        for (name, value) in trace.fields {
            let shown = secretFields.contains(name) ? "REDACTED" : value
            headers[name] = .string(headers[name]?.string.map { "\($0), \(shown)" } ?? shown)
        }
        var request: [String: JSONValue] = [
            "url": .string(trace.head.urlString), "method": .string(trace.head.methodString),
            "headers": .object(headers),
        ]
        if let text = trace.properties?.json(acceptEncoding: nil),
            let cf = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        {
            request["cf"] = cf
        }
        guard trace.status != 0 else { return ["request": .object(request)] }
        return ["request": .object(request), "response": ["status": .number(Double(trace.status))]]
    }
}
