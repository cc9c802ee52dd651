internal import Model

/// A request that arrived on one lane (the origin) and runs on another (the target). The two ends talk by tasks left
/// on each other's loops; each touches only its own half.
final class HandOver: Sendable {
    /// Answer bytes on their way to the origin before the target waits.
    static let window = 128 << 10
    /// Request-body bytes the origin sends ahead.
    static let bodyWindow = 256 << 10

    let origin: EventLoop.Remote
    let target: EventLoop.Remote
    private let originEnd: LoopBound<HandOverOrigin>

    init(_ originEnd: HandOverOrigin, on loop: EventLoop, to target: EventLoop.Remote) {
        self.originEnd = LoopBound(originEnd, to: loop)
        origin = loop.remote
        self.target = target
    }

    /// Runs `body` with the origin's end, on its lane.
    func tellOrigin(_ body: @escaping @Sendable (HandOverOrigin) -> Void) {
        origin.execute { [originEnd] loop in body(originEnd.value(on: loop)) }
    }
}

/// The origin's end: it holds the client's exchange and does to it what the target asks.
final class HandOverOrigin {
    let exchange: any Exchange
    private unowned let lane: Lane
    private(set) var isOver = false
    /// The target's end, once it has been heard of.
    private var targetEnd: LoopBound<HandedOverExchange>?
    private var target: EventLoop.Remote?
    private var wantsBody = false
    private var hasBegun = false
    private var writtenSinceReport = 0

    init(_ exchange: any Exchange, lane: Lane) {
        self.exchange = exchange
        self.lane = lane
    }

    func started(_ targetEnd: LoopBound<HandedOverExchange>, on target: EventLoop.Remote) {
        self.targetEnd = targetEnd
        self.target = target
        if isOver { tellTarget { $0.closed() } }
    }

    private func tellTarget(_ body: @escaping @Sendable (HandedOverExchange) -> Void) {
        guard let target, let targetEnd else { return }
        target.execute { loop in body(targetEnd.value(on: loop)) }
    }

    // MARK: What the target asks

    func sendBody() {
        wantsBody = true
        guard !isOver else { return }
        var sent = 0
        while sent < HandOver.bodyWindow {
            var piece: [UInt8] = []
            let progress = exchange.readBody(limit: HandOver.bodyWindow - sent) { piece = Array($0) }
            switch progress {
            case .bytes:
                sent += piece.count
                tellTarget { [piece] in $0.arrived(piece) }
            case .end, .failed:
                wantsBody = false
                return tellTarget { $0.bodyEnded(progress) }
            case .pending:
                wantsBody = sent == 0
                return
            }
        }
        wantsBody = false
    }

    func discardBody() {
        wantsBody = false
        if !isOver { exchange.discardBody() }
    }

    func respond(_ head: OwnedResponseHead, body: OwnedResponseBytes) {
        guard !isOver else { return }
        head.borrow { head in body.borrow { exchange.respond(head, body: $0) } }
        finished()
    }

    func begin(_ head: OwnedResponseHead, length: Int?) {
        guard !isOver else { return }
        hasBegun = true
        head.borrow { exchange.beginResponse($0, length: length) }
    }

    func upgrade(_ head: OwnedResponseHead) {
        guard !isOver else { return }
        hasBegun = true
        head.borrow { exchange.upgrade($0) }
    }

    func write(_ bytes: [UInt8]) {
        guard !isOver else { return }
        writtenSinceReport += bytes.count
        if bytes.withUnsafeBytes(exchange.writeResponse) { reportWritten() }
    }

    private func reportWritten() {
        let count = writtenSinceReport
        writtenSinceReport = 0
        tellTarget { $0.written(count) }
    }

    func finish() {
        guard !isOver else { return }
        exchange.finishResponse()
        finished()
    }

    func abort() {
        guard !isOver else { return }
        exchange.abort()
        finished()
    }

    /// The target's lane is lost: nobody will answer.
    func targetLost() {
        guard !isOver else { return }
        if hasBegun { exchange.abort() } else { _ = lane.pages.respond(to: exchange, outcome: .laneLost) }
        finished()
    }

    private func finished() {
        isOver = true
        lane.handOverEnded(self)
    }
}

extension HandOverOrigin: ExchangeObserver {
    func exchangeBodyReady(_ exchange: any Exchange) { if wantsBody { sendBody() } }
    func exchangeWritable(_ exchange: any Exchange) { reportWritten() }
    func exchangeDraining(_ exchange: any Exchange) { tellTarget { $0.draining() } }
    func exchangeClosed(_ exchange: any Exchange) {
        guard !isOver else { return }
        tellTarget { $0.closed() }
        finished()
    }
}

/// The target's end: an exchange like any other to the instance that answers it.
final class HandedOverExchange: Exchange {
    let event: WorkerEvent
    let properties: RequestProperties?
    let service: Service?
    let chain: CallChain?
    let head: RequestHead
    let hasBody: Bool
    var observer: (any ExchangeObserver)?
    private let link: HandOver
    private unowned let lane: Lane
    private var arrivedBytes: [UInt8]
    private var readOffset = 0
    private var bodyEnd: BodyProgress?
    private var isWaitingForBody = false
    private var hasAskedForBody = false
    private var unreported = 0
    private var isBlocked = false
    private var isOver = false

    init(
        _ event: WorkerEvent, head: RequestHead, properties: RequestProperties?, service: Service?, chain: CallChain?,
        hasBody: Bool, completeBody: [UInt8]?, link: HandOver, lane: Lane
    ) {
        self.event = event
        self.properties = properties
        self.service = service
        self.chain = chain
        self.lane = lane
        self.head = head
        self.hasBody = hasBody
        self.link = link
        arrivedBytes = completeBody ?? []
        if completeBody != nil { bodyEnd = .end }
    }

    // MARK: The body

    var isBodyComplete: Bool { !hasBody || bodyEnd == .end }
    var bodyBytesBuffered: Int { arrivedBytes.count - readOffset }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        let count = min(limit, bodyBytesBuffered)
        if count > 0 {
            arrivedBytes.withUnsafeBytes {
                consume(UnsafeRawBufferPointer(rebasing: $0[readOffset..<readOffset + count]))
            }
            readOffset += count
            if readOffset == arrivedBytes.count {
                arrivedBytes.removeAll(keepingCapacity: true)
                readOffset = 0
                if bodyEnd == nil { askForBody() }
            }
            return .bytes
        }
        if let bodyEnd { return bodyEnd }
        isWaitingForBody = true
        askForBody()
        return .pending
    }

    private func askForBody() {
        guard !hasAskedForBody else { return }
        hasAskedForBody = true
        link.tellOrigin { $0.sendBody() }
    }

    func arrived(_ bytes: [UInt8]) {
        hasAskedForBody = false
        arrivedBytes.append(contentsOf: bytes)
        tellBodyReady()
    }

    func bodyEnded(_ progress: BodyProgress) {
        bodyEnd = progress
        tellBodyReady()
    }

    func draining() { observer?.exchangeDraining(self) }

    private func tellBodyReady() {
        guard isWaitingForBody else { return }
        isWaitingForBody = false
        observer?.exchangeBodyReady(self)
    }

    func discardBody() {
        arrivedBytes = []
        readOffset = 0
        if bodyEnd == nil { bodyEnd = .end }
        link.tellOrigin { $0.discardBody() }
    }

    // MARK: The answer

    func respond(_ head: ResponseHead, body: ResponseBytes) {
        guard finishes() else { return }
        let head = OwnedResponseHead(head)
        let body = OwnedResponseBytes(body)
        link.tellOrigin { $0.respond(head, body: body) }
    }

    func beginResponse(_ head: ResponseHead, length: Int?) {
        let head = OwnedResponseHead(head)
        link.tellOrigin { $0.begin(head, length: length) }
    }

    func upgrade(_ head: ResponseHead) {
        let head = OwnedResponseHead(head)
        bodyEnd = nil
        link.tellOrigin { $0.upgrade(head) }
    }

    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isOver else { return true }
        let bytes = Array(bytes)
        unreported += bytes.count
        link.tellOrigin { $0.write(bytes) }
        isBlocked = unreported > HandOver.window
        return !isBlocked
    }

    func written(_ count: Int) {
        unreported -= count
        guard isBlocked, unreported <= HandOver.window / 2 else { return }
        isBlocked = false
        observer?.exchangeWritable(self)
    }

    func finishResponse() {
        guard finishes() else { return }
        link.tellOrigin { $0.finish() }
    }

    func abort() {
        guard finishes() else { return }
        link.tellOrigin { $0.abort() }
    }

    /// True if the exchange has not been over before.
    private func finishes() -> Bool {
        guard !isOver else { return false }
        isOver = true
        lane.handedOverEnded(self)
        return true
    }

    /// Where the request came from.
    var originLoop: EventLoop.Remote { link.origin }

    /// The client has gone, or the lane that held its connection.
    func closed() {
        guard finishes() else { return }
        if bodyEnd == nil { bodyEnd = .failed("The client has disconnected.") }
        observer?.exchangeClosed(self)
    }
}

/// A response's head, copied, so that it can cross threads.
struct OwnedResponseHead: Sendable {
    private let status: Int
    private let reason: [UInt8]
    private let fields: [UInt8]
    private let outcome: Outcome

    init(_ head: ResponseHead) {
        status = head.status
        reason = Array(head.reason)
        fields = Array(head.fields)
        outcome = head.outcome
    }

    func borrow(_ body: (ResponseHead) -> Void) {
        reason.withUnsafeBytes { reason in
            fields.withUnsafeBytes { fields in
                body(ResponseHead(status: status, reason: reason, fields: fields, outcome: outcome))
            }
        }
    }
}

/// A whole body, copied.
enum OwnedResponseBytes: Sendable {
    case none
    case bytes([UInt8])
    case latin1([UInt8])
    case utf16([UInt16])

    init(_ body: ResponseBytes) {
        switch body {
        case .none: self = .none
        case .bytes(let bytes): self = .bytes(Array(bytes))
        case .latin1(let units): self = .latin1(Array(units))
        case .utf16(let units): self = .utf16(Array(units))
        }
    }

    func borrow(_ body: (ResponseBytes) -> Void) {
        switch self {
        case .none: body(.none)
        case .bytes(let bytes): bytes.withUnsafeBytes { body(.bytes($0)) }
        case .latin1(let units): units.withUnsafeBytes { body(.latin1($0)) }
        case .utf16(let units): units.withUnsafeBufferPointer { body(.utf16($0)) }
        }
    }
}
