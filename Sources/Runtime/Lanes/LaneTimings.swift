package import Model
internal import Synchronization

/// What requests on one lane took, and how they ended. Each lane has its own, so that lanes do not wait for each other.
package final class LaneTimings: Sendable {
    package struct Values: Sendable {
        /// By the outcome's index.
        private var outcomes = [UInt64](repeating: 0, count: Outcome.allCases.count)
        package private(set) var coldStarts: UInt64 = 0
        package private(set) var wall = RuntimeStatus.Histogram()
        package private(set) var cpu = RuntimeStatus.Histogram()

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
