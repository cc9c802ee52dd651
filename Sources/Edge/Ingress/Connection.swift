internal import Glibc
internal import Model
internal import Runtime

/// One client's connection: requests in, answers out, in order, one exchange at a time.
///
/// Calls of the exchange may come from inside JavaScript, which must not be entered again from there. So they only
/// change state and buffers; the handler and the observer are called from the loop alone, in `advance`.
final class Connection {
    enum Phase {
        /// Between requests.
        case idle
        /// Some of a request's header is there.
        case header
        /// The handler has the request.
        case exchange
        /// The answer is complete, the request's body is not: the rest is read and dropped.
        case discarding
        /// The last answer is on its way.
        case closing
        /// The answer was broken off: what is buffered is tried once, then the connection cut.
        case cutting
        /// Our half is closed; what the client still sends is dropped until it has read our last words.
        case lingering
        case closed
    }

    /// What is still to come of the request's body.
    enum Incoming {
        case complete
        case length(Int)
        case chunked(ChunkedDecoder)
        /// The connection is not HTTP's any more: all that comes.
        case everything

        var isEverything: Bool {
            if case .everything = self { return true }
            return false
        }

        var isComplete: Bool {
            if case .complete = self { return true }
            return false
        }
    }

    /// Where the answer stands, and how its body is framed.
    enum Answer {
        case awaited
        case length(remaining: Int)
        case chunked
        case untilClose
        /// HEAD, or a status without a body: what is written is dropped.
        case bodiless
        case complete

        var isAwaited: Bool {
            if case .awaited = self { return true }
            return false
        }
    }

    /// An answer of which so much waits to be sent makes its writer wait; so much of a body that waits to be read, the
    /// client.
    static let highWater = 64 << 10
    /// So often a connection's bytes are received before others have their turn.
    private static let receivesPerTurn = 4
    /// The writer goes on when no more than this waits.
    static let lowWater = 16 << 10
    /// How long a connection that has asked for nothing yet may do so when the lane takes no more, in nanoseconds.
    static let lastChance: UInt64 = 1_000_000_000

    let ingress: Ingress
    var socket: AcceptedSocket
    /// Stands between us and the socket, if the client speaks TLS.
    let secure: SecureSocket?
    let parser: RequestParser
    private var registration: EventLoop.Registration?
    var index = 0

    var phase = Phase.idle
    var input: InputBuffer
    var output: OutputBuffer
    var progress = RequestParser.Progress()
    var request = RequestFraming()
    var incoming = Incoming.complete
    var answer = Answer.complete
    var current = ConnectionExchange()
    /// Made by the first request; nil if requests are not to be marked.
    private(set) lazy var clientFields = ingress.settings.location.map {
        ClientFields(of: socket.address, at: $0, isSecure: secure != nil)
    }
    /// The number of the request under way.
    var ray: UInt64 = 0

    /// Bytes of the body that nobody wants which have been dropped.
    var discarded = 0
    var isDiscarding = false
    /// The client is to be told 100 when its body is first asked for.
    var owesContinue = false
    var wantsBody = false
    var wantsRoom = false
    var isBroken = false
    /// The kernel may have bytes for us, or the end of the file.
    var mayReceive = false
    /// The kernel has no room for what waits to be sent.
    var isBlocked = false
    /// The client sends no more than what the kernel has.
    var peerHasClosed = false
    /// Something may be left unread at the end, which would turn our close into a reset.
    var mustLinger = false
    /// The next request is for another process: the connection goes there when all answers are sent.
    var isLeaving = false
    /// Requests answered in this turn.
    var served = 0
    private var isActive = false
    private var isQueued = false

    /// Monotonic nanoseconds by which something must have arrived, or have been taken.
    private(set) var readDeadline = UInt64.max
    private(set) var writeDeadline = UInt64.max

    var loop: EventLoop { ingress.loop }
    var descriptor: Int32 { socket.descriptor }

    init(_ socket: AcceptedSocket, ingress: Ingress, secure: SecureSocket? = nil) throws(SystemCallError) {
        self.socket = socket
        self.ingress = ingress
        self.secure = secure
        parser = secure == nil ? ingress.parser : ingress.secureParser
        // What came with the end of the handshake is there already.
        mayReceive = secure != nil
        input = InputBuffer(sharing: ingress.receiveBlock)
        output = OutputBuffer(pool: ingress.pool)
        registration = try ingress.loop.register(
            socket.descriptor, for: [.readable, .writable, .peerClosed, .onChange], handler: self)
        expectInput(within: ingress.times.header)
    }

    // MARK: Turns

    /// All that follows from what has happened: requests are received, parsed and handed over, answers sent.
    func advance() {
        guard phase != .closed else { return }
        process()
        var rounds = 0
        while mayReceive, wantsInput, rounds < Self.receivesPerTurn {
            receive()
            process()
            rounds += 1
        }
        flush()
        if isBroken { return lost() }
        if wantsRoom, output.count <= Self.lowWater, phase == .exchange {
            wantsRoom = false
            current.observer?.exchangeWritable(current)
            flush()
            if isBroken { return lost() }
        }
        guard followFlush() else { return }
        input.settle()
        if phase == .exchange, !takesBody { expectInput(within: .max) }
        if hasMoreToDo { resumeNextTurn() }
    }

    /// Ends the connection if all has been sent that had to be; false if it is gone.
    private func followFlush() -> Bool {
        if isLeaving {
            if hasSentAll { leave() }
            return !hasSentAll
        }
        switch phase {
        case .cutting:
            if case .untilClose = answer { resetOnClose() }
            close()
            return false
        case .closing where hasSentAll:
            if mustLinger || mayReceive, !peerHasClosed { return linger() }
            close()
            return false
        case .idle where ingress.isDraining && hasSentAll && input.raw.isEmpty:
            // The first request of one that was just made may be on its way; a client that keeps a connection alive
            // asks anew if that ends under it (RFC 9112, section 9.3.1).
            if request.headerBytes == 0, !peerHasClosed {
                if readDeadline > loop.now &+ Self.lastChance { expectInput(within: Self.lastChance) }
                return true
            }
            close()
            return false
        // Most who close their half have closed both, and there is no telling: who waits for an answer keeps the
        // connection open. As long as a body is read, its end, behind all that was sent before, says the same.
        case .exchange where peerHasClosed && !takesBody:
            lost()
            return false
        default:
            return true
        }
    }

    /// Whether the connection can go on without an event of its socket.
    private var hasMoreToDo: Bool {
        if mayReceive, wantsInput { return true }
        switch phase {
        case .idle where isLeaving: return false
        case .idle, .discarding: return !input.raw.isEmpty && output.count < Self.highWater
        case .exchange: return wantsRoom && output.count <= Self.lowWater
        default: return false
        }
    }

    private func resumeNextTurn() {
        loop.enqueue { [weak self] in
            guard let self, phase != .closed else { return }
            run { advance() }
        }
    }

    /// Has `advance` called at the end of this turn, unless it is under way.
    func advanceLater() {
        guard !isActive, !isQueued else { return }
        isQueued = true
        loop.callAtEndOfTurn(self)
    }

    func run(_ body: () -> Void) {
        isActive = true
        served = 0
        body()
        isActive = false
    }

    // MARK: Deadlines

    /// Something has to arrive within that many nanoseconds; `.max` for no haste.
    func expectInput(within nanoseconds: UInt64) {
        readDeadline = nanoseconds == .max ? .max : loop.now &+ nanoseconds
        if readDeadline < ingress.nextSweep { ingress.sweep(by: readDeadline) }
    }

    /// Bytes of a body have come: their share of time is given back to the client.
    func creditInput(_ count: Int) {
        guard readDeadline != .max else { return }
        let latest = loop.now &+ ingress.times.body
        readDeadline = min(latest, readDeadline &+ UInt64(count) &* ingress.times.bodyByte)
    }

    private func expectOutput() {
        writeDeadline = loop.now &+ ingress.times.writeStall
        if writeDeadline < ingress.nextSweep { ingress.sweep(by: writeDeadline) }
    }

    /// The sweep has found a deadline passed.
    func timedOut() {
        run {
            if writeDeadline <= loop.now { return lost() }
            readDeadline = .max
            switch phase {
            // Between requests there is nothing to say; a connection that never sent one is told why it ends.
            case .idle where request.headerBytes > 0 || ingress.isDraining: close()
            case .idle, .header: fail(.headerTimeout)
            case .exchange: fail(.bodyTimeout)
            case .discarding, .lingering: close()
            case .closing, .cutting, .closed: break
            }
            advance()
        }
    }

    /// No further request after the one under way, or in the kernel's hands already.
    func drain() {
        mayReceive = true
        run { advance() }
        tellOfDrain()
    }

    /// What the connection has become may go on for as long as it likes.
    func tellOfDrain() {
        guard phase == .exchange, incoming.isEverything else { return }
        let exchange = current
        loop.enqueue { exchange.observer?.exchangeDraining(exchange) }
    }

    // MARK: Sending

    /// Whether the kernel has all that was to be sent.
    private var hasSentAll: Bool { output.isEmpty && secure?.hasSentAll ?? true }

    /// Sends what waits, as far as the kernel takes it. (A socket that does not block is not interrupted either.)
    func flush() {
        guard !hasSentAll, !isBlocked, !isBroken else { return }
        note(sent: secure?.send(&output) ?? output.send(to: descriptor))
    }

    func note(sent: Int) {
        if hasSentAll {
            writeDeadline = .max
            return
        }
        if sent < 0, errno != EAGAIN {
            isBroken = true
            return
        }
        isBlocked = true
        if sent > 0 || writeDeadline == .max { expectOutput() }
    }

    // MARK: Receiving

    /// Whether more of the body under way may come.
    var takesBody: Bool {
        !incoming.isComplete && input.body.count < Self.highWater && discarded <= ingress.limits.discardedBytes
    }

    private var wantsInput: Bool {
        switch phase {
        case .idle, .header: output.count < Self.highWater && !isLeaving
        case .exchange: takesBody
        case .discarding, .lingering: true
        case .closing, .cutting, .closed: false
        }
    }

    // MARK: The end

    /// Closes our half, so that the client reads our last words to their end instead of a reset.
    private func linger() -> Bool {
        secure?.finish()
        shutdown(descriptor, Int32(SHUT_WR))
        phase = .lingering
        input.release()
        expectInput(within: ingress.times.linger)
        if mayReceive { resumeNextTurn() }
        return false
    }

    private func resetOnClose() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// The loop watches the socket no more; it stays open.
    func unregister() {
        if let registration { loop.unregister(registration) }
        registration = nil
    }

    /// The client is gone.
    func lost() {
        let exchange = current
        let wasOpen = phase == .exchange
        close()
        if wasOpen { exchange.observer?.exchangeClosed(exchange) }
    }

    func close() {
        guard phase != .closed else { return }
        if phase == .closing || phase == .idle { secure?.finish() }
        secure?.end()
        endExchange(because: "The client has disconnected.")
        phase = .closed
        input.release()
        output.release()
        ingress.remove(self)
        if let registration { loop.closeAccepted(registration) }
        registration = nil
    }

    /// The exchange under way, if any, is out of the handler's hands.
    func endExchange(because reason: String) {
        current.end(failure: reason)
        wantsBody = false
        wantsRoom = false
        owesContinue = false
    }
}

extension Connection: IngressMember {
    var deadline: UInt64 { min(readDeadline, writeDeadline) }
}

extension Connection: EventHandler {
    func ready(_ readiness: Readiness) {
        run {
            if readiness.isAny(of: .failed) { return lost() }
            if readiness.isAny(of: .readable) { mayReceive = true }
            if readiness.isAny(of: .writable) { isBlocked = false }
            if readiness.isAny(of: .peerClosed) || readiness.isAny(of: .hungUp) { peerHasClosed = true }
            advance()
        }
    }
}

extension Connection: TurnHandler {
    func endOfTurn() {
        isQueued = false
        guard phase != .closed else { return }
        run { advance() }
    }
}
