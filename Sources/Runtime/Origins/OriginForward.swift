internal import Isolates
package import Model
internal import WebAPI

/// A request on its way to what stands behind a zone, and the answer on its way back: past all isolates, bodies
/// streaming both ways. Bound to the lane.
package final class OriginForward: ExchangeObserver {
    /// Bytes of the request's body that may be on their way.
    private static let sendWindow = 128 << 10
    private static let pieceSize = 64 << 10

    private let exchange: any Exchange
    private let lane: Lane
    private let server: OriginServer
    private let isHead: Bool
    /// The client's key, if it asks for a WebSocket.
    private let socketKey: String?
    private var upstream: (any EgressExchange)?
    private var isSocket = false
    private var hasBegun = false
    private var isOver = false
    /// The request's body: bytes that the origin has not taken yet, and whether it wants any.
    private var unsent = 0
    private var isSendingEnded = true
    /// Bytes of the answer that wait for the client.
    private var unreported = 0
    private var isBlocked = false

    /// - Parameter exchange: whose body nobody has read from.
    package init(_ exchange: any Exchange, to server: OriginServer, on lane: Lane) {
        self.exchange = exchange
        self.server = server
        self.lane = lane
        isHead = exchange.head.methodString == "HEAD"
        socketKey = WebSocketHandshake.key(of: exchange.head)
    }

    package func begin() {
        let head = exchange.head
        guard LoopGuard.hops(of: head) < LoopGuard.limit else {
            exchange.discardBody()
            _ = lane.pages.respond(to: exchange, outcome: .loopDetected)
            return
        }
        exchange.observer = self
        var body = EgressRequest.Body.none
        if socketKey != nil {
            body = .upgrade
        } else if exchange.hasBody {
            let length = head.firstValue(of: "content-length").flatMap { Int(String(decoding: $0, as: UTF8.self)) }
            body = .stream(length: length)
            isSendingEnded = false
        }
        let loop = lane.loop.remote
        let owner = LoopBound(self, to: lane.loop)
        let request = EgressRequest(head: Self.marked(head), body: body, via: server)
        upstream = lane.egress.begin(request) { events in loop.execute { loop in owner.value(on: loop).receive(events) }
        }
        sendMore()
    }

    /// The client's head without what is about its connection (RFC 9110, section 7.6.1), with what tells of circles.
    private static func marked(_ head: RequestHead) -> RequestHead {
        let dropped = Set(FieldList.tokens(in: head.firstValue(of: "connection")) + ["cdn-loop", "cf-ew-via"])
        var marked = RequestHead(reservingBytes: head.bytes.count + 64, fields: head.fieldCount + 2)
        marked.append(head.bytes[head.method])
        marked.append(head.bytes[head.url])
        for field in 0..<head.fieldCount {
            let name = head.bytes[head.name(field)]
            // The handshake is the egress's own.
            if dropped.contains(String(decoding: name, as: UTF8.self)) { continue }
            marked.append(name)
            marked.append(head.bytes[head.value(field)])
        }
        marked.append("cdn-loop".utf8)
        marked.append(LoopGuard.mark(behind: head).utf8)
        return marked
    }

    // MARK: The request's body

    package func exchangeBodyReady(_ exchange: any Exchange) { sendMore() }

    private func sendMore() {
        guard !isOver, let upstream else { return }
        while isSocket || !isSendingEnded, unsent < Self.sendWindow {
            var piece: [UInt8] = []
            let progress = exchange.readBody(limit: Self.pieceSize) { piece = Array($0) }
            switch progress {
            case .bytes:
                unsent += piece.count
                upstream.send(piece)
            case .pending: return
            case .end:
                isSendingEnded = true
                upstream.finishSending()
                // A client that closes its half of a WebSocket's connection has closed it.
                return
            case .failed:
                isSendingEnded = true
                upstream.cancel()
                return abort()
            }
        }
    }

    // MARK: The answer

    private func receive(_ events: [EgressEvent]) {
        for event in events where !isOver {
            switch event {
            case .head(let head): begin(head)
            case .body(let bytes): write(bytes)
            case .sent(let count):
                unsent -= count
                if unsent < Self.sendWindow / 2 { sendMore() }
            case .sendingEnded:
                isSendingEnded = true
                if !isSocket { exchange.discardBody() }
            case .end: finish()
            case .failed: abort()
            }
        }
    }

    private func begin(_ head: EgressResponseHead) {
        hasBegun = true
        isSocket = head.status == 101 && socketKey != nil
        var fields = Self.fields(of: head)
        if let socketKey, isSocket {
            fields = fields.withUnsafeBytes { WebSocketHandshake.fields($0) }
            fields += Array("sec-websocket-accept: \(WebSocketHandshake.accept(socketKey))\r\n".utf8)
        }
        let reason = Array(head.reason.utf8)
        fields.withUnsafeBytes { fields in
            reason.withUnsafeBytes { reason in
                let answer = ResponseHead(status: head.status, reason: reason, fields: fields)
                if isSocket {
                    exchange.upgrade(answer)
                } else if isHead {
                    exchange.respond(answer, body: .none)
                } else {
                    let lengths = head.values(of: "content-length")
                    exchange.beginResponse(answer, length: lengths.count == 1 ? Int(lengths[0]) : nil)
                }
            }
        }
        if isSocket { sendMore() }
        if isHead {
            upstream?.cancel()
            end()
        }
    }

    /// The origin's fields without those that are about its connection with us. The exchange drops the usual ones.
    private static func fields(of head: EgressResponseHead) -> [UInt8] {
        let dropped = Set(head.values(of: "connection").flatMap { FieldList.tokens(in: ArraySlice($0.utf8)) })
        var fields: [UInt8] = []
        for field in 0..<head.fieldCount {
            if dropped.contains(String(decoding: head.name(field), as: UTF8.self)) { continue }
            fields += head.name(field)
            fields += Array(": ".utf8)
            fields += head.value(field)
            fields += [13, 10]
        }
        return fields
    }

    private func write(_ bytes: [UInt8]) {
        let hasRoom = bytes.withUnsafeBytes { exchange.writeResponse($0) }
        unreported += bytes.count
        isBlocked = !hasRoom
        report()
    }

    private func report() {
        guard !isBlocked, unreported > 0 else { return }
        upstream?.consumed(unreported)
        unreported = 0
    }

    package func exchangeWritable(_ exchange: any Exchange) {
        isBlocked = false
        report()
    }

    // MARK: The end

    private func finish() {
        if hasBegun { exchange.finishResponse() } else { _ = lane.pages.respond(to: exchange, outcome: .originFailed) }
        end()
    }

    private func abort() {
        if hasBegun {
            exchange.abort()
        } else {
            if exchange.hasBody { exchange.discardBody() }
            _ = lane.pages.respond(to: exchange, outcome: .originFailed)
        }
        end()
    }

    /// A WebSocket is not ours to say goodbye to: it is cut.
    package func exchangeDraining(_ exchange: any Exchange) {
        guard isSocket else { return }
        upstream?.cancel()
        exchange.finishResponse()
        end()
    }

    package func exchangeClosed(_ exchange: any Exchange) {
        upstream?.cancel()
        end()
    }

    private func end() {
        guard !isOver else { return }
        isOver = true
        upstream = nil
        if exchange.observer === self { exchange.observer = nil }
    }
}
