internal import Crypto
internal import Foundation
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket

/// A connection to the admin port: HTTP, for whoever asks for a tail a WebSocket, and for locations their link.
struct ControlChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let http: HTTP1Channel
    let hub: TailHub
    let feedDoor: @Sendable () -> FeedDoor

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(feedDoor(), position: .after(decoder))
            try pipeline.addHandler(TailDoor(hub), position: .after(decoder))
            try pipeline.addHandler(LastChance(), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}

/// Makes a WebSocket of a connection whose request asks for a tail that is there; all else passes on.
private final class TailDoor: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Bytes of what a client may send at once.
    private static let frameBytes = 16 << 10

    private let hub: TailHub
    /// What was asked for, once the request's head is here.
    private var asked: (tail: Tail, head: HTTPRequestHead)?
    private var isOpen = false

    init(_ hub: TailHub) { self.hub = hub }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody answers a request that comes behind one for a WebSocket.
        if isOpen { return }
        if case .head(let head) = unwrapInboundIn(data), let tail = tail(for: head) {
            asked = (tail, head)
            return
        }
        guard let (tail, head) = asked else { return context.fireChannelRead(data) }
        guard case .end = unwrapInboundIn(data) else { return }
        asked = nil
        isOpen = true
        // Whoever is told that it follows sees all that happens from then on.
        let door = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        hub.expect(tail) { [hub, loop = context.eventLoop] in
            loop.execute {
                let (door, context) = door.value
                if context.channel.isActive { door.open(tail, head, context) }
                hub.settle(tail)
            }
        }
    }

    private func tail(for head: HTTPRequestHead) -> Tail? {
        let path = head.uri.prefix { $0 != "?" }
        guard path.hasPrefix(TailRoutes.path), head.method == .GET,
            head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }),
            head.headers.first(name: "sec-websocket-version") == "13",
            let key = head.headers.first(name: "sec-websocket-key"), Data(base64Encoded: key)?.count == 16
        else { return nil }
        return hub.tail(String(path.dropFirst(TailRoutes.path.count)))
    }

    private func open(_ tail: Tail, _ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let key = request.headers.first(name: "sec-websocket-key") ?? ""
        let digest = Insecure.SHA1.hash(data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        var headers = HTTPHeaders([
            ("upgrade", "websocket"), ("connection", "upgrade"),
            ("sec-websocket-accept", Data(digest).base64EncodedString()),
        ])
        let protocols = request.headers[canonicalForm: "sec-websocket-protocol"]
        if protocols.contains(where: { $0 == TailRoutes.subprotocol }) {
            headers.add(name: "sec-websocket-protocol", value: TailRoutes.subprotocol)
        }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        do {
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(WebSocketFrameEncoder(), position: .before(self))
            try pipeline.addHandler(
                ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: Self.frameBytes)), position: .before(self))
            try pipeline.addHandler(TailSocket(tail, of: hub, on: context.channel), position: .before(self))
            pipeline.removeHandler(context: encoder, promise: nil)
            pipeline.removeHandler(context: decoder, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }
}
