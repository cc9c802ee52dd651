internal import NIOCore
internal import NIOHTTP2

/// Makes one TLS record of all frames of a turn, not one of each piece.
final class RecordGatherer: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private unowned let socket: SecureSocket
    private var gathered = ByteBuffer()

    init(socket: SecureSocket) { self.socket = socket }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .byteBuffer(let bytes) = unwrapOutboundIn(data) { gathered.writeImmutableBuffer(bytes) }
        promise?.succeed(())
        socket.gathered(gathered.readableBytes)
    }

    func flush(context: ChannelHandlerContext) {
        let bytes = gathered
        gathered = ByteBuffer()
        socket.gathered(0)
        if bytes.readableBytes > 0 { context.write(wrapOutboundOut(bytes), promise: nil) }
        context.flush()
    }
}

/// Tells a connection what the HTTP/2 handler has made of the client's bytes.
final class FrameReceiver: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private unowned let connection: HTTP2Connection

    init(_ connection: HTTP2Connection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent:
            if let size = event.inboundWindowSize { connection.inboundWindowChanged(of: event.streamID, to: size) }
        case let event as StreamClosedEvent:
            connection.streamClosed(event.streamID)
        default: break
        }
    }

    /// Errors of a stream end it with RST_STREAM, those of the connection come with GOAWAY: both are seen as such.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Tells a connection what goes out.
struct FrameWatcher: NIOHTTP2FrameDelegate {
    private unowned let connection: HTTP2Connection

    init(_ connection: HTTP2Connection) { self.connection = connection }

    func wroteFrame(_ frame: HTTP2Frame) { connection.wrote(frame) }
}
