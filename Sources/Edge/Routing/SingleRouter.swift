internal import Glibc
internal import Model
package import Runtime

/// Sends every request to the one worker of `martlet dev`. Bound to a lane.
package final class SingleRouter: RequestHandler {
    /// The name under which the worker stands in the table.
    package static let name = "worker"

    private let lane: Lane
    private let table: WorkerTable
    private var entry: WorkerTable.Entry?
    private var version = -1

    package init(lane: Lane, table: WorkerTable) {
        self.lane = lane
        self.table = table
    }

    package func handle(_ exchange: any Exchange) {
        if version != table.version {
            version = table.version
            entry = table.entries[Self.name]
        }
        switch entry {
        case .worker(let worker):
            if let trigger = ScheduledTrigger(exchange.head) { return run(trigger, of: worker, for: exchange) }
            lane.dispatch(exchange, to: worker)
        case .broken: ErrorPage(.exception).respond(to: exchange)
        case nil: ErrorPage(.scriptNotFound).respond(to: exchange)
        }
    }

    /// Runs the handler of scheduled events, and says in the answer how that went.
    private func run(_ trigger: ScheduledTrigger, of worker: Worker, for exchange: any Exchange) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = Double(time.tv_sec) * 1e3 + Double(time.tv_nsec / 1_000_000)
        let event = ScheduledEvent(cron: trigger.cron, scheduledTime: trigger.time ?? now)
        let eventExchange = EventExchange(.scheduled(event)) { result in
            guard result.outcome == .ok else { return ErrorPage(result.outcome).respond(to: exchange) }
            let text = Array("Ran scheduled event".utf8)
            let fields = Array("content-type: text/plain\r\n".utf8)
            text.withUnsafeBytes { text in
                fields.withUnsafeBytes { fields in
                    let reason = UnsafeRawBufferPointer(start: nil, count: 0)
                    exchange.respond(ResponseHead(status: 200, reason: reason, fields: fields), body: .bytes(text))
                }
            }
        }
        lane.dispatch(eventExchange, to: worker)
    }
}

/// `/__scheduled?cron=*+*+*+*+*` under `martlet dev`: a cron trigger by hand, as Workers' own tools have it. `time` (in
/// milliseconds since 1970) stands in for now.
struct ScheduledTrigger: Equatable {
    static let path = "/__scheduled"

    let cron: String
    let time: Double?

    init?(_ head: RequestHead) {
        let url = head.bytes[head.url]
        guard let slash = url.dropFirst("http://".utf8.count).firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let target = url[slash...]
        guard target.starts(with: Self.path.utf8) else { return nil }
        let rest = target.dropFirst(Self.path.utf8.count)
        guard rest.isEmpty || rest.first == UInt8(ascii: "?") else { return nil }
        var values: [String: String] = [:]
        for pair in rest.dropFirst().split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            values[Self.decoded(parts[0])] = parts.count > 1 ? Self.decoded(parts[1]) : ""
        }
        cron = values["cron"] ?? ""
        time = values["time"].flatMap { Double($0) }
    }

    /// Of application/x-www-form-urlencoded.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let hex = index + 2 < text.endIndex ? String(decoding: text[(index + 1)...(index + 2)], as: UTF8.self) : ""
            if text[index] == UInt8(ascii: "%"), let byte = UInt8(hex, radix: 16) {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(text[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : text[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
