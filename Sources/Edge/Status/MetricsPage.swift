internal import Glibc
package import Model

/// The metrics of all hosts together, in Prometheus's text format, version 0.0.4.
package struct MetricsPage {
    package static let type = "text/plain; version=0.0.4; charset=utf-8"
    /// Workers that have series of their own: those with the most requests.
    private static let mostWorkers = 200

    private let hosts: [HostStatus]
    private let sum: RuntimeStatus

    /// - Parameter counted: what hosts that have ended counted, too; nil if none has.
    package init(_ hosts: [HostStatus], counted: RuntimeStatus? = nil) {
        self.hosts = hosts
        sum = counted ?? RuntimeStatus(sumOf: hosts.map(\.runtime))
    }

    package var text: [UInt8] {
        var text = MetricsText()
        process(&text)
        requests(&text)
        if let revision = sum.revision {
            text.gauge("store_revision", "The store's revision that is served.", Double(revision))
        }
        perWorker(&text)
        return Array(text.text.utf8)
    }

    private func process(_ text: inout MetricsText) {
        let numbers = sum
        text.gauge("isolates", "Isolates that run Workers.", Double(numbers.isolates))
        text.gauge("blank_isolates", "Isolates ready for cold starts.", Double(numbers.blankIsolates))
        text.counter(
            "condemned_isolates", "Isolates ended for a broken limit or a failure.", Double(numbers.condemnedIsolates))
        text.counter("leaked_isolates", "Condemned isolates whose memory is lost.", Double(numbers.leakedIsolates))
        text.counter("evictions", "Idle isolates ended for lack of room.", Double(numbers.evictions))
        text.gauge("memory_mappings", "Memory mappings of the process.", Double(numbers.memoryMappings))
        text.counter("lost_lanes", "Lanes given up in a call that did not end.", Double(numbers.lostLanes))
        text.family("lanes", "gauge", "Threads that run Workers.")
        text.sample("lanes", [("kind", "front")], Double(numbers.frontLanes))
        text.sample("lanes", [("kind", "back")], Double(numbers.backLanes))
        text.family("queue_depth", "gauge", "Jobs that wait for a thread.")
        text.sample("queue_depth", [("queue", "work")], Double(numbers.waitingWork))
        text.sample("queue_depth", [("queue", "storage")], Double(numbers.waitingStorageWork))
        let processes = Set(hosts.map(\.process) + [getpid()]).sorted()
        text.gauge("hosts", "Processes that run Workers.", Double(hosts.count))
        text.gauge(
            "resident_memory_bytes", "Resident memory of all processes.",
            Double(processes.reduce(0) { $0 + HostStatus.residentBytes(of: $1) }))
        text.counter(
            "cpu_seconds", "CPU time of all processes, those that have ended too.",
            processes.reduce(HostStatus.cpuSecondsOfEnded) { $0 + HostStatus.cpuSeconds(of: $1) })
    }

    private func requests(_ text: inout MetricsText) {
        let values = sum.requests
        text.family("requests_total", "counter", "Requests, calls and events that have ended.")
        for outcome in Outcome.allCases {
            text.sample(
                "requests_total", [("outcome", outcome.rawValue)], Double(values.outcomes[outcome.rawValue] ?? 0))
        }
        text.counter("cold_starts", "Requests that started an isolate.", Double(values.coldStarts))
        text.histogram("request_duration_seconds", "From arrival at the Worker to the end.", values.wall)
        text.histogram("request_cpu_seconds", "CPU time of a request, its cold start included.", values.cpu)
    }

    private func perWorker(_ text: inout MetricsText) {
        // A Worker's versions together.
        var sums: [Substring: RuntimeStatus.Worker] = [:]
        for (key, row) in sum.workers { sums[key.prefix { $0 != " " }, default: RuntimeStatus.Worker()].add(row) }
        let live = Set(hosts.flatMap { $0.runtime.workers.keys.map { $0.prefix { $0 != " " } } })
        text.gauge("workers", "Workers that have been asked for since they were deployed.", Double(live.count))
        let busiest = sums.sorted { ($0.value.requests, $1.key) > ($1.value.requests, $0.key) }
            .prefix(Self.mostWorkers)
        func series(_ name: String, _ type: String, _ help: String, _ value: (RuntimeStatus.Worker) -> Double) {
            text.family(name, type, "\(help) The \(Self.mostWorkers) with the most requests.")
            for (worker, sums) in busiest { text.sample(name, [("worker", String(worker))], value(sums)) }
        }
        series("worker_requests_total", "counter", "Requests.") { Double($0.requests) }
        series("worker_errors_total", "counter", "Requests whose outcome was not ok.") { Double($0.errors) }
        series("worker_cpu_seconds_total", "counter", "CPU time.") { Double($0.cpuMicroseconds) / 1e6 }
        series("worker_isolates", "gauge", "Isolates.") { Double($0.isolates) }
        series("worker_memory_bytes", "gauge", "Memory.") { Double($0.memoryBytes) }
    }
}

/// Lines of Prometheus's text format. Names begin with `martlet_`.
struct MetricsText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP martlet_\(name) \(help)\n# TYPE martlet_\(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Double) {
        let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        let number = Int64(exactly: value).map { String($0) } ?? String(value)
        text += "martlet_\(name)\(list.isEmpty ? "" : "{\(list)}") \(number)\n"
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, "gauge", help)
        sample(name, [], value)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Double) {
        family(name + "_total", "counter", help)
        sample(name + "_total", [], value)
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: RuntimeStatus.Histogram) {
        family(name, "histogram", help)
        var count: UInt64 = 0
        for (index, bound) in RuntimeStatus.Histogram.bounds.enumerated() {
            count += histogram.counts[index]
            sample(name + "_bucket", [("le", String(Double(bound) / 1e9))], Double(count))
        }
        count += histogram.counts.last ?? 0
        sample(name + "_bucket", [("le", "+Inf")], Double(count))
        sample(name + "_sum", [], Double(histogram.sum) / 1e9)
        sample(name + "_count", [], Double(count))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
