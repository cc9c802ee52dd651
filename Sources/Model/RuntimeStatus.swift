/// What a process that runs Workers tells about itself, for the status page and the metrics.
package struct RuntimeStatus: Sendable, Equatable, Codable {
    package struct Worker: Sendable, Equatable, Codable {
        package var requests = 0
        package var errors = 0
        package var cpuMicroseconds = 0
        package var coldStarts = 0
        package var isolates = 0
        package var memoryBytes = 0
        package init() {}
    }

    /// How many requests took how long.
    package struct Histogram: Sendable, Equatable, Codable {
        /// Upper ends of the classes but the last, in nanoseconds.
        package static let bounds: [UInt64] = [
            500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
            500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        ]

        package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        /// Nanoseconds of all together.
        package private(set) var sum: UInt64 = 0

        package init() {}

        package mutating func record(_ time: UInt64) {
            counts[Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count] += 1
            sum += time
        }

        package mutating func add(_ other: Histogram) {
            for (index, count) in other.counts.enumerated() where index < counts.count { counts[index] &+= count }
            sum &+= other.sum
        }
    }

    package struct Requests: Sendable, Equatable, Codable {
        /// By the outcomes' names.
        package var outcomes: [String: UInt64] = [:]
        package var coldStarts: UInt64 = 0
        package var wall = Histogram()
        package var cpu = Histogram()

        package init() {}

        /// All of them.
        package var count: UInt64 { outcomes.values.reduce(0, &+) }

        package mutating func add(_ other: Requests) {
            outcomes.merge(other.outcomes, uniquingKeysWith: &+)
            coldStarts &+= other.coldStarts
            wall.add(other.wall)
            cpu.add(other.cpu)
        }
    }

    package var workers: [String: Worker] = [:]
    package var requests = Requests()
    package var isolates = 0
    package var blankIsolates = 0
    /// Isolates that were ended for a limit or a fatal error of V8.
    package var condemnedIsolates = 0
    /// Those among them whose memory could not be given back.
    package var leakedIsolates = 0
    package var evictions = 0
    package var frontLanes = 0
    package var backLanes = 0
    package var lostLanes = 0
    package var memoryMappings = 0
    /// Jobs that wait for a thread.
    package var waitingWork = 0
    package var waitingStorageWork = 0
    /// The store's revision as of which requests are routed; nil where there is no store.
    package var revision: Int64?

    package init() {}

    /// What failed in a way that left something behind: with too much of it the process should be replaced.
    package var taint: Int { leakedIsolates + lostLanes }

    /// All of some processes together. The mappings are those of the one that has the most: each has its own limit.
    package init(sumOf all: [RuntimeStatus]) {
        self.init()
        let sums: [WritableKeyPath<RuntimeStatus, Int>] = [
            \.isolates, \.blankIsolates, \.condemnedIsolates, \.leakedIsolates, \.evictions, \.frontLanes, \.backLanes,
            \.lostLanes, \.waitingWork, \.waitingStorageWork,
        ]
        for status in all {
            for path in sums { self[keyPath: path] &+= status[keyPath: path] }
            memoryMappings = max(memoryMappings, status.memoryMappings)
            revision = [revision, status.revision].compactMap { $0 }.min()
            requests.add(status.requests)
            for (name, row) in status.workers { workers[name, default: Worker()].add(row) }
        }
    }

    /// Adds what only grows, the Workers' own aside.
    package mutating func addCounters(of other: RuntimeStatus) {
        let counters: [WritableKeyPath<RuntimeStatus, Int>] = [
            \.condemnedIsolates, \.leakedIsolates, \.evictions, \.lostLanes,
        ]
        for path in counters { self[keyPath: path] &+= other[keyPath: path] }
        requests.add(other.requests)
    }
}

extension RuntimeStatus.Worker {
    package mutating func add(_ other: Self) {
        requests &+= other.requests
        errors &+= other.errors
        cpuMicroseconds &+= other.cpuMicroseconds
        coldStarts &+= other.coldStarts
        isolates &+= other.isolates
        memoryBytes &+= other.memoryBytes
    }
}
