internal import Isolates
internal import Model
internal import WebAPI

/// The WebSocket that a connection has become: frames to the one side, events in JavaScript to the other. Bound to the
/// lane.
final class WebSocketLink: SocketEnd {
    /// What we are to the other side.
    enum Role {
        case server
        /// Masks what it sends.
        case client
    }

    /// Bytes read at a time.
    private static let pieceSize = 64 << 10
    /// How long (ns) the other side may take to answer our close frame.
    private static let closeTime: UInt64 = 10_000_000_000

    let id: Int
    /// A cycle, broken by the context's end.
    private let context: RequestContext
    /// Another.
    private let transport: any SocketTransport
    private let role: Role
    private var decoder: FrameDecoder
    private(set) var isStarted = false
    private var hasSentClose = false
    private var isOver = false
    /// JavaScript has been told of the end.
    private var isToldOfEnd = false
    /// Frames that wait for room.
    private var waiting: [[UInt8]] = []
    private var firstWaiting = 0
    private var isBlocked = false
    private let charge: MemoryCharge
    private var closeTimer: TimerToken?

    private var instance: Instance { context.instance }

    init(_ id: Int, over transport: any SocketTransport, as role: Role, of context: RequestContext) {
        self.id = id
        self.context = context
        self.transport = transport
        self.role = role
        let account = context.instance.isolate.account
        decoder = FrameDecoder(chargedTo: account, expectsMask: role == .server)
        charge = MemoryCharge(to: account)
    }

    // MARK: In

    /// JavaScript takes messages from now on.
    func start() {
        guard !isStarted else { return }
        isStarted = true
        readLater()
    }

    private func readLater() { instance.enqueue { [self] in read() } }

    /// Reads and delivers until a message was delivered, or nothing more is there. One message a turn: the lane has
    /// others to run.
    func read() {
        while isStarted, !isOver {
            if let event = decoder.next() {
                guard follow(event) else { return }
                continue
            }
            switch transport.readSocket(limit: Self.pieceSize, { decoder.feed($0) }) {
            case .bytes: continue
            case .pending: return
            case .end, .failed: return lost()
            }
        }
    }

    /// Whether reading may go on at once.
    private func follow(_ event: FrameDecoder.Event) -> Bool {
        switch event {
        case .message(let bytes, let isText):
            // What a message costs is its own.
            context.beginNextMessage()
            deliver(.number(isText ? 0 : 1), .owned(bytes))
            readLater()
            return false
        case .ping(let payload):
            if !hasSentClose { _ = payload.withUnsafeBytes { write(frame(.pong, $0)) } }
            return true
        case .close(let code, let reason):
            sendClose(code: code, reason: "")
            ended(code: code, reason: reason, isClean: true)
        case .failure(let code, let reason):
            fail(code: code, reason: reason)
        }
        return false
    }

    private func deliver(_ kind: FlatValue, _ details: FlatValue...) {
        let values = details + [FlatValue](repeating: .undefined, count: 3 - details.count)
        instance.run(for: context) { budget throws(CallFailure) in
            try instance.isolate.call(
                Bundle.Entry.webSocketEvent.isolateEntry, .number(Double(id)), kind, values[0], values[1], values[2],
                on: instance.lane.thread, budget: budget)
        }
    }

    // MARK: Out

    /// Sends a message. Throws RangeError if too much waits to be sent.
    func send(_ kind: FrameEncoder.Kind, _ payload: UnsafeRawBufferPointer) throws(OpError) {
        guard !isOver, !hasSentClose else { return }
        guard write(frame(kind, payload)) else {
            throw .range("The worker has no memory left for messages that wait to be sent")
        }
    }

    private func write(_ frame: [UInt8]) -> Bool {
        if isBlocked {
            guard charge.add(frame.count) else { return false }
            waiting.append(frame)
        } else {
            switch frame.withUnsafeBytes(transport.writeSocket) {
            case .room: break
            case .full: isBlocked = true
            case .refused: return false
            }
        }
        return true
    }

    private func frame(_ kind: FrameEncoder.Kind, _ payload: UnsafeRawBufferPointer) -> [UInt8] {
        FrameEncoder.frame(kind, payload, mask: role == .client ? .random(in: 0...UInt32.max) : nil)
    }

    /// Bytes that wait to be sent.
    var waitingBytes: Int { charge.bytes }

    /// There is room again.
    func becameWritable() {
        isBlocked = false
        while !isBlocked, firstWaiting < waiting.count {
            let frame = waiting[firstWaiting]
            waiting[firstWaiting] = []
            firstWaiting += 1
            charge.subtract(frame.count)
            switch frame.withUnsafeBytes(transport.writeSocket) {
            case .room: break
            case .full: isBlocked = true
            case .refused: return lost()
            }
        }
        guard firstWaiting == waiting.count else { return }
        waiting = []
        firstWaiting = 0
        if isToldOfEnd { finish() }
    }

    // MARK: The end

    /// JavaScript begins the closing handshake.
    func close(code: Int, reason: String) {
        guard !isOver, !hasSentClose else { return }
        sendClose(code: code, reason: reason)
        awaitClose(for: Self.closeTime)
        // The other side's answer is read even if nobody accepted its messages.
        start()
    }

    func goAway() {
        guard !isOver else { return }
        sendClose(code: GoingAway.code, reason: GoingAway.reason)
        awaitClose(for: GoingAway.time)
        start()
    }

    private func awaitClose(for nanoseconds: UInt64) {
        if let closeTimer { instance.lane.loop.cancel(closeTimer) }
        closeTimer = instance.lane.loop.schedule(after: nanoseconds) { [self] in
            closeTimer = nil
            lost()
        }
    }

    private func sendClose(code: Int, reason: String) {
        guard !hasSentClose else { return }
        hasSentClose = true
        _ = FrameEncoder.closing(code: code, reason: reason).withUnsafeBytes { write(frame(.close, $0)) }
    }

    /// The other side broke the protocol, or sent text that is none.
    func fail(code: Int, reason: String) {
        sendClose(code: code, reason: reason)
        ended(code: 1006, reason: reason, isClean: false)
    }

    /// The connection is gone.
    func lost() {
        guard !isOver else { return }
        hasSentClose = true
        dropWaiting()
        ended(code: 1006, reason: "WebSocket disconnected without sending Close frame.", isClean: false)
    }

    private func ended(code: Int, reason: String, isClean: Bool) {
        guard !isOver else { return }
        isOver = true
        if let closeTimer { instance.lane.loop.cancel(closeTimer) }
        closeTimer = nil
        // Within a call of JavaScript's own its event has to wait.
        instance.enqueue { [self] in
            guard instance.state == .running, transport.webSocket === self else { return }
            isToldOfEnd = true
            deliver(.number(2), .number(Double(code)), .string(reason), .bool(isClean))
            if firstWaiting == waiting.count { finish() }
        }
    }

    private func finish() {
        guard instance.state == .running, transport.webSocket === self else { return }
        transport.endSocket()
    }

    private func dropWaiting() {
        waiting = []
        firstWaiting = 0
        charge.subtract(charge.bytes)
    }

    /// Its request is over.
    func release() {
        isOver = true
        dropWaiting()
        if let closeTimer { instance.lane.loop.cancel(closeTimer) }
        closeTimer = nil
    }
}
