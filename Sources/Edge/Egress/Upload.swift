internal import Model
internal import NIOCore

/// A request's body on its way to an origin, in pieces.
struct Upload {
    private var queue: CircularBuffer<ByteBuffer> = []
    private let body: EgressRequest.Body
    private var isFinished = false
    private var isClosed = false
    private var hasBegun = false
    /// Bytes given to the HTTP client that it has not got rid of.
    private var underWay = 0

    /// What is written at a time, and how much of it may wait for the origin: more would tell nothing of its progress.
    private static let pieceSize = 64 << 10

    init(of body: EgressRequest.Body) {
        self.body = body
        if case .stream = body { return }
        isFinished = true
        enqueueWhole()
    }

    /// Nil if nobody knows.
    var length: Int? {
        switch body {
        case .none, .upgrade: 0
        case .bytes(let bytes): bytes.count
        case .stream(let length): length
        }
    }

    var isStream: Bool {
        if case .stream = body { return true }
        return false
    }

    /// There is more to be sent, now or later.
    var isOpen: Bool { !isClosed && !(isFinished && queue.isEmpty && underWay == 0) }
    /// All is with the client; only its end has to be told.
    var isComplete: Bool { !isClosed && isFinished && queue.isEmpty && underWay == 0 }
    /// Bytes are under way that the origin has not taken.
    var isWaitingForOrigin: Bool { underWay > 0 }

    /// False if nobody wants it.
    mutating func append(_ bytes: [UInt8]) -> Bool {
        guard !isClosed, !isFinished else { return false }
        enqueue(bytes)
        return true
    }

    private mutating func enqueue(_ bytes: [UInt8]) {
        var rest = ByteBuffer(bytes: bytes)
        while let piece = rest.readSlice(length: min(Self.pieceSize, rest.readableBytes)), piece.readableBytes > 0 {
            queue.append(piece)
        }
    }

    private mutating func enqueueWhole() {
        if case .bytes(let bytes) = body { enqueue(bytes) }
    }

    mutating func finish() { isFinished = true }

    /// The next piece; nil if there is none, or the last one is not gone yet.
    mutating func next() -> ByteBuffer? {
        guard !isClosed, underWay == 0, let piece = queue.popFirst() else { return nil }
        hasBegun = true
        underWay = piece.readableBytes
        return piece
    }

    mutating func sent(_ bytes: Int) { underWay -= bytes }

    mutating func close() {
        isClosed = true
        queue.removeAll()
    }

    /// Makes ready for another attempt. False if what is gone cannot be had again.
    mutating func restart() -> Bool {
        guard hasBegun else { return true }
        guard !isStream else { return false }
        hasBegun = false
        underWay = 0
        queue.removeAll()
        enqueueWhole()
        return true
    }
}
