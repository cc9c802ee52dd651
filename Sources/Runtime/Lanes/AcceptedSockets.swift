import Glibc
import Synchronization

/// The sockets of one loop's connections. When the loop is lost in code that does not return, another thread ends them
/// all, so that their clients do not wait for an answer that will never come.
package final class AcceptedSockets: Sendable {
    private let descriptors = Mutex<Set<Int32>>([])

    package init() {}

    package var count: Int { descriptors.withLock { $0.count } }

    /// Adds a socket, before anything is read from it.
    package func insert(_ descriptor: Int32) {
        _ = descriptors.withLock { $0.insert(descriptor) }
    }

    /// Removes and closes a socket. Both under the lock: else its number could be another's when `shutdownAll` gets to it.
    package func close(_ descriptor: Int32) {
        descriptors.withLock {
            $0.remove(descriptor)
            _ = Glibc.close(descriptor)
        }
    }

    /// Ends every connection both ways; the descriptors stay open, for they are the loop's. From any thread.
    package func shutdownAll() {
        descriptors.withLock {
            for descriptor in $0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}
