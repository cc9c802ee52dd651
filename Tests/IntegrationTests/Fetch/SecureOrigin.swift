import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization

/// An origin over TLS, with HTTP/2 or without. It says in a line how it was asked: protocol, method, target, host and
/// the length of the body; for `/large` the answer is a large one. Without HTTP/2 it also has WebSockets, which send
/// back what they get.
final class SecureOrigin: Sendable {
    enum Speaks: String, CaseIterable {
        case http1 = "http/1.1"
        case http2 = "h2"
    }

    let port: Int
    private let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let connectionCount: Counter

    final class Counter: Sendable { let value = Atomic<Int>(0) }

    var connections: Int { connectionCount.value.load(ordering: .relaxed) }

    init(_ protocols: Speaks, _ certificate: Certificate) throws {
        let count = Counter()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.file).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.keyFile, format: .pem)))
        configuration.applicationProtocols = [protocols.rawValue]
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try ServerBootstrap(group: threads)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                count.value.add(1, ordering: .relaxed)
                do {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    guard protocols == .http2 else {
                        let upgrader = NIOWebSocketServerUpgrader(
                            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
                            upgradePipelineHandler: { channel, _ in
                                channel.eventLoop.makeCompletedFuture {
                                    try channel.pipeline.syncOperations.addHandler(SocketEcho())
                                }
                            })
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                            withServerUpgrade: (
                                [upgrader],
                                { context in
                                    let pipeline = context.pipeline.syncOperations
                                    guard let answerer = try? pipeline.handler(type: Answerer.self) else { return }
                                    pipeline.removeHandler(answerer, promise: nil)
                                }
                            ))
                        try channel.pipeline.syncOperations.addHandler(Answerer("http/1.1"))
                        return channel.eventLoop.makeSucceededVoidFuture()
                    }
                    _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
                    ) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                            try stream.pipeline.syncOperations.addHandler(Answerer("h2"))
                        }
                    }
                    return channel.eventLoop.makeSucceededVoidFuture()
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress!.port!
        connectionCount = count
    }

    deinit { threads.shutdownGracefully { _ in } }

    /// A certificate that nobody but its owner trusts.
    struct Certificate {
        private let folder: ScratchFolder
        var file: String { "\(folder.path)/certificate.pem" }
        var keyFile: String { "\(folder.path)/key.pem" }

        /// For a name, and for 127.0.0.1.
        init(for name: String) throws {
            folder = try ScratchFolder()
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj",
                "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name),IP:127.0.0.1", "-out", file, "-keyout", keyFile,
            ]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failure("openssl made no certificate") }
        }
    }

    private final class SocketEcho: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            let echo = WebSocketFrame(fin: true, opcode: frame.opcode, data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(echo), promise: nil)
        }
    }

    private final class Answerer: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let name: String
        private var head: HTTPRequestHead?
        private var length = 0

        init(_ name: String) { self.name = name }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                length = 0
            case .body(let bytes): length += bytes.readableBytes
            case .end: answer(context)
            }
        }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return }
            let host = head.headers.first(name: "host") ?? "-"
            let text =
                head.uri == "/large"
                ? String(repeating: "0123456789", count: 1_000_000)
                : "\(name) \(head.method) \(head.uri) \(host) \(length)"
            var fields = HTTPHeaders([("X-Field", "value"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
            if name != "h2" { fields.add(name: "content-length", value: "\(text.utf8.count)") }
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .ok, headers: fields))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
