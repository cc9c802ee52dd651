internal import Foundation
internal import Model
package import Runtime

/// The admin port: `GET /__martlet/status`, as JSON.
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

    private let placement: Placement
    private let workers: @Sendable () -> [String: Worker]

    /// - Parameter workers: those that are served, by the names that the page shows.
    package init(placement: Placement, workers: @escaping @Sendable () -> [String: Worker]) {
        self.placement = placement
        self.workers = workers
    }

    package func handle(_ exchange: any Exchange) {
        exchange.discardBody()
        let url = exchange.head.urlString
        let path = url.split(separator: "/", maxSplits: 2).dropFirst(2).first.map { "/" + $0 } ?? "/"
        guard path.split(separator: "?").first == "/__martlet/status" else {
            return ErrorPage(status: 404, message: "The status page is /__martlet/status.", outcome: .ok)
                .respond(to: exchange)
        }
        guard ["GET", "HEAD"].contains(exchange.head.methodString) else {
            return ErrorPage(status: 405, message: "Only GET and HEAD work here.", outcome: .ok).respond(to: exchange)
        }
        answer(exchange)
    }

    private func answer(_ exchange: any Exchange) {
        let json = json()
        var fields = "content-type: application/json\r\ncache-control: no-store\r\n"
        fields.withUTF8 { fields in
            json.withUnsafeBytes { json in
                let head = ResponseHead(
                    status: 200, reason: UnsafeRawBufferPointer(start: nil, count: 0),
                    fields: UnsafeRawBufferPointer(fields))
                exchange.respond(head, body: .bytes(json))
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

    private static var residentBytes: Int {
        let line = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
