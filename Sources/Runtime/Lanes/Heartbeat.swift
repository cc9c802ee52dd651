internal import Synchronization

/// Where a loop stands, for a watchdog on another thread.
///
/// A loop is stuck if `busySince` is long ago and `slices` has not moved since: a turn may be long because many
/// handlers are short, but one handler that does not return stops both.
package final class Heartbeat: Sendable {
    private let turnStart = Atomic<UInt64>(0)
    private let sliceCount = Atomic<UInt64>(0)

    package init() {}

    /// Monotonic nanoseconds at which the turn under way began; nil while the loop waits.
    package var busySince: UInt64? {
        let start = turnStart.load(ordering: .acquiring)
        return start == 0 ? nil : start
    }

    /// How many handlers, timers and tasks the loop has called so far.
    package var slices: UInt64 { sliceCount.load(ordering: .acquiring) }

    /// Only the loop's thread writes, so load and store need not be one step.
    @inline(__always)
    func beat() {
        sliceCount.store(sliceCount.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    func beginTurn(at now: UInt64) {
        turnStart.store(now, ordering: .releasing)
    }

    func beginWait() {
        turnStart.store(0, ordering: .releasing)
    }
}
