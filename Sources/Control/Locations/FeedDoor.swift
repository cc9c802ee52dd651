internal import Feed
internal import Foundation
internal import HTTPTypes
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Makes the link of a location of a connection whose request asks for it and shows its token; all else passes on.
final class FeedDoor: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let hub: FeedHub
    private let store: any LocationStore
    private let threads: NIOThreadPool
    private var asked: HTTPRequestHead?
    private var isOpen = false

    init(_ hub: FeedHub, _ store: any LocationStore, _ threads: NIOThreadPool) {
        self.hub = hub
        self.store = store
        self.threads = threads
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody answers a request that comes behind.
        if isOpen { return }
        if case .head(let head) = unwrapInboundIn(data), Self.isForFeed(head) {
            asked = head
            return
        }
        guard let head = asked else { return context.fireChannelRead(data) }
        guard case .end = unwrapInboundIn(data) else { return }
        asked = nil
        isOpen = true
        answer(head, context)
    }

    private static func isForFeed(_ head: HTTPRequestHead) -> Bool {
        head.uri == FeedFrame.path && head.method == .GET
            && head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == FeedFrame.upgrade }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let version = head.headers.first(name: FeedFrame.versionField) ?? ""
        guard version == String(FeedFrame.version) else {
            return refuse(
                APIError(
                    426, 10001,
                    "this location speaks version '\(version)' of the feed, the control node \(FeedFrame.version)"),
                context)
        }
        let words = head.headers.first(name: "authorization")?.split(separator: " ") ?? []
        let secret = words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : ""
        let door = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        threads.runIfActive(eventLoop: context.eventLoop) { [store] in try store.location(forSecret: secret) }
            .whenComplete { result in
                let (door, context) = door.value
                switch result {
                case .success(let location?): door.open(location, context)
                case .success(nil):
                    door.refuse(APIError(401, 10000, "the control node knows no location with this token"), context)
                case .failure: door.refuse(APIError(500, 10000, "the store failed"), context)
                }
            }
    }

    private func open(_ location: Location, _ context: ChannelHandlerContext) {
        let headers = HTTPHeaders([("upgrade", FeedFrame.upgrade), ("connection", "upgrade")])
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        do {
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let session = FeedSession(location, of: hub, on: context.eventLoop)
            // The first: what stands behind it, such as this door, gets nothing from now on.
            try pipeline.addHandler(session, position: .after(decoder.handler))
            pipeline.removeHandler(context: encoder, promise: nil)
            pipeline.removeHandler(context: decoder, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    private func refuse(_ error: APIError, _ context: ChannelHandlerContext) {
        let body: JSONValue = [
            "success": false, "messages": [], "result": .null,
            "errors": [["code": .number(Double(error.code)), "message": .string(error.message)]],
        ]
        let bytes = ByteBuffer(string: body.text)
        let headers = HTTPHeaders([
            ("content-type", "application/json"), ("content-length", String(bytes.readableBytes)),
            ("connection", "close"),
        ])
        let status = HTTPResponseStatus(statusCode: error.status)
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
