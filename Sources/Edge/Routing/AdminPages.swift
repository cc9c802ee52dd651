internal import Foundation
internal import Model
package import Runtime

/// The admin port of `serve --workers`: `GET /__martlet/status`, as JSON, `/metrics`, `/healthz` and `/readyz`.
package final class AdminPages: RequestHandler {
    /// One worker's row.
    struct WorkerStatus: Encodable {
        let requests: Int
        let errors: Int
        let cpuMicroseconds: UInt64
        let coldStarts: Int
        let isolates: Int
        let memoryBytes: Int
    }

    /// The process.
    struct ProcessStatus: Encodable {
        let pid: Int32
        let isolates: Int
        let blankIsolates: Int
        let condemnedIsolates: Int
        let leakedIsolates: Int
        let evictions: Int
        let frontLanes: Int
        let backLanes: Int
        let lostLanes: Int
        let memoryMappings: Int
        let residentBytes: Int
        /// Isolates failed in a way that may have left something behind: the process should be replaced some day.
        let tainted: Bool
    }

    struct Status: Encodable {
        let workers: [String: WorkerStatus]
        let process: ProcessStatus
    }

    let placement: Placement
    let workers: @Sendable () -> [String: Worker]

    /// Whether everybody who can reach the port may see how the process is.
    private let isOpen: Bool

    /// - Parameters:
    ///   - isOpen: whether who comes may see more than that the process is well.
    ///   - workers: those that are served, by the names that the page shows.
    package init(placement: Placement, isOpen: Bool = true, workers: @escaping @Sendable () -> [String: Worker]) {
        self.placement = placement
        self.isOpen = isOpen
        self.workers = workers
    }

    package func handle(_ exchange: any Exchange) {
        exchange.discardBody()
        let url = exchange.head.urlString
        let target = url.split(separator: "/", maxSplits: 2).dropFirst(2).first.map { "/" + $0 } ?? "/"
        let path = target.split(separator: "?").first ?? ""
        guard ["/__martlet/status", "/metrics", "/healthz", "/readyz"].contains(path) else {
            return ErrorPage(
                status: 404, message: "Here are /__martlet/status, /metrics, /healthz and /readyz.", outcome: .ok
            ).respond(to: exchange)
        }
        guard ["GET", "HEAD"].contains(exchange.head.methodString) else {
            return ErrorPage(status: 405, message: "Only GET and HEAD work here.", outcome: .ok).respond(to: exchange)
        }
        if path == "/healthz" || path == "/readyz" { return answer(exchange, Array("ok\n".utf8), "text/plain") }
        guard isOpen else {
            // There are no tokens without a platform.
            return ErrorPage(
                status: 403, message: "This page is only there if the admin port listens on this machine alone.",
                outcome: .ok
            ).respond(to: exchange)
        }
        if path == "/metrics" { return answer(exchange, metrics(revision: nil), Self.metricsType) }
        answer(exchange, json(), "application/json")
    }

    private func answer(_ exchange: any Exchange, _ body: [UInt8], _ type: String) {
        var fields = "content-type: \(type)\r\ncache-control: no-store\r\n"
        fields.withUTF8 { fields in
            body.withUnsafeBytes { body in
                let head = ResponseHead(
                    status: 200, reason: UnsafeRawBufferPointer(start: nil, count: 0),
                    fields: UnsafeRawBufferPointer(fields))
                exchange.respond(head, body: .bytes(body))
            }
        }
    }

    /// The page.
    package func json() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array((try? encoder.encode(status)) ?? Data("{}".utf8))
    }

    private var status: Status {
        let workers = workers().mapValues { worker in
            let counts = worker.counts
            return WorkerStatus(
                requests: counts.requests, errors: counts.errors, cpuMicroseconds: counts.cpuTime / 1_000,
                coldStarts: counts.coldStarts, isolates: counts.isolates, memoryBytes: counts.memory)
        }
        let numbers = placement.numbers
        return Status(
            workers: workers,
            process: ProcessStatus(
                pid: getpid(), isolates: numbers.isolates, blankIsolates: numbers.blankIsolates,
                condemnedIsolates: numbers.condemned, leakedIsolates: numbers.leaked, evictions: numbers.evictions,
                frontLanes: numbers.frontLanes, backLanes: numbers.backLanes, lostLanes: numbers.lostLanes,
                memoryMappings: numbers.mappings, residentBytes: Self.residentBytes,
                tainted: numbers.leaked > 0 || numbers.lostLanes > 0))
    }

    static var residentBytes: Int {
        let line = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
