internal import Glibc
package import Model
package import Runtime

/// A process that runs Workers, as the status page and the metrics show it.
package struct HostStatus: Sendable {
    package let process: Int32
    /// Whose Workers it runs; nil where there is one host for all.
    package let cordon: String?
    package let runtime: RuntimeStatus

    package init(process: Int32, cordon: String?, runtime: RuntimeStatus) {
        self.process = process
        self.cordon = cordon
        self.runtime = runtime
    }

    var residentBytes: Int { Self.residentBytes(of: process) }

    /// 0 if there is no such process.
    static func residentBytes(of process: Int32) -> Int {
        let pages = Self.words(of: "/proc/\(process)/statm").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// CPU time of all its threads, in seconds.
    static func cpuSeconds(of process: Int32) -> Double {
        // Fields 14 and 15 of proc(5), after a name that may hold anything but ends with the last parenthesis.
        let words = Self.words(of: "/proc/\(process)/stat", after: ")")
        guard words.count > 12, let user = Double(words[11]), let system = Double(words[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// CPU time of those that this process has started and that have ended, in seconds.
    static var cpuSecondsOfEnded: Double {
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func words(of path: String, after mark: Character? = nil) -> [Substring] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = read(file, &bytes, bytes.count)
        var text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)[...]
        if let mark, let end = text.lastIndex(of: mark) { text = text[text.index(after: end)...] }
        return text.split { $0 == " " || $0 == "\n" }
    }
}

extension RuntimeStatus {
    /// What this process is doing.
    /// - Parameters:
    ///   - workers: those that are served, by the names that the page shows.
    ///   - revision: the store's, as far as it is served; nil where there is no store.
    package init(_ placement: Placement, workers: [String: Runtime.Worker], revision: Int64?) {
        self.init()
        self.workers = workers.mapValues { worker in
            let counts = worker.counts
            var row = Worker()
            row.requests = counts.requests
            row.errors = counts.errors
            row.cpuMicroseconds = Int(counts.cpuTime / 1_000)
            row.coldStarts = counts.coldStarts
            row.isolates = counts.isolates
            row.memoryBytes = counts.memory
            return row
        }
        let values = placement.timings
        for outcome in Outcome.allCases { requests.outcomes[outcome.rawValue] = values.count(of: outcome) }
        requests.coldStarts = values.coldStarts
        requests.wall = values.wall
        requests.cpu = values.cpu
        let numbers = placement.numbers
        isolates = numbers.isolates
        blankIsolates = numbers.blankIsolates
        condemnedIsolates = numbers.condemned
        leakedIsolates = numbers.leaked
        evictions = numbers.evictions
        frontLanes = numbers.frontLanes
        backLanes = numbers.backLanes
        lostLanes = numbers.lostLanes
        memoryMappings = numbers.mappings
        waitingWork = numbers.waitingWork
        waitingStorageWork = numbers.waitingStorageWork
        self.revision = revision
    }
}
