internal import Isolates
internal import Model
internal import WebAPI

/// A request that a worker makes: what of it is on its way, there and back. Bound to the lane.
final class Subrequest {
    /// Who answers.
    enum Destination {
        /// An origin, by the way out, or the cache.
        case egress(any Egress)
        /// Another worker of this process.
        case service(Service, WorkerEvent)
        /// The worker's own static assets.
        case assets(WorkerAssets)
    }

    enum Phase {
        /// All connections that the request may have are in use.
        case queued(EgressRequest)
        /// No answer yet.
        case waiting(any SubrequestExchange)
        /// The answer's head is here.
        case answering(any SubrequestExchange)
        /// All that will come has come.
        case complete
    }

    /// Bytes of the request's body that may be on their way before the worker has to wait.
    private static let sendWindow = 128 << 10
    /// Bytes of the answer's body used up before the egress is told.
    private static let reportSize = 64 << 10

    /// Also the number of the ticket for its answer, and of the answer's body.
    let id: Int
    /// A cycle, broken by the context's end.
    let context: RequestContext
    private(set) var phase: Phase
    private let method: String
    private let destination: Destination
    /// Whether the origin is asked for a WebSocket.
    private let asksForWebSocket: Bool
    /// Whether JavaScript wants to hear when nobody reads the answer any more.
    let isFollowed: Bool
    /// When the answer was last read, in the loop's nanoseconds.
    private(set) var lastRead: UInt64 = 0

    // The request's body.
    private var waitingPieces: [[UInt8]] = []
    private var isSendingFinished = false
    private var isSendingEnded = false
    private(set) var unsent = 0
    /// What of both bodies lies here or with the egress.
    private let charge: MemoryCharge
    private var sendTicket: Int?
    /// Brings the body, if it is one that the host has.
    private var pump: BodyPump?

    // The answer.
    private(set) var head: EgressResponseHead?
    private(set) var body: HostBody?
    private var pieces: [[UInt8]] = []
    private var firstPiece = 0
    private var offset = 0
    private var buffered = 0
    private var unreported = 0
    private var ending: BodyProgress?
    private var isDiscarded = false
    /// Takes what comes if the connection is a WebSocket.
    var webSocket: (any SocketEnd)?
    var isUpgraded: Bool { asksForWebSocket && head?.status == 101 }

    private var instance: Instance { context.instance }

    /// Nil if the isolate has no memory left for the request's body.
    init?(
        _ id: Int, _ request: EgressRequest, to destination: Destination, of context: RequestContext, isFollowed: Bool
    ) {
        charge = MemoryCharge(to: context.instance.isolate.account)
        if case .bytes(let bytes) = request.body, !charge.add(bytes.count) { return nil }
        self.id = id
        self.context = context
        self.isFollowed = isFollowed
        self.destination = destination
        method = request.head.methodString
        phase = .queued(request)
        if case .upgrade = request.body { asksForWebSocket = true } else { asksForWebSocket = false }
        if case .stream = request.body {} else { isSendingEnded = true }
    }

    /// Whether it has a connection, or is getting one.
    var isOpen: Bool {
        switch phase {
        case .waiting, .answering: true
        case .queued, .complete: false
        }
    }

    /// Whether nothing moves: the answer is here in part, and nobody reads it.
    var isStalled: Bool {
        if let webSocket { return !webSocket.isStarted }
        guard case .answering = phase, let body else { return false }
        return !body.isBeingRead && pump.map(\.isOver) ?? true && sendTicket == nil
    }

    /// Gets the connection that it waited for.
    func begin() {
        guard case .queued(let request) = phase else { return }
        let exchange = beginExchange(request)
        phase = .waiting(exchange)
        for piece in waitingPieces { exchange.send(piece) }
        waitingPieces = []
        if isSendingFinished { exchange.finishSending() }
    }

    private func beginExchange(_ request: EgressRequest) -> any SubrequestExchange {
        let loop = instance.lane.loop
        switch destination {
        case .egress(let egress): return egress.begin(request, deliver: delivery(on: loop))
        case .service(let service, let event):
            if let caller = instance.lane.placement.caller(of: service.script) {
                return caller.begin(call(event, request, of: service), deliver: delivery(on: loop))
            }
            let exchange = serviceExchange(event, request, to: service)
            // Not now: the one that asks is in the middle of its call.
            loop.enqueue { [lane = instance.lane] in lane.dispatch(exchange, toService: service.script) }
            return exchange
        case .assets(let assets):
            let exchange = serviceExchange(.fetch, request, to: nil)
            loop.enqueue { [lane = instance.lane, worker = instance.worker] in
                assets.answer(exchange, of: worker, on: lane)
            }
            return exchange
        }
    }

    /// What comes by another thread.
    private func delivery(on loop: EventLoop) -> @Sendable ([EgressEvent]) -> Void {
        let box = LoopBound(self, to: loop)
        let remote = loop.remote
        return { events in remote.execute { loop in box.value(on: loop).receive(events) } }
    }

    private func serviceExchange(
        _ event: WorkerEvent, _ request: EgressRequest, to service: Service?
    ) -> ServiceExchange {
        ServiceExchange(
            event, request, to: service, properties: context.exchange.properties, chain: context.chain,
            on: instance.lane.loop
        ) { [self] in receive($0) }
    }

    private func call(_ event: WorkerEvent, _ request: EgressRequest, of service: Service) -> ServiceRequest {
        let definition = instance.worker.definition
        var request = request
        request.account = definition.account
        return ServiceRequest(
            caller: definition.script, service: service, event: event, request: request,
            properties: context.exchange.properties, chain: context.chain.position)
    }

    private var exchange: (any SubrequestExchange)? {
        switch phase {
        case .waiting(let exchange), .answering(let exchange): exchange
        case .queued, .complete: nil
        }
    }

    // MARK: The request's body

    /// Sends a piece that JavaScript has.
    func send(_ bytes: UnsafeRawBufferPointer) throws(OpError) -> SendProgress {
        if isSendingEnded { return .ended }
        guard charge.add(bytes.count) else { throw .range("The worker has no memory left for the request's body") }
        if sendPiece(bytes) { return .room }
        let ticket = instance.openTicket(for: context)
        sendTicket = ticket
        return .ticket(ticket)
    }

    private func sendPiece(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsent += bytes.count
        if let exchange { exchange.send(Array(bytes)) } else { waitingPieces.append(Array(bytes)) }
        return unsent < Self.sendWindow
    }

    func finishSending() {
        guard !isSendingEnded else { return }
        isSendingFinished = true
        isSendingEnded = true
        exchange?.finishSending()
    }

    /// Sends what the host has of a body.
    func send(from body: HostBody, coded coding: ContentCoding?) throws(OpError) {
        let pump = try body.pump(to: self, coded: coding)
        self.pump = pump
        instance.enqueue { pump.advance() }
    }

    // MARK: Events

    private func receive(_ events: [EgressEvent]) {
        guard case .running = instance.state, isOpen else { return }
        instance.lane.setTime(of: nil)
        var newHead: EgressResponseHead?
        var failure: EgressFailure?
        for event in events {
            switch event {
            case .head(let head): newHead = head
            case .body(let bytes): take(bytes)
            case .sent(let count): wasSent(count)
            case .sendingEnded: isSendingEnded = true
            case .end: ending = .end
            case .failed(let reason):
                failure = reason
                ending = .failed(reason.message)
            }
        }
        // All that has come is in place before JavaScript hears of any of it.
        if let newHead { takeHead(newHead) }
        let isFirst = newHead != nil
        if ending != nil { complete() }
        if isFirst {
            instance.settle(id, of: context, with: answerValue)
        } else if head == nil, let failure {
            instance.settle(id, of: context, with: .error(name: "TypeError", message: failure.message))
            instance.forget(self)
        }
        resumeSending()
        if let webSocket { return webSocket.read() }
        if head != nil, body == nil, ending != nil { instance.forget(self) }
        body?.becameReady()
    }

    private func takeHead(_ head: EgressResponseHead) {
        self.head = head
        if case .waiting(let exchange) = phase { phase = .answering(exchange) }
        lastRead = instance.lane.loop.now
        if isUpgraded {
            isSendingEnded = false
            webSocket = WebSocketLink(id, over: self, as: .client, of: context)
            return
        }
        guard method != "HEAD", ![101, 204, 205, 304].contains(head.status) else { return }
        let codings = head.values(of: "content-encoding")
        body = HostBody(
            self, of: context, isolate: instance.isolate,
            coding: codings.count == 1 ? ContentCoding(named: codings[0]) : nil,
            length: head.values(of: "content-length").first.flatMap { Int($0) }
        ) { [self] in instance.answerWasRead(self, isFollowed: isFollowed) }
    }

    /// What JavaScript gets: the status, the reason, and the number of the body, 0 if there is none.
    private var answerValue: FlatValue {
        guard let head else { return .null }
        return .list([.number(Double(head.status)), .string(head.reason), .number(body == nil ? 0 : Double(id))])
    }

    private func take(_ bytes: [UInt8]) {
        guard !isDiscarded, ending == nil else { return report(bytes.count) }
        guard charge.add(bytes.count) || mayAddAfterCollection(bytes.count) else {
            guard ending == nil else { return }
            ending = .failed("The worker has no memory left for the response's body.")
            exchange?.cancel()
            return
        }
        pieces.append(bytes)
        buffered += bytes.count
    }

    private func mayAddAfterCollection(_ count: Int) -> Bool {
        instance.collectGarbage(for: context)
        return ending == nil && !isDiscarded && charge.add(count)
    }

    private func wasSent(_ count: Int) {
        unsent -= count
        if pump == nil { charge.subtract(count) }
    }

    /// Nothing more will come: the connection is another's.
    private func complete() {
        guard isOpen else { return }
        phase = .complete
        charge.subtract(charge.bytes - buffered)
        instance.connectionClosed(of: context)
    }

    private func resumeSending() {
        if let webSocket {
            if unsent < Self.sendWindow / 2 { webSocket.becameWritable() }
            return
        }
        if let pump { return isSendingEnded && !isSendingFinished ? pump.stop() : resume(pump) }
        guard let ticket = sendTicket, isSendingEnded || unsent < Self.sendWindow / 2 else { return }
        sendTicket = nil
        instance.settle(ticket, of: context, with: .undefined)
    }

    private func resume(_ pump: BodyPump) {
        if unsent < Self.sendWindow / 2 { pump.advance() }
    }

    // MARK: The end

    /// Ends it: nobody wants the answer. The number of the ticket that will not be settled, 0 if there is none.
    func abort() -> Int {
        let ticket = head == nil ? id : body?.abandon() ?? 0
        cancelExchange("The subrequest was aborted")
        return ticket
    }

    /// Ends it because the request that it belongs to has ended.
    func abandon() {
        isDiscarded = true
        exchange?.cancel()
        phase = .complete
        waitingPieces = []
        dropPieces()
        charge.subtract(charge.bytes)
        release()
    }

    /// Breaks the cycle with the body: nobody will ask for it any more.
    func release() {
        pump?.stop()
        pump = nil
        body?.release()
        body = nil
        webSocket?.release()
        webSocket = nil
    }

    /// Breaks off an answer that nobody reads, for another that waits for the connection.
    func evict() {
        ending = .failed("The answer was canceled: nobody read it, and other subrequests waited for its connection.")
        cancelExchange("The answer was canceled")
    }

    private func cancelExchange(_ reason: String) {
        if ending == nil { ending = .failed(reason) }
        if case .failed = ending { dropPieces() }
        exchange?.cancel()
        isSendingEnded = true
        complete()
        if case .queued = phase { phase = .complete }
        instance.enqueue { [self] in resumeSending() }
    }
}

extension Subrequest: BodySource {
    var isBodyComplete: Bool { ending == .end }
    var bodyBytesBuffered: Int { buffered }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        lastRead = instance.lane.loop.now
        guard firstPiece < pieces.count else { return ending ?? .pending }
        let piece = pieces[firstPiece]
        let count = min(limit, piece.count - offset)
        piece.withUnsafeBytes { consume(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)])) }
        offset += count
        buffered -= count
        charge.subtract(count)
        if offset == piece.count { dropFirstPiece() }
        report(count)
        return .bytes
    }

    private func dropPieces() {
        pieces = []
        firstPiece = 0
        offset = 0
        charge.subtract(buffered)
        buffered = 0
    }

    private func dropFirstPiece() {
        offset = 0
        pieces[firstPiece] = []
        firstPiece += 1
        guard firstPiece == pieces.count else { return }
        pieces.removeAll(keepingCapacity: true)
        firstPiece = 0
    }

    private func report(_ count: Int) {
        unreported += count
        guard unreported >= Self.reportSize || buffered == 0 else { return }
        exchange?.consumed(unreported)
        unreported = 0
    }

    func discardBody() {
        isDiscarded = true
        if ending == nil { ending = .end }
        dropPieces()
        exchange?.cancel()
        complete()
    }
}

extension Subrequest: SocketTransport {
    func readSocket(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        readBody(limit: limit, consume)
    }

    func writeSocket(_ bytes: UnsafeRawBufferPointer) -> SocketRoom {
        guard exchange != nil else { return .room }
        guard charge.add(bytes.count) else { return .refused }
        return sendPiece(bytes) ? .room : .full
    }

    /// What was written is sent, and then the connection is closed by the egress.
    func endSocket() {
        webSocket = nil
        finishSending()
        isDiscarded = true
        ending = ending ?? .end
        dropPieces()
        complete()
        instance.forget(self)
        instance.finishTurn()
    }
}

extension Subrequest: BodySink {
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool { sendPiece(bytes) }
    func finish() { finishSending() }

    func fail(_ reason: String) {
        cancelExchange(reason)
        instance.enqueue { [self] in
            if head != nil { return body?.becameReady() ?? () }
            instance.settle(id, of: context, with: .error(name: "TypeError", message: reason))
            instance.forget(self)
        }
    }
}
