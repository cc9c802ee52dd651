internal import CLinux
internal import Glibc
internal import Synchronization

/// The sockets of one loop's connections. When the loop is lost in code that does not return, another thread ends them
/// all, so that their clients do not wait for an answer that will never come.
package final class AcceptedSockets: Sendable {
    private let descriptors = Mutex<Set<Int32>>([])

    package init() {}

    package var count: Int { descriptors.withLock { $0.count } }

    /// Takes the next connection from a listening socket's queue; -1, with `errno`, if there is none. Neither that
    /// nor its reads and writes block. The client's address goes to `address`, which has room for a
    /// `sockaddr_storage`.
    package func accept(from listener: Int32, _ address: UnsafeMutableRawBufferPointer) -> Int32 {
        var length = socklen_t(address.count)
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = accept4(listener, address.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length, flags)
        if descriptor >= 0 { _ = descriptors.withLock { $0.insert(descriptor) } }
        return descriptor
    }

    /// Makes a socket, of which nothing has been read yet, another loop's.
    package func hand(_ descriptor: Int32, to other: AcceptedSockets) {
        _ = descriptors.withLock { $0.remove(descriptor) }
        _ = other.descriptors.withLock { $0.insert(descriptor) }
    }

    /// A socket that another process has accepted is this loop's from now on.
    package func adopt(_ descriptor: Int32) { _ = descriptors.withLock { $0.insert(descriptor) } }

    /// A socket is not this loop's any more; whoever gets it closes it.
    package func release(_ descriptor: Int32) { _ = descriptors.withLock { $0.remove(descriptor) } }

    /// Removes and closes a socket. Both under the lock: else its number could be another's when `shutdownAll` gets
    /// to it.
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
