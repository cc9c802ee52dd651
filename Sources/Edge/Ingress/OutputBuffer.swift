internal import Glibc

/// Blocks for answers, shared by the connections of a lane: the one given back last, still in the cache, is taken
/// first.
final class BlockPool {
    /// Holds the answers of most turns.
    static let blockSize = 16 << 10
    /// More than these go back to the system.
    private static let mostSpare = 64

    private var spare: [UnsafeMutablePointer<UInt8>] = []

    init() {
        spare.reserveCapacity(Self.mostSpare)
    }

    deinit {
        for block in spare { free(block) }
    }

    func take() -> UnsafeMutablePointer<UInt8> {
        spare.popLast() ?? Self.allocate(Self.blockSize)
    }

    func give(_ block: UnsafeMutablePointer<UInt8>) {
        if spare.count < Self.mostSpare {
            spare.append(block)
        } else {
            free(block)
        }
    }

    static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        guard let memory = malloc(count) else { fatalError("out of memory") }
        return memory.assumingMemoryBound(to: UInt8.self)
    }
}

/// What waits to be sent on a connection. It has memory only while something does.
struct OutputBuffer {
    private let pool: BlockPool
    private var bytes: UnsafeMutablePointer<UInt8>?
    private var start = 0
    private var end = 0
    private var capacity = 0

    init(pool: BlockPool) {
        self.pool = pool
    }

    var count: Int { end - start }
    var isEmpty: Bool { end == start }

    /// Room for that many bytes behind those that wait; `end(at:)` says how many were used.
    @inline(__always)
    mutating func room(_ needed: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - end < needed { grow(by: needed) }
        return bytes! + end
    }

    @inline(__always)
    mutating func end(at pointer: UnsafeMutablePointer<UInt8>) {
        end = pointer - bytes!
    }

    mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let first = source.baseAddress, source.count > 0 else { return }
        memcpy(room(source.count), first, source.count)
        end += source.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// One `send`; its result. What was sent is gone.
    mutating func send(to descriptor: Int32) -> Int {
        let sent = Glibc.send(descriptor, bytes! + start, count, Self.flags)
        if sent > 0 { consume(sent) }
        return sent
    }

    /// One `sendmsg` of what waits and, behind it, of `tail`, whose unsent part is then kept; its result.
    mutating func send(to descriptor: Int32, with tail: UnsafeRawBufferPointer) -> Int {
        let waiting = count
        var parts = (
            iovec(iov_base: bytes.map { UnsafeMutableRawPointer($0 + start) }, iov_len: waiting),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: tail.baseAddress), iov_len: tail.count)
        )
        let sent = withUnsafeMutablePointer(to: &parts) { parts in
            parts.withMemoryRebound(to: iovec.self, capacity: 2) { parts in
                var message = msghdr()
                message.msg_iov = parts
                message.msg_iovlen = 2
                return sendmsg(descriptor, &message, Self.flags)
            }
        }
        consume(min(max(sent, 0), waiting))
        append(UnsafeRawBufferPointer(rebasing: tail.dropFirst(max(0, sent - waiting))))
        return sent
    }

    mutating func release() {
        guard let bytes else { return }
        if capacity == BlockPool.blockSize {
            pool.give(bytes)
        } else {
            free(bytes)
        }
        self.bytes = nil
        start = 0
        end = 0
        capacity = 0
    }

    /// No signal for a connection that the peer has closed: the result says so.
    private static let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)

    /// The bytes that wait, until the buffer changes.
    var waiting: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes.map { $0 + start }, count: count) }

    mutating func consume(_ sent: Int) {
        start += sent
        if start == end { release() }
    }

    private mutating func grow(by needed: Int) {
        guard let old = bytes else {
            if needed <= BlockPool.blockSize {
                bytes = pool.take()
                capacity = BlockPool.blockSize
            } else {
                bytes = BlockPool.allocate(needed)
                capacity = needed
            }
            return
        }
        let waiting = count
        if start > 0, capacity - waiting >= needed {
            memmove(old, old + start, waiting)
        } else {
            let largerCapacity = max(waiting + needed, 2 * capacity)
            let larger = BlockPool.allocate(largerCapacity)
            memcpy(larger, old + start, waiting)
            release()
            bytes = larger
            capacity = largerCapacity
        }
        start = 0
        end = waiting
    }
}
