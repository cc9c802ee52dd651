internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// A request that asks an origin to make the connection a WebSocket (RFC 6455, section 4.1), on a connection of its
/// own. Once the origin has agreed, bytes go both ways as they are; an origin that answers otherwise has its answer
/// delivered like any other.
final class UpgradeExchange: EgressExchange, @unchecked Sendable {
    // Sound because all that changes is touched on the shard's loop alone.

    private enum Phase {
        case resolving
        /// Addresses that are left to be tried follow.
        case connecting([IPAddress])
        /// The request is on its way.
        case asking(any Channel)
        /// The answer is under way, or the connection is a WebSocket.
        case answering(any Channel)
        case over
    }

    let target: OriginTarget
    let shard: EgressShard
    let handshake = SocketHandshake()
    private let fields: HTTPHeaders
    private let delivery: ExchangeDelivery
    private let ended: @Sendable () -> Void
    private var phase = Phase.resolving
    private var isUpgraded = false
    private var handler: UpgradeHandler?
    private var isPaused = false
    /// Bytes that the connection has not got rid of.
    private var unsent = 0
    private var isFinishing = false
    /// Since when the origin has been silent while it is its turn.
    private var silentSince = NIODeadline.now()
    private var silenceTimer: Scheduled<Void>?

    /// What is written at a time: more would tell nothing of its progress.
    private static let pieceSize = 64 << 10

    init(
        _ request: EgressRequest, to target: OriginTarget, on shard: EgressShard,
        deliver: @escaping @Sendable ([EgressEvent]) -> Void, ended: @escaping @Sendable () -> Void
    ) {
        self.target = target
        self.shard = shard
        delivery = ExchangeDelivery(on: shard, to: deliver)
        self.ended = ended
        var fields = OriginExchange.fields(of: request.head, for: target)
        handshake.add(to: &fields)
        self.fields = fields
    }

    // MARK: Asked from outside

    func send(_ bytes: [UInt8]) {
        shard.loop.execute { [self] in write(ByteBuffer(bytes: bytes)) }
    }

    func finishSending() {
        shard.loop.execute { [self] in
            isFinishing = true
            closeIfFinished()
        }
    }

    func consumed(_ bytes: Int) {
        shard.loop.execute { [self] in
            guard delivery.consumed(bytes), isPaused, let channel else { return }
            isPaused = false
            touch()
            _ = channel.setOption(.autoRead, value: true)
        }
    }

    func cancel() { shard.loop.execute { [self] in end() } }

    private var isOver: Bool {
        if case .over = phase { return true }
        return false
    }

    private var channel: (any Channel)? {
        switch phase {
        case .asking(let channel), .answering(let channel): channel
        case .resolving, .connecting, .over: nil
        }
    }

    // MARK: Connecting

    func begin() {
        guard !isOver else { return }
        shard.resolve(target) { [self] addresses in
            guard case .resolving = phase else { return }
            guard let addresses else { return fail(.forbidden(host: target.authority)) }
            guard let first = addresses.first else { return fail(.unknownHost(target.host)) }
            connect(to: first, remaining: Array(addresses.dropFirst()))
        }
    }

    private func connect(to address: IPAddress, remaining: [IPAddress]) {
        phase = .connecting(remaining)
        guard let place = try? SocketAddress(ipAddress: "\(address)", port: target.port) else {
            return fail(.invalidRequest("Invalid URL."))
        }
        ClientBootstrap(group: shard.loop)
            .connectTimeout(.milliseconds(Int64(shard.limits.connectMilliseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
            .connect(to: place)
            .whenComplete { [self] result in connected(result) }
    }

    private func prepare(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        if target.isTLS {
            guard let context = shard.upgradeTLS else { throw EgressFailure.handshakeFailed }
            let name = target.literal == nil ? target.host : nil
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
        }
        handler = try UpgradeHandler.add(to: channel, of: self)
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        guard case .connecting(let remaining) = phase else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .success(let channel):
            phase = .asking(channel)
            touch()
            watchSilence()
            if !target.isTLS { ask() }
        case .failure(let error):
            if let next = remaining.first { return connect(to: next, remaining: Array(remaining.dropFirst())) }
            if case .connectTimeout? = error as? ChannelError { return fail(.timedOut) }
            fail(error as? EgressFailure ?? .connectionLost)
        }
    }

    /// The origin has proved who it is.
    func secured() {
        guard case .asking(let channel) = phase else { return }
        guard PeerIdentity.isVerified(channel, for: target) else { return fail(.handshakeFailed) }
        ask()
    }

    private func ask() {
        guard case .asking(let channel) = phase else { return }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target.uri)
        head.headers = fields
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenFailure { [self] _ in
            fail(.invalidRequest("Invalid header value."))
        }
    }

    // MARK: Answers

    /// - Returns: whether the connection is a WebSocket now.
    func received(_ head: HTTPResponseHead) -> Bool {
        guard case .asking(let channel) = phase else { return false }
        touch()
        phase = .answering(channel)
        let agrees = head.status == .switchingProtocols
        guard !agrees || handshake.isAgreedTo(by: head.headers) else {
            fail(.malformedAnswer)
            return false
        }
        guard let answer = delivery.head(of: head) else {
            fail(.headTooLarge)
            return false
        }
        isUpgraded = agrees
        if agrees { silenceTimer?.cancel() }
        delivery.post(.head(answer))
        return agrees
    }

    func received(_ piece: ByteBuffer) {
        guard case .answering(let channel) = phase, piece.readableBytes > 0 else { return }
        touch()
        guard delivery.post(piece), !isPaused else { return }
        isPaused = true
        _ = channel.setOption(.autoRead, value: false)
    }

    /// The answer is complete, or the WebSocket's connection is closed.
    func finished() {
        guard case .answering = phase else { return fail(.connectionLost) }
        delivery.post(.end)
        end()
    }

    func closed() { isUpgraded ? finished() : fail(.connectionLost) }

    func failed(_ error: any Error) {
        switch error {
        case let failure as EgressFailure: fail(failure)
        case HTTPParserError.headerOverflow: fail(.headTooLarge)
        case HTTPParserError.invalidEOFState: fail(.connectionLost)
        case is HTTPParserError, is NIOHTTPDecoderError: fail(.malformedAnswer)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            if case .answering = phase { fail(.connectionLost) } else { fail(.handshakeFailed) }
        default: fail(.connectionLost)
        }
    }

    private func fail(_ failure: EgressFailure) {
        guard !isOver else { return }
        delivery.post(.failed(failure))
        end()
    }

    // MARK: Sending

    private func write(_ bytes: ByteBuffer) {
        guard case .answering = phase, isUpgraded, let handler else { return }
        if unsent == 0 {
            touch()
            watchSilence()
        }
        unsent += bytes.readableBytes
        delivery.hold(bytes.readableBytes)
        var rest = bytes
        while let piece = rest.readSlice(length: min(Self.pieceSize, rest.readableBytes)), piece.readableBytes > 0 {
            let count = piece.readableBytes
            // What fails has closed the connection, which is heard of elsewhere.
            handler.write(piece)?.whenSuccess { [self] in wrote(count) }
        }
        handler.flush()
    }

    private func wrote(_ count: Int) {
        guard !isOver else { return }
        touch()
        unsent -= count
        delivery.letGo(count)
        delivery.post(.sent(count))
        if unsent == 0 { silenceTimer?.cancel() }
        closeIfFinished()
    }

    private func closeIfFinished() {
        guard isFinishing, unsent == 0, let channel else { return }
        channel.close(promise: nil)
    }

    // MARK: The end

    private func end() {
        guard !isOver else { return }
        let last = channel
        phase = .over
        handler = nil
        silenceTimer?.cancel()
        delivery.letGoOfAll()
        last?.close(promise: nil)
        ended()
    }

    // MARK: Silence

    private func touch() { silentSince = .now() }

    /// Ends it if the origin does nothing for too long though it is its turn: to answer, or to take what is sent. An
    /// open WebSocket may be silent.
    private func watchSilence() {
        silenceTimer?.cancel()
        let longest = TimeAmount.milliseconds(Int64(shard.limits.idleMilliseconds))
        silenceTimer = shard.loop.scheduleTask(deadline: silentSince + longest) { [self] in
            if isPaused { touch() }
            if silentSince + longest <= .now() { fail(.timedOut) } else { watchSilence() }
        }
    }
}
