import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// A TLS connection to a port of this machine. It trusts everybody, sends and receives plain bytes, and waits for
/// nothing longer than its deadlines.
final class SecureClient: Sendable {
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let channel: any Channel
    private let inbox: Inbox

    /// Shakes hands.
    /// - Parameters:
    ///   - name: what the client asks for; nil for nothing.
    ///   - proxied: what is sent before the handshake.
    init(
        port: Int, name: String? = "localhost", protocols: [String] = [], newest: TLSVersion? = nil,
        oldest: TLSVersion = .tlsv12, proxied: [UInt8] = [], by deadline: Deadline = .soon
    ) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = protocols
        configuration.minimumTLSVersion = oldest
        configuration.maximumTLSVersion = newest
        let context = try NIOSSLContext(configuration: configuration)
        let inbox = Inbox()
        self.inbox = inbox
        channel = try ClientBootstrap(group: Self.threads)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if !proxied.isEmpty { try pipeline.addHandler(Prelude(proxied)) }
                    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
                    try pipeline.addHandler(Collector(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).wait()
        guard try inbox.wait(by: deadline, for: { $0.isOpen || $0.hasEnded }), inbox.isOpen else {
            throw Failure("no handshake: \(inbox.error ?? "the connection was closed")")
        }
    }

    deinit { channel.close(promise: nil) }

    /// What both agreed on.
    var negotiated: String? { inbox.negotiated }

    /// The host names in the server's certificate.
    func names() throws -> [String] {
        let channel = channel
        return try channel.eventLoop.submit {
            let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate()
            return certificate?._subjectAlternativeNames().map { String(decoding: $0.contents, as: UTF8.self) } ?? []
        }.wait()
    }

    func send(_ bytes: some Sequence<UInt8>) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func send(_ text: String) { send(text.utf8) }

    func close() { channel.close(promise: nil) }

    /// Stops to take what arrives, so that the server is held back.
    func pause() { _ = channel.setOption(.autoRead, value: false) }
    func resume() { _ = channel.setOption(.autoRead, value: true) }

    /// What has arrived since the last time; nil at the end.
    func receive(by deadline: Deadline = .soon) throws -> [UInt8]? {
        guard try inbox.wait(by: deadline, for: { !$0.bytes.isEmpty || $0.hasEnded }) else {
            throw Failure("receive: nothing in time")
        }
        return inbox.take()
    }

    /// Everything until the server closes.
    func receiveAll(by deadline: Deadline = .soon) throws -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try receive(by: deadline) { all += bytes }
        return all
    }

    /// Whether the server, at the end, has said that it was the end.
    var endedCleanly: Bool { inbox.endedCleanly }

    /// A GET over HTTP/1.1 that closes nothing.
    func get(_ path: String = "/", host: String = "localhost", by deadline: Deadline = .soon) throws -> Answer {
        send(Client.head("GET", path, host: host))
        return try answer(to: "GET", by: deadline)
    }

    func answer(to method: String, by deadline: Deadline = .soon) throws -> Answer {
        var reader = try AnswerReader(method: method)
        while !reader.isComplete {
            if let bytes = try receive(by: deadline) { try reader.take(bytes) } else { try reader.takeEnd() }
        }
        var answer = reader.answer!
        answer.body = reader.takeBody()
        return answer
    }

    /// What has happened, as the thread of the connection and that of the test see it.
    private final class Inbox: Sendable {
        struct State {
            var isOpen = false
            var negotiated: String?
            var bytes: [UInt8] = []
            var hasEnded = false
            var endedCleanly = false
            var error: String?
        }

        private let state = Mutex(State())
        private let changes = DispatchSemaphore(value: 0)

        var isOpen: Bool { state.withLock { $0.isOpen } }
        var negotiated: String? { state.withLock { $0.negotiated } }
        var endedCleanly: Bool { state.withLock { $0.endedCleanly } }
        var error: String? { state.withLock { $0.error } }

        func change(_ body: (inout State) -> Void) {
            state.withLock { body(&$0) }
            changes.signal()
        }

        func wait(by deadline: Deadline, for isSo: (State) -> Bool) throws -> Bool {
            while !state.withLock({ isSo($0) }) {
                guard changes.wait(timeout: .now() + .milliseconds(Int(deadline.milliseconds))) == .success else {
                    return false
                }
            }
            return true
        }

        /// Nil at the end.
        func take() -> [UInt8]? {
            state.withLock { state in
                defer { state.bytes = [] }
                return state.bytes.isEmpty && state.hasEnded ? nil : state.bytes
            }
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let name) = event as? TLSUserEvent {
                inbox.change {
                    $0.isOpen = true
                    $0.negotiated = name
                }
            }
            if event as? ChannelEvent == .inputClosed {
                inbox.change {
                    $0.endedCleanly = $0.error == nil
                    $0.hasEnded = true
                }
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            inbox.change { $0.bytes += bytes.readableBytesView }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            inbox.change { $0.error = "\(error)" }
            if case .uncleanShutdown = error as? NIOSSLError { return }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            inbox.change { $0.hasEnded = true }
        }
    }

    /// Sends some bytes before all others.
    private final class Prelude: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if !bytes.isEmpty { context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil) }
            bytes = []
            context.write(data, promise: promise)
        }
    }
}
