internal import Synchronization

/// The calls that workers make of each other because of one request from outside. Any thread.
package final class CallChain: Sendable {
    /// Each worker that is called has CPU time of its own; without an end to their number one request would have no
    /// end of it. Cloudflare allows 32.
    static let limit = 1_000

    private let count = Atomic<Int>(0)

    package init() {}

    /// Counts one more. False if there were too many.
    func take() -> Bool { count.add(1, ordering: .relaxed).newValue <= Self.limit }
}
