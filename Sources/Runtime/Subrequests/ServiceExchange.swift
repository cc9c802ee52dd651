package import Model
internal import WebAPI

/// A subrequest to another worker of this process: an exchange for the worker that answers, an answer on its way for
/// the one that asks. No socket lies between. Bound to the lane of the one that asks, or of an `IncomingCall`; the
/// worker that answers may be on another.
final class ServiceExchange: Exchange, SubrequestExchange {
    /// Bytes of the answer's body that may be on their way before the worker that answers has to wait.
    private static let window = 128 << 10

    let event: WorkerEvent
    let head: RequestHead
    let properties: RequestProperties?
    let service: Service?
    let chain: CallChain?
    let hasBody: Bool
    var observer: (any ExchangeObserver)?
    private let loop: EventLoop
    /// Nil when nobody listens any more.
    private var deliver: (([EgressEvent]) -> Void)?
    /// What is delivered when this turn is over: whoever listens may enter JavaScript, which may be running now.
    private var events: [EgressEvent] = []

    // The request's body.
    private var pieces: [[UInt8]] = []
    private var firstPiece = 0
    private var offset = 0
    private var bodyEnd: BodyProgress?
    private var isStreamed = false
    private var asksForWebSocket = false
    private var isReaderWaiting = false

    // The answer.
    private var unread = 0
    private var isBlocked = false
    private var isAnswered = false

    /// - Parameters:
    ///   - event: `.fetch` or `.rpc`.
    ///   - service: nil if it is the worker's own assets that answer.
    ///   - properties: of the request from outside that it comes of.
    ///   - deliver: hears what comes of it, in order, and never within a call.
    init(
        _ event: WorkerEvent, _ request: EgressRequest, to service: Service?, properties: RequestProperties?,
        chain: CallChain, on loop: EventLoop, deliver: @escaping ([EgressEvent]) -> Void
    ) {
        self.event = event
        self.service = service
        self.properties = properties
        self.chain = chain
        if case .upgrade = request.body {
            head = WebSocketHandshake.request(like: request.head)
        } else {
            head = request.head
        }
        self.loop = loop
        self.deliver = deliver
        switch request.body {
        case .none, .upgrade:
            hasBody = false
            bodyEnd = .end
            asksForWebSocket = request.body == .upgrade
        case .bytes(let bytes):
            hasBody = true
            pieces = [bytes]
            bodyEnd = .end
        case .stream:
            hasBody = true
            isStreamed = true
        }
    }

    // MARK: The request's body, by the one that asks

    func send(_ bytes: [UInt8]) {
        guard bodyEnd == nil, !bytes.isEmpty else { return }
        pieces.append(bytes)
        tellReader()
    }

    func finishSending() {
        guard bodyEnd == nil else { return }
        bodyEnd = .end
        tellReader()
    }

    private func tellReader() {
        guard isReaderWaiting else { return }
        isReaderWaiting = false
        loop.enqueue { [self] in observer?.exchangeBodyReady(self) }
    }

    // MARK: The request's body, by the one that answers

    var isBodyComplete: Bool { bodyEnd == .end }
    var bodyBytesBuffered: Int { pieces[firstPiece...].reduce(0) { $0 + $1.count } - offset }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        guard firstPiece < pieces.count else {
            isReaderWaiting = bodyEnd == nil
            return bodyEnd ?? .pending
        }
        let piece = pieces[firstPiece]
        let count = min(limit, piece.count - offset)
        piece.withUnsafeBytes { consume(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        offset += count
        if offset == piece.count {
            pieces[firstPiece] = []
            firstPiece += 1
            offset = 0
        }
        if isStreamed { tell(.sent(count)) }
        return .bytes
    }

    func discardBody() {
        pieces = []
        firstPiece = 0
        offset = 0
        if bodyEnd == nil { bodyEnd = .end }
        if isStreamed { tell(.sendingEnded) }
    }

    // MARK: The answer, by the one that answers

    func respond(_ head: ResponseHead, body: ResponseBytes) {
        guard !isAnswered else { return }
        isAnswered = true
        guard head.outcome == .ok else { return tell(.failed(.workerFailed(head.outcome))) }
        let bytes = Self.bytes(of: body)
        tell(.head(Self.head(of: head, length: bytes?.count)))
        if let bytes, !bytes.isEmpty { tell(.body(bytes)) }
        tell(.end)
    }

    func beginResponse(_ head: ResponseHead, length: Int?) {
        guard !isAnswered else { return }
        tell(.head(Self.head(of: head, length: length)))
    }

    /// From here on the request's body is what the one that asks sends, and the answer's what it gets.
    func upgrade(_ head: ResponseHead) {
        guard !isAnswered else { return }
        guard asksForWebSocket else {
            refuse(.invalidRequest("The called Worker answered with a WebSocket, which was not asked for."))
            return loop.enqueue { [self] in observer?.exchangeClosed(self) }
        }
        bodyEnd = nil
        isStreamed = true
        tell(.head(Self.head(of: head, length: nil)))
    }

    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isAnswered, deliver != nil else { return true }
        unread += bytes.count
        tell(.body(Array(bytes)))
        isBlocked = unread > Self.window
        return !isBlocked
    }

    func finishResponse() {
        guard !isAnswered else { return }
        isAnswered = true
        tell(.end)
    }

    /// Nobody answers.
    func refuse(_ failure: EgressFailure) {
        isAnswered = true
        tell(.failed(failure))
    }

    func abort() {
        guard !isAnswered else { return }
        isAnswered = true
        tell(.failed(.connectionLost))
    }

    private static func bytes(of body: ResponseBytes) -> [UInt8]? {
        switch body {
        case .none: nil
        case .bytes(let bytes): Array(bytes)
        case .latin1(let units): Array(String(String.UnicodeScalarView(units.map { Unicode.Scalar($0) })).utf8)
        case .utf16(let units): Array(String(decoding: units, as: UTF16.self).utf8)
        }
    }

    /// Fields about a connection and its framing mean nothing here.
    private static let framingFields: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]

    private static func head(of head: ResponseHead, length: Int?) -> EgressResponseHead {
        var answer = EgressResponseHead(status: head.status, reason: String(decoding: head.reason, as: UTF8.self))
        SubrequestHead.forEachField(in: head.fields) { name, value in
            let name = String(decoding: name, as: UTF8.self)
            guard !framingFields.contains(name.lowercased()) else { return }
            answer.append(name: name, value: String(decoding: value, as: UTF8.self))
        }
        if let length { answer.append(name: "content-length", value: String(length)) }
        return answer
    }

    // MARK: The answer, by the one that asks

    func consumed(_ bytes: Int) {
        unread -= bytes
        guard isBlocked, unread <= Self.window / 2 else { return }
        isBlocked = false
        loop.enqueue { [self] in observer?.exchangeWritable(self) }
    }

    func cancel() {
        guard deliver != nil else { return }
        deliver = nil
        events = []
        guard !isAnswered else { return }
        isAnswered = true
        if bodyEnd == nil { bodyEnd = .failed("The client has disconnected.") }
        loop.enqueue { [self] in observer?.exchangeClosed(self) }
    }

    private func tell(_ event: EgressEvent) {
        guard deliver != nil else { return }
        if events.isEmpty { loop.enqueue { [self] in flush() } }
        events.append(event)
    }

    private func flush() {
        let told = events
        events = []
        guard !told.isEmpty else { return }
        let deliver = deliver
        if told.contains(where: \.isFinal) { self.deliver = nil }
        deliver?(told)
    }
}

/// Finds the worker that a service binding names, as it is deployed now. Any thread.
package protocol ServiceDirectory: AnyObject, Sendable {
    /// - Parameter head: of the request, whose fields may choose a version.
    func worker(for key: ScriptKey, _ head: RequestHead) -> ServiceTarget
    /// Who calls it, if it may be in another process; nil if it is in this one or nowhere.
    func caller(of key: ScriptKey) -> (any ServiceCaller)?
    /// What stands behind the zone of that account that both hosts are in. Hosts are in lower case, without ports.
    func origin(behind host: String, and other: String, of account: String) -> OriginServer?
}

package enum ServiceTarget {
    case worker(Worker)
    case suspended
    case missing
}
