internal import NIOCore
internal import NIOHTTP1
internal import NIOTLS

/// What an origin answers to a handshake, as HTTP. On the shard's loop.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private unowned let tunnel: UpgradeHandler
    private let exchange: UpgradeExchange
    private var isAgreed = false

    init(_ exchange: UpgradeExchange, _ tunnel: UpgradeHandler) {
        self.exchange = exchange
        self.tunnel = tunnel
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): isAgreed = exchange.received(head)
        case .body(let bytes): exchange.received(bytes)
        case .end where isAgreed: tunnel.begin()
        case .end: exchange.finished()
        }
    }

    func channelInactive(context: ChannelHandlerContext) { exchange.closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { exchange.failed(error) }
}

/// Sits between a connection that is to become a WebSocket and its HTTP codec, to which it gives all that comes until
/// the origin has agreed, and nothing behind that: those bytes are no HTTP. On the shard's loop.
final class UpgradeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Bytes of a head that is not whole.
        case head(ByteBuffer)
        /// An answer's body.
        case body
        case tunnel
    }

    /// Bytes of a head of 1xx. A longer one makes no WebSocket: it is looked through anew with each piece that comes.
    private static let longestHead = 16 << 10

    private let exchange: UpgradeExchange
    private var state = State.head(ByteBuffer())
    private var context: ChannelHandlerContext?

    private init(_ exchange: UpgradeExchange) { self.exchange = exchange }

    /// - Returns: by which the bytes of the WebSocket are written.
    static func add(to channel: any Channel, of exchange: UpgradeExchange) throws -> UpgradeHandler {
        let handler = UpgradeHandler(exchange)
        try channel.pipeline.syncOperations.addHandlers(
            handler, HTTPRequestEncoder(), ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)),
            NIOHTTPRequestHeadersValidator(), AnswerHandler(exchange, handler))
        return handler
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { exchange.secured() }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch state {
        case .head(var gathered):
            gathered.writeImmutableBuffer(bytes)
            takeHeads(gathered, context)
        case .body: context.fireChannelRead(data)
        case .tunnel: exchange.received(bytes)
        }
    }

    /// Gives head after head to the codec: others may come before that of the answer.
    private func takeHeads(_ gathered: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = gathered
        while let end = rest.readableBytesView.endOfHead {
            let isLast = !rest.readableBytesView.isInformational
            guard !isLast, let head = rest.readSlice(length: end) else { break }
            context.fireChannelRead(wrapInboundOut(head))
            if case .tunnel = state { return exchange.received(rest) }
        }
        let isTooLong = rest.readableBytes > Self.longestHead
        guard isTooLong || rest.readableBytesView.endOfHead != nil || !rest.readableBytesView.mayBeInformational else {
            state = .head(rest)
            return
        }
        state = .body
        context.fireChannelRead(wrapInboundOut(rest))
    }

    fileprivate func begin() { state = .tunnel }

    func channelInactive(context: ChannelHandlerContext) {
        if case .tunnel = state { return exchange.closed() }
        if case .head(let rest) = state, rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { exchange.failed(error) }

    // MARK: Out

    /// Writes bytes of the WebSocket, past the codec.
    func write(_ bytes: ByteBuffer) -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.write(wrapOutboundOut(bytes), promise: written)
        return written.futureResult
    }

    func flush() { context?.flush() }
}

extension ByteBufferView {
    /// Bytes of the head that they begin with; nil if it is not whole.
    fileprivate var endOfHead: Int? {
        var index = startIndex
        while let lineEnd = self[index...].firstIndex(of: 10) {
            let next = lineEnd + 1
            if next < endIndex, self[next] == 10 { return next + 1 - startIndex }
            if next + 1 < endIndex, self[next] == 13, self[next + 1] == 10 { return next + 2 - startIndex }
            index = next
        }
        return nil
    }

    /// Whether they begin a head whose status is 1xx.
    fileprivate var isInformational: Bool { count >= 10 && mayBeInformational }

    fileprivate var mayBeInformational: Bool { zip(self, "HTTP/1.1 1".utf8).allSatisfy { $0 == $1 } }
}
