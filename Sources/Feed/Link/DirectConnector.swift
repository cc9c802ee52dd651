internal import Foundation
package import Model
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// Connects a location with the control node's admin port: a connection that is upgraded from HTTP.
package struct DirectConnector: FeedConnector {
    private let address: FeedAddress
    private let token: String
    private let tls: NIOSSLContext?

    private static let connectSeconds: Int64 = 5
    /// How long the control node may take to let a location in, in seconds.
    private static let greetingSeconds = 10.0
    /// One thread: it copies bytes.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// - Parameter authorities: a file of certificates (PEM) that are trusted beside the system's.
    package init(_ address: FeedAddress, token: String, authorities: String?) throws(FeedError) {
        self.address = address
        self.token = token
        guard address.way == .https else {
            tls = nil
            return
        }
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            if let authorities { configuration.additionalTrustRoots = [.file(authorities)] }
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw FeedError(.refused, "the certificates of --join-ca cannot be used: \(error)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        let first = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        return (first as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(first)"
    }

    package func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection {
        let link = DirectConnection()
        let head = """
            GET \(FeedFrame.path) HTTP/1.1\r\nHost: \(address.host):\(address.port)\r\nAuthorization: Bearer \(token)\r
            Connection: upgrade\r\nUpgrade: \(FeedFrame.upgrade)\r\n\(FeedFrame.versionField): \(FeedFrame.version)\r
            \r\n
            """
        do {
            let channel = try ClientBootstrap(group: Self.group)
                .connectTimeout(.seconds(Self.connectSeconds))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { [tls, address] channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let name = address.host.contains(where: \.isLetter) ? address.host : nil
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: name))
                        }
                        try channel.pipeline.syncOperations.addHandler(DirectHandler(link, greeting: head))
                    }
                }
                .connect(host: address.host, port: address.port).wait()
            link.opened(channel)
        } catch {
            throw FeedError(.away, "\(address.text) cannot be reached: \(Self.reason(error))")
        }
        do {
            try link.waitForGreeting(within: Self.greetingSeconds)
        } catch {
            link.close()
            throw error
        }
        link.send(.subscribe(subscribe))
        return link
    }
}

/// What came and was not yet taken, and the calls under way.
private final class DirectConnection: FeedConnection {
    private struct State {
        var frames: [FeedFrame] = []
        var waitingBytes = 0
        var calls: [Int64: Call] = [:]
        var lastCall: Int64 = 0
        var isGreeted = false
        /// The event loop holds back a read until there is room.
        var isPaused = false
        /// Why there is nothing more.
        var end: FeedError?
        var channel: (any Channel)?
    }

    private final class Call: Sendable {
        let result = Mutex<Result<[UInt8], FeedError>?>(nil)
        let done = DispatchSemaphore(value: 0)

        func finish(_ value: Result<[UInt8], FeedError>) {
            result.withLock { $0 = $0 ?? value }
            done.signal()
        }
    }

    /// Bytes that may wait before the other side has to.
    static let waitingBytesAtMost = 16 << 20

    private let state = Mutex(State())
    private let arrived = NSCondition()

    deinit { state.withLock { $0.channel }?.close(promise: nil) }

    func opened(_ channel: any Channel) { state.withLock { $0.channel = channel } }

    // MARK: By the event loop

    func greeted() { change { $0.isGreeted = true } }

    func take(_ frame: FeedFrame, bytes: Int) {
        switch frame {
        case .reply(let id, let body):
            state.withLock { $0.calls.removeValue(forKey: id) }?.finish(.success(body))
        case .refusal(let id, let error) where id != 0:
            state.withLock { $0.calls.removeValue(forKey: id) }?.finish(.failure(error))
        case .refusal(_, let error): ended(error)
        default:
            change { state in
                state.frames.append(frame)
                state.waitingBytes += bytes
            }
        }
    }

    /// Whether more may be read; if not, reading goes on when there is room.
    func mayRead() -> Bool {
        state.withLock { state in
            state.isPaused = state.waitingBytes >= Self.waitingBytesAtMost
            return !state.isPaused
        }
    }

    func ended(_ error: FeedError) {
        var calls: [Call] = []
        change { state in
            state.end = state.end ?? error
            calls = Array(state.calls.values)
            state.calls = [:]
        }
        for call in calls { call.finish(.failure(error)) }
    }

    private func change(_ body: (inout State) -> Void) {
        arrived.lock()
        state.withLock { body(&$0) }
        arrived.broadcast()
        arrived.unlock()
    }

    // MARK: By the location

    func waitForGreeting(within seconds: Double) throws {
        let isGreeted = try wait(within: seconds) { $0.isGreeted ? true : nil }
        guard isGreeted == true else { throw FeedError(.away, "the control node does not answer") }
    }

    func next(within seconds: Double) throws -> FeedFrame? {
        let frame = try wait(within: seconds) { state -> FeedFrame? in
            guard !state.frames.isEmpty else { return nil }
            let frame = state.frames.removeFirst()
            if state.frames.isEmpty { state.waitingBytes = 0 }
            return frame
        }
        let paused = state.withLock { $0.isPaused && $0.waitingBytes == 0 ? $0.channel : nil }
        paused?.read()
        return frame
    }

    private func wait<Value>(within seconds: Double, for body: (inout State) -> Value?) throws -> Value? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        arrived.lock()
        defer { arrived.unlock() }
        while true {
            let (value, end) = state.withLock { (body(&$0), $0.end) }
            if let value { return value }
            if let end { throw end }
            guard arrived.wait(until: deadline) else { return state.withLock { body(&$0) } }
        }
    }

    func call(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] {
        let call = Call()
        let (id, end) = state.withLock { state in
            state.lastCall += 1
            if state.end == nil { state.calls[state.lastCall] = call }
            return (state.lastCall, state.end)
        }
        if let end { throw end }
        send(.call(id, name: name, body: body))
        guard call.done.wait(timeout: .now() + seconds) == .success else {
            state.withLock { _ = $0.calls.removeValue(forKey: id) }
            throw FeedError(.away, "the control node has not answered in time")
        }
        guard let result = call.result.withLock({ $0 }) else {
            preconditionFailure("a call that ended without a result")
        }
        return try result.get()
    }

    func tell(_ name: String, _ body: [UInt8]) { send(.call(-1, name: name, body: body)) }

    func blob(_ hash: String) throws -> [UInt8] {
        try call(FeedService.Name.blob, Array(hash.utf8), within: blobSeconds)
    }

    var mark: String? { nil }
    var isCompacted: Bool { false }
    /// Heads come each two seconds.
    var silence: Double? { 7 }

    func send(_ frame: FeedFrame) { state.withLock { $0.channel }?.writeAndFlush(frame.encoded, promise: nil) }

    func close() {
        ended(FeedError(.away, "the connection was closed"))
        state.withLock { $0.channel }?.close(promise: nil)
    }
}

/// How long a blob may take, in seconds.
private let blobSeconds = 60.0

/// Reads the answer to the upgrade, then frames. Belongs to its event loop.
private final class DirectHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of an answer's head or of an error's body.
    private static let answerBytes = 64 << 10

    private let link: DirectConnection
    private let greeting: String
    private var received = ByteBuffer()
    private var isGreeted = false

    init(_ link: DirectConnection, greeting: String) {
        self.link = link
        self.greeting = greeting
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: greeting)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do throws(FeedError) {
            if !isGreeted { try readAnswer() }
            guard isGreeted else { return }
            while true {
                let before = received.readableBytes
                guard let frame = try FeedFrame.next(in: &received) else { break }
                link.take(frame, bytes: before - received.readableBytes)
            }
            received.discardReadBytes()
        } catch {
            link.ended(error)
            context.close(promise: nil)
        }
    }

    /// The location lags behind: the other side waits.
    func read(context: ChannelHandlerContext) { if link.mayRead() { context.read() } }

    func channelInactive(context: ChannelHandlerContext) {
        link.ended(FeedError(.away, "the control node has ended the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        link.ended(FeedError(.away, "the connection has failed: \(reason)"))
        context.close(promise: nil)
    }

    private func readAnswer() throws(FeedError) {
        let view = received.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else {
            guard view.count < Self.answerBytes else {
                throw FeedError(.refused, "what answers there is no control node")
            }
            return
        }
        let head = String(decoding: view[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length =
            lines.compactMap { line -> Int? in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
                return Int(parts[1].filter { $0 != " " })
            }.first ?? 0
        let start = end.upperBound - view.startIndex
        if status == 101 {
            received.moveReaderIndex(forwardBy: start)
            isGreeted = true
            return link.greeted()
        }
        guard view.count - start >= min(length, Self.answerBytes) else { return }
        let body = Data(view[end.upperBound...].prefix(length))
        let json = try? JSONDecoder().decode(JSONValue.self, from: body)
        let message = json?["errors"]?.array?.first?["message"]?.string
        let kind: FeedError.Kind = status == 426 ? .version : (400..<500).contains(status) ? .refused : .away
        throw FeedError(kind, message ?? "what answers there is no control node: status \(status)")
    }
}
