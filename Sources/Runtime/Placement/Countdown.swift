internal import Synchronization

/// Calls back at the last of some steps, which may be taken on any threads.
package final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let completion: @Sendable () -> Void

    package init(_ count: Int, _ completion: @escaping @Sendable () -> Void) {
        left = Atomic(count)
        self.completion = completion
    }

    @Sendable package func step() {
        if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { completion() }
    }

    package func finish() { completion() }
}
