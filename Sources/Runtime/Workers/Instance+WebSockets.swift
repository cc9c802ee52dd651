internal import Isolates
internal import Model
internal import WebAPI

// WebSockets, as far as they are the host's.

extension Instance: WebSocketHost {
    func respondWebSocket(to exchange: Int, _ answer: Answer) throws(OpError) -> Int {
        let context = try open(exchange)
        guard let key = WebSocketHandshake.key(of: context.exchange.head) else {
            throw .type(
                """
                Worker tried to return WebSocket in response to a request which did not contain the header \
                "Upgrade: websocket".
                """)
        }
        var fields = Array(answer.fields)
        fields.append(contentsOf: "sec-websocket-accept: \(WebSocketHandshake.accept(key))\r\n".utf8)
        context.status = 101
        context.answer = .streaming
        context.isFollowed = true
        fields.withUnsafeBytes {
            context.exchange.upgrade(
                ResponseHead(status: 101, reason: answer.reason, fields: $0, outcome: context.outcome))
        }
        context.webSocket = WebSocketLink(nextNumber(), of: context)
        return context.webSocket!.id
    }

    func startWebSocket(_ socket: Int) { link(socket)?.start() }

    func sendWebSocket(_ socket: Int, _ bytes: UnsafeRawBufferPointer, isText: Bool) throws(OpError) {
        try link(socket)?.send(isText ? .text : .binary, bytes)
    }

    func closeWebSocket(_ socket: Int, code: Int, reason: String) { link(socket)?.close(code: code, reason: reason) }

    func failWebSocket(_ socket: Int, code: Int, reason: String) { link(socket)?.fail(code: code, reason: reason) }

    private func link(_ id: Int) -> WebSocketLink? {
        if let known = current?.webSocket, known.id == id { return known }
        for context in requests.values {
            if let known = context.webSocket, known.id == id { return known }
        }
        return nil
    }

    func webSocketEnded(_ context: RequestContext) {
        answered(context)
        finishTurn()
    }
}
