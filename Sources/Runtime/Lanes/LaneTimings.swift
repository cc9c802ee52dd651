package import Model
internal import Synchronization

/// What requests on one lane took, and how they ended. Each lane has its own, so that lanes do not wait for each other.
package final class LaneTimings: Sendable {
    /// How many requests took how long.
    package struct Histogram: Sendable {
        /// Upper ends of the classes but the last, in nanoseconds.
        package static let bounds: [UInt64] = [
            500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
            500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        ]

        package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        /// Nanoseconds of all together.
        package private(set) var sum: UInt64 = 0

        mutating func record(_ time: UInt64) {
            counts[Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count] += 1
            sum += time
        }

        mutating func add(_ other: Histogram) {
            for index in counts.indices { counts[index] += other.counts[index] }
            sum += other.sum
        }
    }

    package struct Values: Sendable {
        /// By the outcome's index.
        private var outcomes = [UInt64](repeating: 0, count: Outcome.allCases.count)
        package private(set) var coldStarts: UInt64 = 0
        package private(set) var wall = Histogram()
        package private(set) var cpu = Histogram()

        package func count(of outcome: Outcome) -> UInt64 { outcomes[outcome.index] }

        mutating func record(_ outcome: Outcome, wall: UInt64, cpu: UInt64, isColdStart: Bool) {
            outcomes[outcome.index] += 1
            if isColdStart { coldStarts += 1 }
            self.wall.record(wall)
            self.cpu.record(cpu)
        }

        mutating func add(_ other: Values) {
            for index in outcomes.indices { outcomes[index] += other.outcomes[index] }
            coldStarts += other.coldStarts
            wall.add(other.wall)
            cpu.add(other.cpu)
        }
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    /// - Parameters:
    ///   - wall: nanoseconds from the request's arrival at the Worker to its end.
    ///   - cpu: nanoseconds.
    func record(_ outcome: Outcome, wall: UInt64, cpu: UInt64, isColdStart: Bool) {
        state.withLock { $0.record(outcome, wall: wall, cpu: cpu, isColdStart: isColdStart) }
    }
}
