internal import Synchronization

/// The native work of one request: what it has used, and whether anybody still wants it. Any thread.
final class RequestWork: Sendable {
    private let nanoseconds = Atomic<UInt64>(0)
    private let ended = Atomic<Bool>(false)

    /// CPU time of all its jobs that have ended, in nanoseconds.
    var cpuTime: UInt64 { nanoseconds.load(ordering: .acquiring) }
    /// The request is over: what waits is not begun, and what can be stopped stops.
    var isEnded: Bool { ended.load(ordering: .acquiring) }

    func add(_ time: UInt64) { nanoseconds.add(time, ordering: .acquiringAndReleasing) }
    func end() { ended.store(true, ordering: .releasing) }
}
