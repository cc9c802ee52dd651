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
}
