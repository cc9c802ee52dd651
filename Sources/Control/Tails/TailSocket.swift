internal import Foundation
internal import NIOCore
internal import NIOWebSocket
internal import Synchronization

/// The WebSocket of a tail: sends a text for each event, answers pings, and hears little else.
final class TailSocket: ChannelInboundHandler, TailConnection, Sendable {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Bytes that may wait for a reader, and what a frame without a payload takes of them.
    private static let waitingBytes = 1 << 20
    private static let frameBytes = 128

    let client: String
    private let hub: TailHub
    private let tail: Tail
    private let channel: any Channel
    /// From here frames are written: behind this handler are those of HTTP, which take no frames.
    private let context = Mutex<NIOLoopBound<ChannelHandlerContext>?>(nil)
    private let waiting = Atomic<Int>(0)
    /// The answer to the last ping, while there is no room for it.
    private let owedPong = Mutex<ByteBuffer?>(nil)
    private let isClosing = Atomic<Bool>(false)

    init(_ tail: Tail, of hub: TailHub, on channel: any Channel) {
        self.tail = tail
        self.hub = hub
        self.channel = channel
        client = channel.remoteAddress?.ipAddress ?? ""
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context.withLock { $0 = NIOLoopBound(context, eventLoop: context.eventLoop) }
        hub.connected(self, to: tail)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context.withLock { $0 = nil } }

    func channelInactive(context: ChannelHandlerContext) {
        hub.disconnected(tail, self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        close(.goingAway)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        // Clients have to mask what they send (RFC 6455, section 5.1).
        guard frame.maskKey != nil else { return close(.protocolError) }
        switch frame.opcode {
        case .ping:
            // Whoever pings and does not read gets one answer: the last ping's will do (RFC 6455, section 5.5.3).
            owedPong.withLock { $0 = frame.unmaskedData }
            payPong()
        case .connectionClose:
            var data = frame.unmaskedData
            let code = data.readWebSocketErrorCode() ?? .normalClosure
            close(code)
        default: break
        }
    }

    // MARK: TailConnection

    func send(_ text: String) -> Bool {
        guard !isClosing.load(ordering: .relaxed) else { return true }
        return send(.text, channel.allocator.buffer(string: text))
    }

    func close() { close(.normalClosure) }

    private func close(_ code: WebSocketErrorCode) {
        guard !isClosing.exchange(true, ordering: .relaxed) else { return }
        var data = channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        write(WebSocketFrame(fin: true, opcode: .connectionClose, data: data)) { [channel] in
            channel.close(promise: nil)
        }
    }

    private func payPong() {
        let data = owedPong.withLock { owed in
            defer { owed = nil }
            return owed
        }
        guard let data, !send(.pong, data) else { return }
        owedPong.withLock { $0 = $0 ?? data }
    }

    /// False if too much waits to be read.
    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> Bool {
        let count = data.readableBytes + Self.frameBytes
        guard waiting.load(ordering: .relaxed) + count <= Self.waitingBytes else { return false }
        waiting.add(count, ordering: .relaxed)
        write(WebSocketFrame(fin: true, opcode: opcode, data: data)) { [self] in
            waiting.subtract(count, ordering: .relaxed)
            payPong()
        }
        return true
    }

    private func write(_ frame: WebSocketFrame, then completion: @escaping @Sendable () -> Void) {
        guard let context = context.withLock({ $0 }) else { return completion() }
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in completion() }
        channel.eventLoop.execute { [self] in context.value.writeAndFlush(wrapOutboundOut(frame), promise: promise) }
    }
}
