internal import Model
internal import NIOCore
internal import NIOHTTP2
internal import Runtime

/// One request of an HTTP/2 connection, and its answer. When the answer is complete, or the client has gone, it is a
/// shell that ignores what its holder asks; what is left of the answer is sent nevertheless.
final class HTTP2Stream: Exchange {
    /// Where the answer stands.
    enum Answer {
        case awaited
        case length(remaining: Int)
        case open
        /// HEAD, or a status without a body: what is written is dropped.
        case bodiless
        case complete

        var isAwaited: Bool {
            if case .awaited = self { return true }
            return false
        }
    }

    let id: HTTP2StreamID
    var head = RequestHead()
    let hasBody: Bool
    var observer: (any ExchangeObserver)?
    /// Alive as long as this is not over, and as long as it is one of its streams.
    unowned let connection: HTTP2Connection
    /// Out of its holder's hands.
    var isOver = false
    /// Why reading the body fails then.
    var failure = ""

    var request = RequestFraming()
    /// The request's number.
    var ray: UInt64 = 0
    /// The body as far as it has arrived and was not read.
    var body = ByteBuffer()
    /// The client has sent all of the body.
    var hasEnded: Bool
    var receivedBytes = 0
    var isDiscarding = false
    var wantsBody = false
    var owesContinue = false
    /// Bytes that the client may still send.
    var inboundWindow: Int

    var answer = Answer.awaited
    /// Bytes of the answer that are on their way to TLS.
    var unsentBytes = 0
    var wantsRoom = false
    /// The end of the answer has been written: the rest of the request may be cancelled.
    var hasSentEnd = false
    /// The stream is no more.
    var isGone = false
    /// Waits for its account's turn.
    var isInLine = false
    /// Waits in the connection's list of those that have something to tell.
    var isNoted = false

    /// Monotonic nanoseconds by which something must have arrived, or have been taken.
    var readDeadline = UInt64.max
    var writeDeadline = UInt64.max

    init(_ id: HTTP2StreamID, of connection: HTTP2Connection, hasBody: Bool) {
        self.id = id
        self.connection = connection
        self.hasBody = hasBody
        hasEnded = !hasBody
        inboundWindow = connection.limits.streamWindow
    }

    func waits(inLine: Bool) {
        isInLine = inLine
        if !inLine, !isGone { connection.advanceLater() }
    }

    private var times: IngressTimes { connection.ingress.times }

    var properties: RequestProperties? {
        isGone
            ? nil
            : connection.ingress.settings.location.map {
                connection.socket.properties(at: $0, over: "HTTP/2", connection.secure)
            }
    }

    // MARK: The body, from the client

    /// - Returns: why the request has to end, if it has to.
    func receive(_ bytes: ByteBuffer) -> Rejection? {
        receivedBytes += bytes.readableBytes
        if receivedBytes > connection.ingress.limits.bodyBytes { return .oversizedBody }
        owesContinue = false
        if readDeadline != .max {
            let credit = readDeadline &+ UInt64(bytes.readableBytes) &* times.bodyByte
            readDeadline = min(connection.loop.now &+ times.body, credit)
        }
        if isDiscarding || isOver { return nil }
        // A copy: a slice would keep alive all that came with it.
        body.writeImmutableBuffer(bytes)
        if body.readableBytes >= connection.limits.streamWindow / 2 { readDeadline = .max }
        return nil
    }

    func receiveEnd() {
        hasEnded = true
        readDeadline = .max
    }

    /// A body is due.
    func expectBody() {
        guard !hasEnded, !owesContinue else { return }
        readDeadline = connection.loop.now &+ times.body
        connection.ingress.sweep(by: readDeadline)
    }

    /// How much more the client may be allowed to send, if that is worth a frame.
    var windowToGive: Int? {
        guard !hasEnded, !isGone, !hasSentEnd else { return nil }
        if isDiscarding || isOver, receivedBytes > connection.ingress.limits.discardedBytes { return nil }
        let missing = connection.limits.streamWindow - inboundWindow - body.readableBytes
        return missing >= connection.limits.streamWindow / 2 ? missing : nil
    }

    // MARK: The body, to the holder

    var isBodyComplete: Bool { hasEnded || isOver }
    var bodyBytesBuffered: Int { body.readableBytes }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        if isOver { return .failed(failure) }
        let count = min(limit, body.readableBytes)
        if count > 0 {
            // The memory stays as it is while `consume` has it, whatever that does.
            let piece = body
            piece.withUnsafeReadableBytes { consume(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            body.moveReaderIndex(forwardBy: min(count, body.readableBytes))
            if body.readableBytes == 0 { body = ByteBuffer() }
            if !hasEnded {
                if readDeadline == .max { expectBody() }
                connection.note(self)
            }
            return .bytes
        }
        if hasEnded || isDiscarding { return .end }
        wantsBody = true
        sendContinue()
        return .pending
    }

    func discardBody() {
        guard !isOver else { return }
        isDiscarding = true
        wantsBody = false
        body = ByteBuffer()
        connection.note(self)
    }

    /// Tells a client that waits for it to send the body (RFC 9110, section 10.1.1).
    private func sendContinue() {
        guard owesContinue, answer.isAwaited else { return }
        owesContinue = false
        connection.write([(":status", "100")], on: self, isEnd: false)
        expectBody()
    }

    // MARK: The end

    /// Takes it out of its holder's hands.
    func end(because reason: String) {
        isOver = true
        failure = reason
        body = ByteBuffer()
        wantsBody = false
        wantsRoom = false
    }

    /// Ends it without its holder's doing.
    /// - Returns: who has to be told of it, from the loop.
    func lose(because reason: String) -> (any ExchangeObserver)? {
        guard !isOver else { return nil }
        end(because: reason)
        return observer
    }
}
