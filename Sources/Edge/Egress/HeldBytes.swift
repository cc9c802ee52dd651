internal import Synchronization

/// Bytes of bodies that are on their way in the whole egress. Any thread.
final class HeldBytes: Sendable {
    private let count = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var isFull: Bool { count.load(ordering: .relaxed) >= limit }

    func add(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }
    func subtract(_ bytes: Int) { count.subtract(bytes, ordering: .relaxed) }
}
