internal import Model
internal import Synchronization

/// The calls that workers make of each other because of one request from outside. Any thread.
package final class CallChain: Sendable {
    /// Each worker that is called has CPU time of its own; without an end to their number one request would have no
    /// end of it. Cloudflare allows 32.
    static let limit = 1_000

    private let id: UInt64
    private let count: Atomic<Int>

    package init() {
        id = .random(in: 0...(.max))
        count = Atomic(0)
    }

    /// What goes on here and began in another process.
    init(after position: CallPosition) {
        id = position.chain
        count = Atomic(max(0, min(position.count, Self.limit)))
    }

    /// Counts one more. False if there were too many.
    func take() -> Bool { count.add(1, ordering: .relaxed).newValue <= Self.limit }

    var position: CallPosition { CallPosition(chain: id, count: count.load(ordering: .relaxed)) }
}
