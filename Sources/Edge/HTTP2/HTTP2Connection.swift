internal import Glibc
internal import Model
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Runtime

/// One client's HTTP/2 connection over TLS (RFC 9113). SwiftNIO's handler knows frames, header compression, flow
/// control and the states of streams; here requests become exchanges of the lane, and limits are kept.
///
/// Calls of exchanges may come from inside JavaScript, which must not be entered again from there: handlers and
/// observers are called from the loop alone, in `advance`.
final class HTTP2Connection: IngressMember {
    enum Phase {
        case open
        /// The last frames are on their way.
        case closing
        /// Our half is closed; what the client still sends is dropped until it has read our last words.
        case lingering
        case closed
    }

    /// So often bytes are received before others have their turn.
    private static let receivesPerTurn = 4

    let ingress: Ingress
    let socket: AcceptedSocket
    let secure: SecureSocket
    let limits: HTTP2Limits
    var index = 0
    private var registration: Runtime.EventLoop.Registration?

    var phase = Phase.open
    var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    /// Requests that the handler has not got yet.
    var arrived: [HTTP2Stream] = []
    /// Streams that have something to tell, or to be told.
    private var noted: [HTTP2Stream] = []
    var lastStream = HTTP2StreamID(0)
    /// No further requests: we have said so, or the client has.
    var isLeaving = false
    var hasSentGoAway = false
    /// The handler has given the connection up.
    var hasFailed = false
    var inboundWindow = 65_535
    /// WINDOW_UPDATE frames that nothing explains.
    var windowUpdates = 0
    /// Requests beyond the number that may be under way.
    var refusedStreams = 0

    private var mayReceive = true
    private var isBlocked = false
    private var isBroken = false
    private var peerHasClosed = false
    private var isActive = false
    private var isQueued = false
    private var readDeadline = UInt64.max
    private var writeDeadline = UInt64.max

    /// Made by the first request; nil if requests are not to be marked.
    private(set) lazy var clientFields = ingress.settings.location.map {
        ClientFields(of: socket.address, at: $0, isSecure: true)
    }

    var loop: Runtime.EventLoop { ingress.loop }

    init(_ socket: AcceptedSocket, ingress: Ingress, secure: SecureSocket) throws(SystemCallError) {
        self.socket = socket
        self.ingress = ingress
        self.secure = secure
        limits = ingress.settings.http2
        registration = try ingress.loop.register(
            socket.descriptor, for: [.readable, .writable, .peerClosed, .onChange], handler: self)
        expectInput(within: ingress.times.header)
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        var streamConfiguration = NIOHTTP2Handler.StreamConfiguration()
        limits.apply(to: &configuration, &streamConfiguration, headerBytes: ingress.limits.headerBytes)
        let handler = NIOHTTP2Handler(
            mode: .server, frameDelegate: FrameWatcher(self), connectionConfiguration: configuration,
            streamConfiguration: streamConfiguration)
        secure.install([RecordGatherer(socket: secure), handler, FrameReceiver(self)])
    }

    // MARK: Turns

    /// All that follows from what has happened.
    private func advance() {
        var rounds = 0
        while mayReceive, wantsInput, rounds < Self.receivesPerTurn {
            receive()
            dispatch()
            rounds += 1
        }
        dispatch()
        tell()
        giveConnectionWindow()
        if phase == .open, ingress.isDraining { leave() }
        flush()
        tell()
        flush()
        settleEnd()
        if phase != .closed, mayReceive && wantsInput || !noted.isEmpty || canDispatch { resumeNextTurn() }
    }

    private func run(_ body: () -> Void) {
        guard phase != .closed else { return }
        isActive = true
        body()
        advance()
        isActive = false
    }

    private func resumeNextTurn() {
        loop.enqueue { [weak self] in self?.run {} }
    }

    /// Has `advance` called at the end of this turn, unless it is under way.
    func advanceLater() {
        guard !isActive, !isQueued else { return }
        isQueued = true
        loop.callAtEndOfTurn(self)
    }

    /// The stream has something to tell, or is to be looked at.
    func note(_ stream: HTTP2Stream) {
        if !stream.isNoted {
            stream.isNoted = true
            noted.append(stream)
        }
        advanceLater()
    }

    // MARK: Receiving

    private var wantsInput: Bool {
        switch phase {
        // A client that takes nothing is not listened to: its questions would have to be answered.
        case .open: secure.backlog < Connection.highWater
        case .lingering: true
        case .closing, .closed: false
        }
    }

    private func receive() {
        if phase == .lingering { return drop() }
        let count = secure.pump()
        if count > 0 {
            if !secure.mayHaveMore, !peerHasClosed { mayReceive = false }
            if secure.isEnded { isBroken = true }
        } else {
            mayReceive = false
            if count == 0 || errno != EAGAIN { isBroken = true }
        }
    }

    private func drop() {
        let room = InputBuffer.blockSize
        let count = recv(socket.descriptor, ingress.receiveBlock, room, Int32(MSG_DONTWAIT))
        if count == 0 || count < 0 && errno != EAGAIN {
            close()
        } else if count < 0 || count < room && !peerHasClosed {
            mayReceive = false
        }
    }

    /// Requests in a line have no answers yet that could be too many: one at a time waits there.
    private var canDispatch: Bool {
        !arrived.isEmpty && phase == .open && streams.values.reduce(0) { $0 + $1.unsentBytes } < limits.unsentBytes
            && !streams.values.contains(where: \.isInLine)
    }

    /// Hands over the requests that have come, as far as the client takes the answers.
    private func dispatch() {
        while canDispatch {
            let stream = arrived.removeFirst()
            guard !stream.isOver else { continue }
            socket.handler.handle(stream)
        }
    }

    // MARK: Telling

    /// Calls observers, and sends what streams owe.
    private func tell() {
        let due = noted
        noted = []
        for stream in due {
            stream.isNoted = false
            if stream.isGone { continue }
            if stream.wantsBody, stream.body.readableBytes > 0 || stream.hasEnded {
                stream.wantsBody = false
                stream.observer?.exchangeBodyReady(stream)
            }
            if stream.wantsRoom, stream.unsentBytes <= Connection.lowWater {
                stream.wantsRoom = false
                stream.observer?.exchangeWritable(stream)
            }
            settle(stream)
        }
    }

    private func settle(_ stream: HTTP2Stream) {
        if let increment = stream.windowToGive {
            send(HTTP2Frame(streamID: stream.id, payload: .windowUpdate(windowSizeIncrement: increment)))
        }
        // The answer is out and nobody reads the rest (RFC 9113, section 8.1). A client that needs no leave to send it
        // is let finish.
        if stream.hasSentEnd, !stream.hasEnded, !stream.isGone, !canFinish(stream) { reset(stream, .noError) }
    }

    private func canFinish(_ stream: HTTP2Stream) -> Bool {
        guard case .length(let length) = stream.request.body else { return false }
        return length - stream.receivedBytes <= stream.inboundWindow
    }

    /// What the client may send on all streams together grows as workers read.
    private func giveConnectionWindow() {
        guard phase == .open else { return }
        let waiting = streams.values.reduce(0) { $0 + $1.body.readableBytes }
        let missing = limits.connectionWindow - inboundWindow - waiting
        guard missing >= limits.connectionWindow / 2 else { return }
        send(HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: missing)))
    }

    // MARK: Sending

    func write(_ fields: HPACKHeaders, on stream: HTTP2Stream, isEnd: Bool) {
        send(HTTP2Frame(streamID: stream.id, payload: .headers(.init(headers: fields, endStream: isEnd))))
    }

    func write(_ fields: [(String, String)], on stream: HTTP2Stream, isEnd: Bool) {
        write(HPACKHeaders(fields), on: stream, isEnd: isEnd)
    }

    func write(_ bytes: ByteBuffer, on stream: HTTP2Stream, isEnd: Bool) {
        send(HTTP2Frame(streamID: stream.id, payload: .data(.init(data: .byteBuffer(bytes), endStream: isEnd))))
    }

    func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard !stream.isGone else { return }
        send(HTTP2Frame(streamID: stream.id, payload: .rstStream(code)))
    }

    func send(_ frame: HTTP2Frame) {
        guard phase == .open || phase == .closing else { return }
        secure.write(frame)
        advanceLater()
    }

    /// Sends what waits, as far as the kernel and the client's windows take it.
    private func flush() {
        guard phase == .open || phase == .closing, !isBroken else { return }
        secure.flushHandlers()
        while !isBlocked {
            let sent = secure.flush()
            if sent < 0, errno != EAGAIN {
                isBroken = true
                return
            }
            if sent > 0 { expectOutput() }
            guard secure.hasSentAll else {
                isBlocked = true
                if writeDeadline == .max { expectOutput() }
                return
            }
            writeDeadline = .max
            // The handler may have more for us now.
            guard secure.setWritable() else { return }
        }
    }

    // MARK: Deadlines

    var deadline: UInt64 {
        streams.values.reduce(min(readDeadline, writeDeadline)) { min($0, $1.readDeadline, $1.writeDeadline) }
    }

    /// Something has to arrive within that many nanoseconds; `.max` for no haste.
    func expectInput(within nanoseconds: UInt64) {
        readDeadline = nanoseconds == .max ? .max : loop.now &+ nanoseconds
        if readDeadline < ingress.nextSweep { ingress.sweep(by: readDeadline) }
    }

    private func expectOutput() {
        writeDeadline = loop.now &+ ingress.times.writeStall
        if writeDeadline < ingress.nextSweep { ingress.sweep(by: writeDeadline) }
    }

    func timedOut() {
        run {
            if phase == .lingering { return close() }
            if writeDeadline <= loop.now { return lost() }
            if readDeadline <= loop.now {
                readDeadline = .max
                leave()
            }
            for stream in Array(streams.values) {
                if stream.readDeadline <= loop.now {
                    stream.readDeadline = .max
                    fail(stream, .bodyTimeout)
                } else if stream.writeDeadline <= loop.now {
                    stream.writeDeadline = .max
                    cut(stream, .cancel, because: "The client does not take the answer.")
                }
            }
        }
    }

    // MARK: The end

    func drain() {
        run { mayReceive = true }
    }

    /// No further request: those under way end first.
    func leave() {
        guard phase == .open, !hasSentGoAway else { return }
        isLeaving = true
        send(
            HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil)))
    }

    private func settleEnd() {
        if isBroken { return lost() }
        switch phase {
        case .open where hasFailed:
            loseStreams(because: "The client has broken HTTP/2's rules.")
            phase = .closing
            settleEnd()
        case .open where isLeaving && streams.isEmpty:
            leave()
            flush()
            phase = .closing
            settleEnd()
        case .closing where secure.hasSentAll: linger()
        case .open, .closing, .lingering, .closed: break
        }
    }

    /// Closes our half, so that the client reads our last words to their end instead of a reset.
    private func linger() {
        secure.finish()
        shutdown(socket.descriptor, Int32(SHUT_WR))
        phase = .lingering
        expectInput(within: ingress.times.linger)
        mayReceive = true
    }

    /// The client is gone.
    func lost() {
        guard phase != .closed else { return }
        secure.flush()
        close()
    }

    private func close() {
        guard phase != .closed else { return }
        phase = .closed
        loseStreams(because: "The client has disconnected.")
        secure.end()
        ingress.remove(self)
        if let registration { loop.closeAccepted(registration) }
        registration = nil
    }

    private func loseStreams(because reason: String) {
        let open = streams.values
        streams = [:]
        arrived = []
        for stream in open {
            stream.isGone = true
            stream.lose(because: reason)?.exchangeClosed(stream)
        }
    }
}

extension HTTP2Connection: EventHandler {
    func ready(_ readiness: Readiness) {
        run {
            if readiness.isAny(of: .failed) { isBroken = true }
            if readiness.isAny(of: .readable) { mayReceive = true }
            if readiness.isAny(of: .writable) { isBlocked = false }
            if readiness.isAny(of: .peerClosed) || readiness.isAny(of: .hungUp) {
                peerHasClosed = true
                mayReceive = true
            }
        }
    }
}

extension HTTP2Connection: TurnHandler {
    func endOfTurn() {
        isQueued = false
        run {}
    }
}
