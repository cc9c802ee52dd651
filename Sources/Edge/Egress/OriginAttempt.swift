internal import AsyncHTTPClient
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// One attempt at an exchange: a request of the HTTP client's, and what is seen of it on its connection.
final class OriginAttempt: HTTPClientResponseDelegate, @unchecked Sendable {
    // Sound because the client calls its delegate, and NIO the handler, on the loop that both were given: the shard's,
    // which is the only one that the client has. (Asked for a connection on a loop by name, it would use each once.)
    typealias Response = Void

    let address: IPAddress
    private let exchange: OriginExchange
    private let client: OriginClient
    private var task: HTTPClient.Task<Void>?
    private var isOver = false
    /// The head is on its way, behind others if the connection was used before.
    private(set) var isSent = false
    private(set) var isOnKeptConnection = false
    private(set) var hasHead = false
    /// Takes the request's body, once the client asks for it.
    private(set) var writer: HTTPClient.Body.StreamWriter?
    private var written: EventLoopPromise<Void>?
    /// Bytes of the answer's body that came by the connection, and that were handed on.
    private var bytesSeen = 0
    private var bytesForwarded = 0
    private var hasSeenEnd = false

    init(of exchange: OriginExchange, at address: IPAddress, by client: OriginClient) {
        self.exchange = exchange
        self.address = address
        self.client = client
    }

    func begin(_ request: HTTPClient.Request) {
        var request = request
        let length = exchange.upload.length
        if length != 0 {
            request.body = .stream(contentLength: length.map(Int64.init)) { [self] writer in beginWriting(writer) }
        }
        client.users += 1
        task = client.http.execute(
            request: request, delegate: self, eventLoop: .delegate(on: exchange.shard.loop), logger: nil)
        if isOver { task?.cancel() }
    }

    /// Gives the attempt up, if it is not over by itself.
    func end() {
        guard !isOver else { return }
        isOver = true
        client.users -= 1
        client.lastUsed = .now()
        task?.cancel()
        written?.succeed()
        written = nil
    }

    // MARK: The request's body

    private func beginWriting(_ writer: HTTPClient.Body.StreamWriter) -> EventLoopFuture<Void> {
        let written = exchange.shard.loop.makePromise(of: Void.self)
        guard !isOver else {
            written.succeed()
            return written.futureResult
        }
        self.writer = writer
        self.written = written
        // Not within the client's own call.
        exchange.shard.loop.execute { [self] in exchange.writerReady(self) }
        return written.futureResult
    }

    func finishWriting() {
        written?.succeed()
        written = nil
    }

    // MARK: What the connection sees

    func willSend(onKeptConnection: Bool) {
        isSent = true
        isOnKeptConnection = onKeptConnection
    }

    /// Whether the client is in a state in which it can take an answer: one that comes before the client could even
    /// begin to write the request's body would find it unprepared.
    var isReadyForAnswer: Bool { exchange.upload.length == 0 || writer != nil }

    func saw(bodyBytes: Int) { bytesSeen += bodyBytes }
    func sawEnd() { hasSeenEnd = true }

    /// All of the answer was handed on, whatever became of the request.
    var isAnswerComplete: Bool { hasHead && hasSeenEnd && bytesSeen == bytesForwarded }

    /// The client takes an answer for complete only when the request is; an origin that answers before it has read all
    /// may never let it be.
    func finishIfComplete() {
        if isAnswerComplete, exchange.upload.isOpen { exchange.finished(self) }
    }

    // MARK: What the client says

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        hasHead = true
        exchange.received(head, by: self)
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        bytesForwarded += buffer.readableBytes
        let room = exchange.received(buffer, by: self)
        finishIfComplete()
        return room
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {
        exchange.finished(self)
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        exchange.failed(self, error)
    }

    // MARK: Errors

    /// The origin closed the connection, or it broke.
    static func isHangUp(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .remoteConnectionClosed }
        return error is IOError || error is ChannelError || error as? NIOSSLError == .uncleanShutdown
    }

    /// The client chose a connection that was closed at that moment.
    static func isClosedChannel(_ error: any Error) -> Bool {
        if case .ioOnClosedChannel? = error as? ChannelError { return true }
        return false
    }

    /// There is no connection to be had; there may be one to another address.
    static func isConnectionFailure(_ error: any Error) -> Bool {
        isHangUp(error) || error as? HTTPClientError == .connectTimeout
            || error as? HTTPClientError == .tlsHandshakeTimeout
    }

    func failure(for error: any Error) -> EgressFailure {
        switch error {
        case let error as EgressFailure: return error
        case HTTPParserError.headerOverflow: return .headTooLarge
        case HTTPParserError.invalidEOFState: return .connectionLost
        case is HTTPParserError, is NIOHTTPDecoderError: return .malformedAnswer
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return isSent ? .connectionLost : .handshakeFailed
        case let error as HTTPClientError: return Self.failure(for: error)
        default: return .connectionLost
        }
    }

    private static func failure(for error: HTTPClientError) -> EgressFailure {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout: .timedOut
        case .bodyLengthMismatch: .invalidRequest("The request's body is not as long as its length says.")
        case .traceRequestWithBody: .invalidRequest("A TRACE request cannot have a body.")
        default:
            if "\(error)".contains("invalidHeaderField") {
                .invalidRequest("Invalid header value.")
            } else {
                .connectionLost
            }
        }
    }
}
