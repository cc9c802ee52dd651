package import Model
internal import Synchronization

/// Where a host's traces go: to the supervisor, if somebody there follows their Worker. Any thread.
package final class RemoteTraces: TraceSink {
    private let send: @Sendable (FromHost) -> Void
    private let followed = Mutex<Set<String>>([])
    /// As long as nobody follows any Worker, lanes look no further.
    private let isFollowing = Atomic<Bool>(false)

    package init(send: @escaping @Sendable (FromHost) -> Void) { self.send = send }

    /// Those, and no others.
    package func follow(_ names: [String]) {
        followed.withLock { $0 = Set(names) }
        isFollowing.store(!names.isEmpty, ordering: .releasing)
    }

    package func follows(_ worker: String) -> Bool {
        isFollowing.load(ordering: .acquiring) && followed.withLock { $0.contains(worker) }
    }

    package func take(_ trace: Trace) { send(.trace(trace)) }
}
