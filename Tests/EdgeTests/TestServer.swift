import Edge
import Foundation
import Model
import Runtime
import Synchronization

/// A lane with an ingress on a thread of its own, and a handler that tests can follow.
final class TestServer: Sendable {
    let listener: Listener
    let loop: EventLoop.Remote
    let log: EventLog
    private let ingress: LoopBound<Ingress>
    private let handler: LoopBound<TestHandler>

    /// Starts a lane for a listener of its own, or for another's.
    init(
        limits: IngressLimits = IngressLimits(), showsEveryOutcome: Bool = false, sharing other: TestServer? = nil
    ) throws {
        let listener = try other?.listener ?? Listener(host: "127.0.0.1", port: 0)
        let log = other?.log ?? EventLog()
        let settings = IngressSettings(limits: limits, showsEveryOutcome: showsEveryOutcome)
        let parts = Handed<(EventLoop.Remote, LoopBound<Ingress>, LoopBound<TestHandler>)>()
        Thread.detachNewThread {
            guard let loop = try? EventLoop() else { return }
            let ingress = Ingress(loop: loop, settings: settings)
            let handler = TestHandler(loop: loop, log: log)
            try? ingress.open(listener, handler: handler)
            parts.hand((loop.remote, LoopBound(ingress, to: loop), LoopBound(handler, to: loop)))
            loop.run()
        }
        (loop, ingress, handler) = parts.take()
        self.listener = listener
        self.log = log
    }

    deinit {
        loop.stop()
    }

    func connect() throws -> RawClient { try RawClient(port: listener.port) }

    /// One connection, one request, all that comes back.
    func ask(_ request: String) throws -> String {
        let client = try connect()
        try client.send(request)
        return try client.receiveAll()
    }

    /// Runs `body` on the lane, and waits for it.
    func onLane<Value: Sendable>(_ body: @escaping @Sendable (Ingress) -> Value) -> Value {
        let result = Handed<Value>()
        loop.execute { [ingress] loop in result.hand(body(ingress.value(on: loop))) }
        return result.take()
    }

    /// Keeps the lane busy until the result is handed something, and then begins a drain.
    func drainOnce() -> Handed<Void> {
        let isBusy = Handed<Void>()
        let mayDrain = Handed<Void>()
        loop.execute { [ingress, log] loop in
            isBusy.hand(())
            mayDrain.take()
            ingress.value(on: loop).drain { log.add("drained") }
        }
        isBusy.take()
        return mayDrain
    }

    /// Answers what "/hold" holds.
    func release() {
        loop.execute { [handler] loop in handler.value(on: loop).release() }
    }

    /// Sends as much as the server takes, at most `limit` bytes, and says how much that was.
    func fill(_ client: RawClient, with piece: [UInt8], upTo limit: Int) -> Int {
        var sent = 0
        var refusals = 0
        while sent < limit, refusals < 100 {
            let count = client.sendWithoutWaiting(piece)
            sent += count
            refusals = count == 0 ? refusals + 1 : 0
            // A turn of the lane, in which it reads what there is if it wants to.
            _ = connectionCount
        }
        return sent
    }

    var connectionCount: Int { onLane { $0.connectionCount } }

    /// Whether the lane has come to so many connections, after five seconds at most. Asking gives it a turn.
    func wait(forConnections count: Int) -> Bool {
        let deadline = DispatchTime.now() + 5
        while connectionCount != count, DispatchTime.now() < deadline {}
        return connectionCount == count
    }

    /// Begins a drain; the log says "drained" when it is over.
    func drain(within milliseconds: Int? = nil) {
        onLane { [log] ingress in ingress.drain(within: milliseconds) { log.add("drained") } }
    }
}

/// A value that one thread waits for and another brings.
final class Handed<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func hand(_ value: Value) {
        self.value.withLock { $0 = value }
        isThere.signal()
    }

    func take() -> Value {
        isThere.wait()
        return value.withLock { $0! }
    }
}

/// What has happened on a lane, in order.
final class EventLog: Sendable {
    private let events = Mutex<[String]>([])
    private let news = DispatchSemaphore(value: 0)

    func add(_ event: String) {
        events.withLock { $0.append(event) }
        news.signal()
    }

    var all: [String] { events.withLock { $0 } }

    /// Waits until the event has happened, five seconds at most.
    func wait(for event: String) -> Bool {
        let deadline = DispatchTime.now() + 5
        while !all.contains(event) {
            guard news.wait(timeout: deadline) == .success else { return all.contains(event) }
        }
        return true
    }
}

/// Answers in the way the request's path asks for.
final class TestHandler: RequestHandler {
    private let loop: EventLoop
    private let log: EventLog
    /// Exchanges that wait for "/release".
    private var held: [any Exchange] = []
    private var observers: [ObjectIdentifier: TestObserver] = [:]

    init(loop: EventLoop, log: EventLog) {
        self.loop = loop
        self.log = log
    }

    func handle(_ exchange: any Exchange) {
        let path = exchange.head.path
        log.add("began \(path)")
        let observer = TestObserver()
        observers[ObjectIdentifier(exchange)] = observer
        exchange.observer = observer
        observer.whenClosed = { [weak self] exchange in
            self?.log.add("closed \(path)")
            self?.observers[ObjectIdentifier(exchange)] = nil
        }
        switch path.split(separator: "/").first ?? "" {
        case "head": respond(exchange, text: describe(exchange))
        case "later": loop.schedule(after: 1_000_000) { self.respond(exchange, text: path) }
        case "hold":
            log.add("held \(path)")
            held.append(exchange)
        case "release":
            release()
            respond(exchange, text: "release")
        case "gather": gather(exchange, observer)
        case "pump": pump(exchange, observer)
        case "ignore": respond(exchange, text: "ignored")
        case "cancel":
            exchange.discardBody()
            loop.schedule(after: 1_000_000) { self.respond(exchange, text: "cancelled") }
        case "flood": flood(exchange, observer)
        case "status": answer(exchange, status: Int(path.split(separator: "/")[1])!, text: "body")
        case "fields": answer(exchange, fields: exchange.head.query.replacing("|", with: "\r\n"), text: "fields")
        case "declared": answer(exchange, fields: "Content-Length: 1234", body: .none)
        case "outcome": answer(exchange, outcome: Outcome(rawValue: exchange.head.query)!, text: "outcome")
        case "page": ErrorPage(Outcome(rawValue: exchange.head.query)!).respond(to: exchange)
        case "large": respond(exchange, text: String(repeating: "0123456789", count: 200_000))
        case "latin1": "Gr\u{fc}\u{df}e".latin1.withUnsafeBytes { answer(exchange, body: .latin1($0)) }
        case "utf16": answerUTF16(exchange)
        case "pieces": pieces(exchange)
        case "short", "long": promise(exchange, path)
        case "abort": exchange.abort()
        case "break": breakOff(exchange)
        default: respond(exchange, text: path)
        }
    }

    func release() {
        for exchange in held { respond(exchange, text: "released") }
        held = []
    }

    // MARK: Bodies

    private func gather(_ exchange: any Exchange, _ observer: TestObserver) {
        var body: [UInt8] = []
        observer.whenReadable = { [weak self] exchange in
            while true {
                switch exchange.readBody(limit: 10_000, { body.append(contentsOf: $0) }) {
                case .bytes: continue
                case .pending: return
                case .end: self?.respond(exchange, bytes: body)
                case .failed(let reason): self?.log.add("failed: \(reason)")
                }
                return
            }
        }
        observer.whenReadable?(exchange)
    }

    /// Sends the body back while it comes.
    private func pump(_ exchange: any Exchange, _ observer: TestObserver) {
        begin(exchange, length: nil)
        let advance = { (exchange: any Exchange) in
            while true {
                var hasRoom = true
                switch exchange.readBody(limit: 10_000, { hasRoom = exchange.writeResponse($0) }) {
                case .bytes where hasRoom: continue
                case .bytes, .pending: return
                case .end: return exchange.finishResponse()
                case .failed: return exchange.abort()
                }
            }
        }
        observer.whenReadable = advance
        observer.whenWritable = advance
        advance(exchange)
    }

    /// Writes as long as there is room, and says in the log how much that was.
    private func flood(_ exchange: any Exchange, _ observer: TestObserver) {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 8_192)
        var left = Int(exchange.head.query)!
        begin(exchange, length: nil)
        let advance = { [log] (exchange: any Exchange) in
            while left > 0 {
                let count = min(left, piece.count)
                left -= count
                guard piece[..<count].withUnsafeBytes(exchange.writeResponse) else {
                    log.add("full")
                    return
                }
            }
            exchange.finishResponse()
            log.add("flooded")
        }
        observer.whenWritable = advance
        advance(exchange)
    }

    private func pieces(_ exchange: any Exchange) {
        begin(exchange, length: nil)
        for piece in ["one", "", "two"] { _ = piece.latin1.withUnsafeBytes(exchange.writeResponse) }
        loop.schedule(after: 1_000_000) {
            _ = "three".latin1.withUnsafeBytes(exchange.writeResponse)
            exchange.finishResponse()
            // All of this comes too late.
            _ = "four".latin1.withUnsafeBytes(exchange.writeResponse)
            exchange.finishResponse()
            exchange.abort()
        }
    }

    private func promise(_ exchange: any Exchange, _ path: String) {
        begin(exchange, length: 10)
        _ = (path == "/short" ? "123456789" : "12345678901").latin1.withUnsafeBytes(exchange.writeResponse)
        exchange.finishResponse()
    }

    private func breakOff(_ exchange: any Exchange) {
        begin(exchange, length: nil)
        _ = "part".latin1.withUnsafeBytes(exchange.writeResponse)
        exchange.abort()
    }

    // MARK: Answers

    private func describe(_ exchange: any Exchange) -> String {
        let head = exchange.head
        return ([head.methodString, head.urlString] + head.fieldTexts + ["body: \(exchange.hasBody)"])
            .joined(separator: "\n")
    }

    private func respond(_ exchange: any Exchange, text: String) {
        respond(exchange, bytes: Array(text.utf8))
    }

    private func respond(_ exchange: any Exchange, bytes: [UInt8]) {
        bytes.withUnsafeBytes { answer(exchange, body: .bytes($0)) }
    }

    private func answer(
        _ exchange: any Exchange, status: Int = 200, fields: String = "", outcome: Outcome = .ok, text: String
    ) {
        Array(text.utf8).withUnsafeBytes {
            answer(exchange, status: status, fields: fields, outcome: outcome, body: .bytes($0))
        }
    }

    private func answerUTF16(_ exchange: any Exchange) {
        let units = Array("a\u{e9}\u{20ac}\u{1f426}".utf16) + [0xd800, 0x62, 0xdc00]
        units.withUnsafeBufferPointer { answer(exchange, body: .utf16($0)) }
    }

    private func answer(
        _ exchange: any Exchange, status: Int = 200, fields: String = "", outcome: Outcome = .ok, body: ResponseBytes
    ) {
        withHead(status, fields, outcome) { exchange.respond($0, body: body) }
    }

    private func begin(_ exchange: any Exchange, length: Int?) {
        withHead { exchange.beginResponse($0, length: length) }
    }

    private func withHead(
        _ status: Int = 200, _ fields: String = "", _ outcome: Outcome = .ok, _ body: (ResponseHead) -> Void
    ) {
        Array((fields.isEmpty ? "" : fields + "\r\n").utf8).withUnsafeBytes { fields in
            let reason = UnsafeRawBufferPointer(start: nil, count: 0)
            body(ResponseHead(status: status, reason: reason, fields: fields, outcome: outcome))
        }
    }
}

/// Hears of an exchange's events.
final class TestObserver: ExchangeObserver {
    var whenReadable: ((any Exchange) -> Void)?
    var whenWritable: ((any Exchange) -> Void)?
    var whenClosed: ((any Exchange) -> Void)?

    func exchangeBodyReady(_ exchange: any Exchange) { whenReadable?(exchange) }
    func exchangeWritable(_ exchange: any Exchange) { whenWritable?(exchange) }
    func exchangeDraining(_ exchange: any Exchange) {}
    func exchangeClosed(_ exchange: any Exchange) { whenClosed?(exchange) }
}

extension RequestHead {
    var path: String { String(urlString.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }.prefix { $0 != "?" }) }
    var query: String { String(urlString.drop { $0 != "?" }.dropFirst()) }
}
