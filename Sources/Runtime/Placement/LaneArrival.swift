internal import Isolates
internal import Synchronization

/// The next front lane, for a thread that waits for it.
final class LaneArrival: Sendable {
    /// A thread starts within moments, if at all.
    private static let patience: UInt64 = 10_000_000_000

    private let alarm = Alarm()
    private let lane = Mutex<Placement.LaneReference?>(nil)

    func set(_ reference: Placement.LaneReference) {
        lane.withLock { $0 = reference }
        alarm.ring()
    }

    /// - Returns: nil if none comes.
    func wait() -> Placement.LaneReference? {
        alarm.wait(nanoseconds: Self.patience)
        return lane.withLock { $0 }
    }
}
