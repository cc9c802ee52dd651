internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket

/// The WebSocket by which a platform tells what a Worker does.
package enum TailStream {
    /// Seconds between pings: by them a connection that is gone is noticed.
    private static let pingInterval = TimeAmount.seconds(10)

    /// Waits until the platform has closed the WebSocket.
    /// - Parameters:
    ///   - url: "ws://host:port/path", or "wss:".
    ///   - opened: called once messages may come.
    ///   - message: gets each message's text, on a thread of its own.
    /// - Throws: `ClientError` if there is no connection, or it breaks off.
    package static func follow(
        _ url: String, opened: @escaping @Sendable () -> Void, message: @escaping @Sendable (String) -> Void
    ) throws(ClientError) {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
            let isSecure = ["ws": false, "wss": true][parts.scheme ?? ""]
        else { throw ClientError("the platform named no WebSocket: \(url)") }
        let name = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        let port = parts.port ?? (isSecure ? 443 : 80)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let ended = loop.makePromise(of: Void.self)
        do {
            let tls = isSecure ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
            _ = try ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            let isName = name.contains { $0.isLetter } && !name.contains(":")
                            try pipeline.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: isName ? name : nil))
                        }
                        let authority = parts.port.map { "\(host):\($0)" } ?? host
                        try pipeline.addHandler(
                            Greeting(authority: authority, path: parts.percentEncodedPath, ended) { context in
                                opened()
                                try add(to: context, ended, message)
                            })
                    }
                }
                .connect(host: name, port: port).wait()
            try ended.futureResult.wait()
        } catch {
            ended.fail(error)
            throw ClientError("\(host): \(error)")
        }
    }

    private static func add(
        to context: ChannelHandlerContext, _ ended: EventLoopPromise<Void>,
        _ message: @escaping @Sendable (String) -> Void
    ) throws {
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(WebSocketFrameEncoder())
        try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 16 << 20)))
        try pipeline.addHandler(Reader(pingInterval, ended, message))
    }
}

/// The opening handshake; then it leaves the connection to others.
private final class Greeting: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of the answer's head.
    private static let headBytes = 16 << 10

    private let authority: String
    private let path: String
    private let ended: EventLoopPromise<Void>
    private let agreed: (ChannelHandlerContext) throws -> Void
    private var answer = ByteBuffer()

    init(
        authority: String, path: String, _ ended: EventLoopPromise<Void>,
        agreed: @escaping (ChannelHandlerContext) throws -> Void
    ) {
        self.authority = authority
        self.path = path
        self.ended = ended
        self.agreed = agreed
    }

    func channelActive(context: ChannelHandlerContext) {
        let key = Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        let request = """
            GET \(path) HTTP/1.1\r\nHost: \(authority)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\nSec-WebSocket-Protocol: trace-v1\r\n\r\n
            """
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        answer.writeBuffer(&bytes)
        let view = answer.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if view.count > Self.headBytes { errorCaught(context: context, error: Self.notOpened) }
            return
        }
        guard view.starts(with: Array("HTTP/1.1 101 ".utf8)) else {
            return errorCaught(context: context, error: Self.notOpened)
        }
        answer.moveReaderIndex(to: end.upperBound)
        do {
            try agreed(context)
            if answer.readableBytes > 0 { context.fireChannelRead(NIOAny(answer)) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    private static let notOpened = ClientError("the platform did not open the tail")

    func channelInactive(context: ChannelHandlerContext) { ended.fail(Self.notOpened) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended.fail(error)
        context.close(promise: nil)
    }
}

/// Takes messages, and pings.
private final class Reader: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let interval: TimeAmount
    private let ended: EventLoopPromise<Void>
    private let message: (String) -> Void
    private var pings: RepeatedTask?

    init(_ interval: TimeAmount, _ ended: EventLoopPromise<Void>, _ message: @escaping (String) -> Void) {
        self.interval = interval
        self.ended = ended
        self.message = message
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        pings = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            channel.writeAndFlush(
                WebSocketFrame(fin: true, opcode: .ping, maskKey: .random(), data: ByteBuffer(string: "martlet tail")),
                promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        pings?.cancel()
        ended.fail(ClientError("the connection broke off"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended.fail(error)
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text: message(String(buffer: frame.data))
        case .connectionClose:
            ended.succeed(())
            context.close(promise: nil)
        default: break
        }
    }
}
