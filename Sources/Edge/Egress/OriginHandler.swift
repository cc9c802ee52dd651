internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// Sits on each connection (HTTP/1.1) or stream (HTTP/2) next to the codec: gives a request the target it was made
/// with, and tells its attempt what the client does not say. On the shard's loop.
final class OriginHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// By this field, which is never sent, a request on a connection says which exchange's it is.
    static let exchangeField = "martlet-exchange"

    /// Bytes of a request that may wait in a connection. More than any header has, so that no header alone fills it.
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 128 << 10, high: 256 << 10)

    private unowned let shard: EgressShard
    private var attempt: OriginAttempt?
    private var requestCount = 0
    private var isFinalHead = false

    private init(of shard: EgressShard) { self.shard = shard }

    /// Puts a handler into a new channel, which the client has set up.
    static func add(to channel: any Channel, of shard: EgressShard) -> EventLoopFuture<Void> {
        do {
            let pipeline = channel.pipeline.syncOperations
            let handler = OriginHandler(of: shard)
            if let decoder = try? pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self) {
                try pipeline.addHandler(handler, position: .after(decoder))
                return channel.setOption(.writeBufferWaterMark, value: writeBuffer)
            }
            let codec = try pipeline.handler(type: HTTP2FramePayloadToHTTP1ClientCodec.self)
            try pipeline.addHandler(handler, position: .after(codec))
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        guard let number = head.headers.first(name: Self.exchangeField).flatMap({ Int($0) }),
            let exchange = shard.exchange(number), let attempt = exchange.currentAttempt
        else {
            // The exchange ended on the way here. Nothing may be sent in its name.
            return refuse(context, .connectionLost, promise)
        }
        let connection = context.channel.parent ?? context.channel
        guard PeerIdentity.isVerified(connection, for: exchange.target) else {
            return refuse(context, .handshakeFailed, promise)
        }
        head.headers.remove(name: Self.exchangeField)
        head.uri = exchange.target.uri
        self.attempt = attempt
        isFinalHead = false
        attempt.willSend(onKeptConnection: requestCount > 0)
        requestCount += 1
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private func refuse(
        _ context: ChannelHandlerContext, _ failure: EgressFailure, _ promise: EventLoopPromise<Void>?
    ) {
        promise?.fail(failure)
        context.fireErrorCaught(failure)
        context.close(promise: nil)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isFinalHead = head.status.code >= 200
            if isFinalHead, let attempt, !attempt.isReadyForAnswer {
                context.fireErrorCaught(EgressFailure.connectionLost)
                return context.close(promise: nil)
            }
        case .body(let bytes):
            attempt?.saw(bodyBytes: bytes.readableBytes)
        case .end where isFinalHead:
            let ended = attempt
            attempt = nil
            ended?.sawEnd()
            context.fireChannelRead(data)
            ended?.finishIfComplete()
            return
        case .end:
            break
        }
        context.fireChannelRead(data)
    }
}
