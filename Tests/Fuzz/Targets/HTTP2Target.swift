import Edge
import Model
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2

/// HTTP/2 as a connection reads it: frames and header compression under our limits, then each header as the text that
/// the parser of HTTP/1.1 gets.
enum HTTP2Target {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    @Sendable static func run(_ bytes: [UInt8]) {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        var stream = NIOHTTP2Handler.StreamConfiguration()
        HTTP2Limits().apply(to: &connection, &stream, headerBytes: 4_096)
        let channel = EmbeddedChannel(
            handlers: [
                NIOHTTP2Handler(mode: .server, connectionConfiguration: connection, streamConfiguration: stream),
                HeaderReader(),
            ])
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        guard let address = try? SocketAddress(ipAddress: "127.0.0.1", port: 1) else { return }
        channel.connect(to: address, promise: nil)
        _ = try? channel.writeInbound(ByteBuffer(bytes: preface))
        var input = Input(bytes)
        let cut = input.number(below: bytes.count)
        let frames = input.all()
        for piece in [frames.prefix(cut), frames.dropFirst(cut)] where !piece.isEmpty {
            _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
        }
    }
}

private final class HeaderReader: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let parser: RequestParser = {
        var limits = IngressLimits()
        limits.headerBytes = 4_096
        return RequestParser(limits: limits, isSecure: true)
    }()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .headers(let headers) = unwrapInboundIn(data).payload else { return }
        var text: [UInt8] = []
        guard (try? HTTP2RequestText.write(headers.headers, to: &text)) != nil else { return }
        var head = RequestHead()
        var progress = RequestParser.Progress()
        let result = text.withUnsafeBytes { parser.parse($0, progress: &progress, into: &head) }
        guard case .request(let framing) = result else { return }
        // No field brings lines of its own.
        require(framing.headerBytes == text.count, "a header ends early")
        require(head.fieldCount <= headers.headers.count + 1, "more fields than were sent")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
