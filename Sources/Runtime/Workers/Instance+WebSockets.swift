internal import Isolates
internal import Model
internal import WebAPI

// WebSockets, as far as they are the host's.

extension Instance: WebSocketHost {
    func respondWebSocket(to exchange: Int, _ answer: Answer) throws(OpError) -> Int {
        let context = try upgrade(exchange, answer)
        let link = WebSocketLink(nextNumber(), over: context, as: .server, of: context)
        context.webSocket = link
        return link.id
    }

    func respondWebSocket(to exchange: Int, _ answer: Answer, relaying socket: Int) throws(OpError) {
        guard let subrequest = subrequest(socket), subrequest.context.id == exchange else {
            throw .type("The WebSocket is closed, or belongs to a different request")
        }
        let context = try upgrade(exchange, answer)
        subrequest.webSocket?.release()
        SocketRelay.connect(socket, context, subrequest, in: self)
    }

    /// Answers 101.
    private func upgrade(_ exchange: Int, _ answer: Answer) throws(OpError) -> RequestContext {
        let context = try open(exchange)
        guard let key = WebSocketHandshake.key(of: context.exchange.head) else {
            throw .type(
                """
                Worker tried to return WebSocket in response to a request which did not contain the header \
                "Upgrade: websocket".
                """)
        }
        var fields = WebSocketHandshake.fields(answer.fields)
        fields.append(contentsOf: "sec-websocket-accept: \(WebSocketHandshake.accept(key))\r\n".utf8)
        context.status = 101
        context.answer = .streaming
        context.isFollowed = true
        fields.withUnsafeBytes {
            context.exchange.upgrade(
                ResponseHead(status: 101, reason: answer.reason, fields: $0, outcome: context.outcome))
        }
        return context
    }

    func startWebSocket(_ socket: Int) { link(socket)?.start() }

    func sendWebSocket(_ socket: Int, _ bytes: UnsafeRawBufferPointer, isText: Bool) throws(OpError) {
        try link(socket)?.send(isText ? .text : .binary, bytes)
    }

    func closeWebSocket(_ socket: Int, code: Int, reason: String) { link(socket)?.close(code: code, reason: reason) }

    func failWebSocket(_ socket: Int, code: Int, reason: String) { link(socket)?.fail(code: code, reason: reason) }

    func bufferedBytes(ofWebSocket socket: Int) -> Int {
        (link(socket)?.waitingBytes ?? 0) + (subrequest(socket)?.unsent ?? 0)
    }

    private func link(_ id: Int) -> WebSocketLink? {
        let end = subrequest(id)?.webSocket ?? current?.webSocket.flatMap { $0.id == id ? $0 : nil }
        if let end { return end as? WebSocketLink }
        for context in requests.values {
            if let known = context.webSocket, known.id == id { return known as? WebSocketLink }
        }
        return nil
    }
}

extension RequestContext: SocketTransport {
    func readSocket(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        exchange.readBody(limit: limit, consume)
    }

    func writeSocket(_ bytes: UnsafeRawBufferPointer) -> SocketRoom {
        exchange.writeResponse(bytes) ? .room : .full
    }

    func endSocket() {
        webSocket = nil
        exchange.finishResponse()
        instance.answered(self)
        instance.finishTurn()
    }
}
