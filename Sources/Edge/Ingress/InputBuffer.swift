internal import Glibc
internal import Model

/// What has arrived on a connection and is not consumed: first the part of a body that is free of its framing, then
/// bytes as they came.
///
/// Bytes are received into a block that all connections of a lane share; only what is left of them at the end of an
/// event moves to memory of the connection's own. Most requests leave nothing, and so an idle connection has no
/// buffer.
struct InputBuffer {
    /// Bytes received at a time, at most: a body of 100 kB in one go.
    static let blockSize = 128 << 10
    /// There is at least so much room where something is there already.
    private static let leastRoom = 4 << 10

    private let block: UnsafeMutablePointer<UInt8>
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private var own: UnsafeMutablePointer<UInt8>?
    private var ownCapacity = 0
    /// The body's bytes; a part of `bytes` before `raw`.
    var body = 0..<0
    /// Bytes as they came.
    var raw = 0..<0

    /// `block` has `blockSize` bytes, of use to one connection at a time.
    init(sharing block: UnsafeMutablePointer<UInt8>) {
        self.block = block
        bytes = block
    }

    var isEmpty: Bool { body.isEmpty && raw.isEmpty }

    var rawBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes + raw.lowerBound, count: raw.count) }

    /// Makes room and says how much there is.
    mutating func prepareToReceive() -> Int {
        if isEmpty {
            bytes = block
            body = 0..<0
            raw = 0..<0
            return Self.blockSize
        }
        makeRoom()
        return ownCapacity - raw.upperBound
    }

    /// One `recv`; its result.
    mutating func receive(from descriptor: Int32) -> Int {
        let end = raw.upperBound
        let room = (bytes == block ? Self.blockSize : ownCapacity) - end
        let count = recv(descriptor, bytes + end, room, Int32(MSG_DONTWAIT))
        if count > 0 { raw = raw.lowerBound..<end + count }
        return count
    }

    /// Takes as many of `source`'s bytes as there is room for; their number.
    mutating func receive(copying source: UnsafeRawBufferPointer) -> Int {
        let end = raw.upperBound
        let count = min(source.count, (bytes == block ? Self.blockSize : ownCapacity) - end)
        if let start = source.baseAddress, count > 0 { memcpy(bytes + end, start, count) }
        raw = raw.lowerBound..<end + count
        return count
    }

    mutating func consumeRaw(_ count: Int) {
        raw = raw.lowerBound + count..<raw.upperBound
    }

    mutating func consumeBody(_ count: Int) {
        body = body.lowerBound + count..<body.upperBound
    }

    /// Makes the next so many raw bytes part of the body.
    mutating func takeAsBody(_ count: Int) {
        let start = body.isEmpty ? raw.lowerBound : body.lowerBound
        body = start..<raw.lowerBound + count
        consumeRaw(count)
    }

    /// Takes what can be taken of the raw bytes out of its chunks.
    mutating func decode(with decoder: inout ChunkedDecoder, limits: borrowing IngressLimits) -> ChunkedDecoder.Progress
    {
        decoder.decode(bytes, raw: &raw, body: &body, limits: limits)
    }

    mutating func dropBody() {
        body = raw.lowerBound..<raw.lowerBound
    }

    /// Lets go of the shared block, at the end of an event.
    mutating func settle() {
        if isEmpty {
            release()
        } else if bytes == block {
            let needed = body.count + raw.count
            moveToOwn(capacity: needed + max(needed, Self.leastRoom))
        }
    }

    mutating func release() {
        free(own)
        own = nil
        ownCapacity = 0
        bytes = block
        body = 0..<0
        raw = 0..<0
    }

    private mutating func makeRoom() {
        guard ownCapacity - raw.upperBound < Self.leastRoom || bytes == block else { return }
        let needed = body.count + raw.count
        if bytes != block, ownCapacity - needed >= max(needed, Self.leastRoom) {
            compact(into: bytes)
        } else {
            moveToOwn(capacity: needed + max(needed, Self.leastRoom))
        }
    }

    private mutating func moveToOwn(capacity: Int) {
        guard let memory = malloc(capacity) else { fatalError("out of memory") }
        let larger = memory.assumingMemoryBound(to: UInt8.self)
        compact(into: larger)
        free(own)
        own = larger
        ownCapacity = capacity
    }

    private mutating func compact(into target: UnsafeMutablePointer<UInt8>) {
        memmove(target, bytes + body.lowerBound, body.count)
        memmove(target + body.count, bytes + raw.lowerBound, raw.count)
        bytes = target
        raw = body.count..<body.count + raw.count
        body = 0..<body.count
    }
}
