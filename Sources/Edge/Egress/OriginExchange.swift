internal import AsyncHTTPClient
internal import Model
internal import NIOCore
internal import NIOHTTP1

/// One request on its way to an origin, by as many attempts as it takes: a name may have addresses that do not answer,
/// and a kept connection may be closed at the moment it is used again.
final class OriginExchange: EgressExchange, @unchecked Sendable {
    // Sound because all that changes is touched on the shard's loop alone.

    private enum Phase {
        case resolving
        /// Addresses that are left to be tried follow.
        case attempting(OriginAttempt, remaining: [IPAddress])
        case over
    }

    let target: OriginTarget
    let shard: EgressShard
    private let fields: HTTPHeaders
    private let delivery: ExchangeDelivery
    private let ended: @Sendable () -> Void
    private var number = 0
    private var phase = Phase.resolving
    private var retries = 0
    private(set) var upload: Upload
    /// What the client waits for before it brings more of the body.
    private var pause: EventLoopPromise<Void>?
    /// Since when the origin has been silent while it is its turn.
    private var silentSince = NIODeadline.now()

    /// A request that may be repeated is, so often, if kept connections turn out to be closed.
    private static let retryLimit = 3

    init(
        _ request: EgressRequest, to target: OriginTarget, on shard: EgressShard,
        deliver: @escaping @Sendable ([EgressEvent]) -> Void, ended: @escaping @Sendable () -> Void
    ) {
        self.target = target
        self.shard = shard
        delivery = ExchangeDelivery(on: shard, to: deliver)
        self.ended = ended
        fields = Self.fields(of: request.head, for: target)
        upload = Upload(of: request.body)
        delivery.hold(upload.isStream ? 0 : upload.length ?? 0)
    }

    /// The request's fields without those that are the connection's.
    static func fields(of head: RequestHead, for target: OriginTarget) -> HTTPHeaders {
        var fields = HTTPHeaders()
        fields.reserveCapacity(head.fieldCount + 4)
        fields.add(name: "host", value: target.authority)
        for field in 0..<head.fieldCount {
            let name = String(decoding: head.bytes[head.name(field)], as: UTF8.self)
            if connectionFields.contains(name) { continue }
            fields.add(name: name, value: String(decoding: head.bytes[head.value(field)], as: UTF8.self))
        }
        return fields
    }

    private static let connectionFields: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade", OriginHandler.exchangeField,
    ]

    // MARK: Asked from outside

    func send(_ bytes: [UInt8]) {
        shard.loop.execute { [self] in
            guard !isOver else { return }
            guard upload.append(bytes) else { return }
            delivery.hold(bytes.count)
            writeMore()
        }
    }

    func finishSending() {
        shard.loop.execute { [self] in
            upload.finish()
            writeMore()
        }
    }

    func consumed(_ bytes: Int) {
        shard.loop.execute { [self] in
            guard delivery.consumed(bytes), let pause else { return }
            self.pause = nil
            touch()
            pause.succeed()
        }
    }

    func cancel() { shard.loop.execute { [self] in end() } }

    private var isOver: Bool {
        if case .over = phase { return true }
        return false
    }

    // MARK: Attempts

    func begin() {
        guard !isOver else { return }
        number = shard.add(self)
        shard.resolve(target) { [self] addresses in
            guard case .resolving = phase else { return }
            guard let addresses else { return fail(.forbidden(host: target.authority)) }
            guard let first = addresses.first else { return fail(.unknownHost(target.host)) }
            attempt(first, remaining: Array(addresses.dropFirst()))
        }
    }

    private func attempt(_ address: IPAddress, remaining: [IPAddress]) {
        let destination = Destination(host: target.host, address: address, isLiteral: target.literal != nil)
        let client = shard.clients.client(for: destination)
        guard var request = client.request(to: target) else { return fail(.invalidRequest("Invalid URL.")) }
        request.headers = fields
        request.headers.add(name: OriginHandler.exchangeField, value: String(number))
        let attempt = OriginAttempt(of: self, at: address, by: client)
        phase = .attempting(attempt, remaining: remaining)
        touch()
        attempt.begin(request)
    }

    var currentAttempt: OriginAttempt? {
        if case .attempting(let attempt, _) = phase { return attempt }
        return nil
    }

    private func isCurrent(_ attempt: OriginAttempt) -> Bool {
        if case .attempting(let current, _) = phase { return current === attempt }
        return false
    }

    func failed(_ attempt: OriginAttempt, _ error: any Error) {
        guard case .attempting(let current, let remaining) = phase, current === attempt else { return }
        if attempt.isAnswerComplete { return finished(attempt) }
        attempt.end()
        if retries < Self.retryLimit, mayRetry(attempt, error), upload.restart() {
            retries += 1
            return self.attempt(attempt.address, remaining: remaining)
        }
        if !attempt.isSent, let next = remaining.first, OriginAttempt.isConnectionFailure(error) {
            return self.attempt(next, remaining: Array(remaining.dropFirst()))
        }
        fail(attempt.failure(for: error))
    }

    /// A connection that was kept may have been closed by the origin before it saw the request; then what may be
    /// repeated is (RFC 9110, section 9.2.2).
    private func mayRetry(_ attempt: OriginAttempt, _ error: any Error) -> Bool {
        guard attempt.isSent else { return OriginAttempt.isClosedChannel(error) }
        guard attempt.isOnKeptConnection, !attempt.hasHead, OriginAttempt.isHangUp(error) else { return false }
        return ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(target.method)
    }

    // MARK: Answers

    func received(_ head: HTTPResponseHead, by attempt: OriginAttempt) {
        guard isCurrent(attempt) else { return }
        touch()
        guard head.status != .switchingProtocols else { return fail(.malformedAnswer) }
        guard let answer = delivery.head(of: head) else { return fail(.headTooLarge) }
        delivery.post(.head(answer))
        // An origin that refuses reads no further.
        if answer.status >= 300, upload.isOpen { closeUpload() }
    }

    func received(_ piece: ByteBuffer, by attempt: OriginAttempt) -> EventLoopFuture<Void> {
        guard isCurrent(attempt), piece.readableBytes > 0 else { return shard.loop.makeSucceededVoidFuture() }
        touch()
        guard delivery.post(piece) else { return shard.loop.makeSucceededVoidFuture() }
        let pause = shard.loop.makePromise(of: Void.self)
        self.pause = pause
        return pause.futureResult
    }

    func finished(_ attempt: OriginAttempt) {
        guard isCurrent(attempt) else { return }
        if upload.isOpen { closeUpload() }
        delivery.post(.end)
        end()
    }

    private func fail(_ failure: EgressFailure) {
        guard !isOver else { return }
        delivery.post(.failed(failure))
        end()
    }

    // MARK: Sending

    /// The client is ready to take the request's body.
    func writerReady(_ attempt: OriginAttempt) {
        guard isCurrent(attempt) else { return }
        writeMore()
    }

    private func writeMore() {
        guard case .attempting(let attempt, _) = phase, let writer = attempt.writer else { return }
        while let piece = upload.next() {
            let count = piece.readableBytes
            writer.write(.byteBuffer(piece)).whenComplete { [self] result in
                guard isCurrent(attempt) else { return }
                switch result {
                case .success: sent(count)
                // The answer says why, or the attempt fails.
                case .failure: closeUpload()
                }
            }
        }
        if upload.isComplete { attempt.finishWriting() }
    }

    private func sent(_ bytes: Int) {
        touch()
        upload.sent(bytes)
        delivery.letGo(bytes)
        if upload.isStream { delivery.post(.sent(bytes)) }
        if !upload.isWaitingForOrigin { shard.loop.execute { [self] in writeMore() } }
    }

    private func closeUpload() {
        upload.close()
        delivery.post(.sendingEnded)
    }

    // MARK: The end

    private func end() {
        guard !isOver else { return }
        let last = phase
        phase = .over
        upload.close()
        delivery.letGoOfAll()
        pause?.succeed()
        pause = nil
        if number != 0 { shard.remove(number) }
        if case .attempting(let attempt, _) = last { attempt.end() }
        ended()
    }

    // MARK: Time

    private func touch() { silentSince = .now() }

    /// Whether the origin has done nothing since then though it is its turn.
    func isSilent(since earliest: NIODeadline) -> Bool {
        guard case .attempting(let attempt, _) = phase, attempt.isSent, pause == nil else { return false }
        // As long as the worker does not send its part, the origin may well be waiting for it.
        if upload.isOpen && !upload.isWaitingForOrigin { return false }
        return silentSince < earliest
    }

    func timedOut() { fail(.timedOut) }
}
