internal import Glibc
internal import Model
internal import NIOCore
internal import NIOHTTP2
internal import NIOSSL
internal import NIOTLS

/// A TLS connection over an accepted socket: what is sent and received here is plain, what the kernel sees is not.
/// SwiftNIO's TLS handler stands in a pipeline of its own, run on the lane's thread. Bound to that thread.
///
/// `receive` and `send` have results like recv(2) and send(2), so that a connection may do without it.
final class SecureSocket {
    enum State {
        case handshaking
        /// The client may send what it likes; both agreed on that protocol, if on any.
        case open(protocol: String?)
        /// TLS has failed.
        case failed
    }

    static let protocols = ["h2", "http/1.1"]
    /// Encrypted at a time at most, and so what waits for the kernel in encrypted form: whatever more there is waits
    /// where it is counted.
    private static let pieceSize = 64 << 10

    let descriptor: Int32
    let identity: ServedIdentity
    private(set) var state = State.handshaking
    private let lane: SecureLane
    private let handler: NIOSSLServerHandler
    private var channel: LaneChannel!
    /// Encrypted, on its way to the kernel.
    private var sealed: OutputBuffer
    /// Decrypted, on its way to the connection.
    private var plain = ByteBuffer()
    /// The kernel had less than was asked for.
    private var isDry = false
    /// The client has said that it sends no more, or there is no use in going on.
    private(set) var isEnded = false
    /// Called when the handshake went on without anything having been received: it had waited for a signature.
    var resumed: (() -> Void)?
    /// What the handlers do is the caller's doing, who sees to the rest.
    private var isDriven = false
    /// On its way through the handlers, not encrypted yet.
    private var gatheredBytes = 0

    /// - Parameter pool: of the lane.
    init(_ descriptor: Int32, as identity: ServedIdentity, on lane: SecureLane, pool: BlockPool) {
        self.descriptor = descriptor
        self.identity = identity
        self.lane = lane
        sealed = OutputBuffer(pool: pool)
        handler = NIOSSLServerHandler(context: identity.certificate.context)
        channel = LaneChannel(on: lane.loop, owner: self)
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers(handler, PlaintextHandler(socket: self))
        } catch {
            fatalError("a fresh pipeline refused its handlers: \(error)")
        }
    }

    /// "TLSv1.3"; empty before the handshake.
    var version: String {
        switch handler.tlsVersion {
        case .tlsv1: "TLSv1"
        case .tlsv11: "TLSv1.1"
        case .tlsv12: "TLSv1.2"
        case .tlsv13: "TLSv1.3"
        case nil: ""
        }
    }

    /// To be called at the end; the descriptor is the caller's to close.
    func end() {
        state = .failed
        isEnded = true
        resumed = nil
        channel.end()
        sealed.release()
        plain = ByteBuffer()
    }

    // MARK: Receiving

    /// Whether there may be more to receive without an event of the socket.
    var mayHaveMore: Bool { plain.readableBytes > 0 || !isDry }

    /// Takes encrypted bytes that somebody else has received.
    func feed(_ bytes: [UInt8]) {
        feed(ByteBuffer(bytes: bytes))
    }

    private func feed(_ bytes: ByteBuffer) {
        isDriven = true
        defer { isDriven = false }
        let pipeline = channel.pipeline.syncOperations
        pipeline.fireChannelRead(NIOAny(bytes))
        pipeline.fireChannelReadComplete()
    }

    /// One recv(2), and what it brings to the handlers; its result.
    func pump() -> Int {
        let count = lane.buffer.receive(from: descriptor)
        guard count > 0 else { return count }
        isDry = count < SecureLane.receiveSize
        feed(lane.buffer)
        return count
    }

    /// Receives plain bytes; 0 if the client sends no more.
    /// - Parameter untilEnd: The kernel has announced that the end of the file follows.
    func receive(into input: inout InputBuffer, untilEnd: Bool) -> Int {
        while plain.readableBytes == 0 {
            if isEnded {
                errno = EPROTO
                return if case .failed = state { -1 } else { 0 }
            }
            let count = pump()
            guard count > 0 else { return count }
            if isDry, !untilEnd, plain.readableBytes == 0, !isEnded {
                errno = EAGAIN
                return -1
            }
        }
        let count = plain.readWithUnsafeReadableBytes { input.receive(copying: $0) }
        if plain.readableBytes == 0 { plain = ByteBuffer() }
        return count
    }

    // MARK: Sending

    /// Whether the kernel has all.
    var hasSentAll: Bool { sealed.isEmpty }

    /// Encrypts and sends from `output` as much as the kernel takes, after what was encrypted before.
    func send(_ output: inout OutputBuffer) -> Int {
        var progress = 0
        while true {
            let sent = flush()
            if sent > 0 { progress += sent }
            guard sent >= 0, sealed.isEmpty else { return progress > 0 ? progress : -1 }
            guard !output.isEmpty else { return progress }
            let piece = UnsafeRawBufferPointer(rebasing: output.waiting.prefix(Self.pieceSize))
            channel.pipeline.syncOperations.writeAndFlush(NIOAny(ByteBuffer(bytes: piece)), promise: nil)
            output.consume(piece.count)
            if isEnded, sealed.isEmpty {
                errno = EPIPE
                return -1
            }
        }
    }

    /// Sends what is encrypted; the result of send(2), 0 if there is nothing.
    @discardableResult
    func flush() -> Int {
        guard !sealed.isEmpty else { return 0 }
        let sent = sealed.send(to: descriptor)
        if sent >= 0, !sealed.isEmpty { errno = EAGAIN }
        return sent
    }

    /// Says that nothing follows, so that the client knows that it has all (RFC 8446, section 6.1).
    func finish() {
        channel.pipeline.syncOperations.close(mode: .output, promise: nil)
        flush()
    }

    // MARK: HTTP/2

    /// Puts handlers behind TLS; they get what has been decrypted already.
    func install(_ handlers: [any ChannelHandler]) {
        let pipeline = channel.pipeline.syncOperations
        do {
            let tls = try pipeline.context(handlerType: NIOSSLServerHandler.self)
            try pipeline.addHandlers(handlers, position: .after(tls.handler))
            guard plain.readableBytes > 0 else { return }
            let bytes = plain
            plain = ByteBuffer()
            tls.fireChannelRead(NIOAny(bytes))
            tls.fireChannelReadComplete()
        } catch {
            // The pipeline is apart already: so is the connection, whose next turn finds it broken.
            state = .failed
            isEnded = true
        }
    }

    /// What the handlers have made of answers, and the kernel does not have.
    var backlog: Int { sealed.count + gatheredBytes }

    func write(_ frame: HTTP2Frame) {
        channel.pipeline.syncOperations.write(NIOAny(frame), promise: nil)
    }

    func flushHandlers() { channel.pipeline.syncOperations.flush() }

    /// So many bytes wait before TLS. Handlers are told when it is enough.
    func gathered(_ count: Int) {
        gatheredBytes = count
        if backlog >= Self.pieceSize { channel.setWritable(false) }
    }

    /// There is room again. True if that is news for the handlers.
    func setWritable() -> Bool {
        guard !channel.isWritable, backlog < Self.pieceSize else { return false }
        channel.setWritable(true)
        return true
    }

    // MARK: What the handlers tell

    fileprivate func received(_ bytes: ByteBuffer) {
        if plain.readableBytes == 0 {
            plain = bytes
        } else {
            plain.writeImmutableBuffer(bytes)
        }
    }

    fileprivate func opened(_ name: String?) { state = .open(protocol: name) }
    fileprivate func failed() { state = .failed }
}

extension SecureSocket: LaneChannel.Owner {
    func write(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { sealed.append($0) }
    }

    func pipelineClosed() {
        isEnded = true
        pipelineFlushed()
    }

    func pipelineFlushed() {
        if !isDriven { resumed?() }
    }
}

/// The end of the pipeline of a connection without HTTP/2.
private final class PlaintextHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private unowned let socket: SecureSocket

    init(socket: SecureSocket) { self.socket = socket }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        socket.received(unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name) = event as? TLSUserEvent { socket.opened(name) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        socket.failed()
    }
}

/// What the TLS connections of a lane share.
final class SecureLane {
    /// No more than the TLS handler's buffer has room for, so that it does not grow.
    static let receiveSize = 32 << 10

    let loop: LaneNIOLoop
    var buffer = ByteBuffer()

    init(loop: LaneNIOLoop) { self.loop = loop }
}

extension ByteBuffer {
    /// Replaces what is there by what one recv(2) brings; its result.
    fileprivate mutating func receive(from descriptor: Int32) -> Int {
        clear(minimumCapacity: SecureLane.receiveSize)
        var result = 0
        writeWithUnsafeMutableBytes(minimumWritableBytes: SecureLane.receiveSize) { room in
            result = recv(descriptor, room.baseAddress, SecureLane.receiveSize, Int32(MSG_DONTWAIT))
            return max(0, result)
        }
        return result
    }
}
