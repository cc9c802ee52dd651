internal import Foundation
internal import Glibc
internal import HummingbirdCore
internal import Logging
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Takes the admin port's connections of a socket that listens already, and that another process may have too.
/// (Hummingbird's own server binds its own.)
final class ControlDoor: Sendable {
    /// How long answers under way may take, in seconds, once the door is closed. A start-up check is the longest.
    private static let patience = 30.0

    private let socket: Int32
    private let child: ControlChannel
    private let logger: Logger
    private let group = MultiThreadedEventLoopGroup.singleton
    private let server = Mutex<(any Channel)?>(nil)
    /// Connections, until they end.
    private let members = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let left = NSCondition()

    init(_ socket: Int32, _ child: ControlChannel, _ logger: Logger) {
        self.socket = socket
        self.child = child
        self.logger = logger
    }

    /// - Throws: `StoreError` of kind `unusable`.
    func open() throws {
        // Whoever closes the channel closes its descriptor.
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Self.failure(String(cString: strerror(errno))) }
        let opened = Opened()
        Task { [self] in
            do {
                let server = try await ServerBootstrap(group: group)
                    .childChannelOption(.allowRemoteHalfClosure, value: true)
                    .bind(copy) { channel in
                        self.join(channel)
                        return self.child.setup(channel: channel, logger: self.logger)
                    }
                self.server.withLock { $0 = server.channel }
                opened.set(.success(()))
                await serve(server)
            } catch {
                opened.set(.failure(Self.failure("\(error)")))
            }
        }
        try opened.wait()
    }

    private func serve(_ server: NIOAsyncChannel<ControlChannel.Value, Never>) async {
        try? await server.executeThenClose { connections in
            await withDiscardingTaskGroup { group in
                do {
                    for try await connection in connections {
                        group.addTask { await self.child.handle(value: connection, logger: self.logger) }
                    }
                } catch {
                    logger.error("the admin port takes no more connections: \(error)")
                }
            }
        }
    }

    private func join(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        members.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { [self] _ in
            left.lock()
            members.withLock { $0[id] = nil }
            left.broadcast()
            left.unlock()
        }
    }

    /// Takes no more connections, lets those that are there finish what was asked, and cuts what takes too long.
    /// Returns when the last has ended.
    func close() {
        guard let server = server.withLock({ $0.take() }) else { return }
        // What has been accepted becomes a connection on the loops' next turns.
        try? server.setOption(.autoRead, value: false).wait()
        for _ in 0..<2 {
            for loop in group.makeIterator() { try? loop.submit {}.wait() }
        }
        try? server.close().wait()
        for channel in members.withLock({ $0.values }) {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        let end = Date(timeIntervalSinceNow: Self.patience)
        left.lock()
        while members.withLock({ !$0.isEmpty }), left.wait(until: end) {}
        left.unlock()
        for channel in members.withLock({ $0.values }) { channel.close(promise: nil) }
    }

    private static func failure(_ why: String) -> StoreError {
        StoreError(.unusable, "the admin port cannot be opened: \(why)")
    }

    /// Whether it is open, or why not, for the thread that waits for it.
    private final class Opened: Sendable {
        private let result = Mutex<Result<Void, StoreError>?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        /// Counts once.
        func set(_ value: Result<Void, StoreError>) {
            let isFirst = result.withLock { result in
                guard result == nil else { return false }
                result = value
                return true
            }
            if isFirst { isThere.signal() }
        }

        func wait() throws {
            isThere.wait()
            try result.withLock { $0! }.get()
        }
    }
}

/// Lets a connection that has asked for nothing yet ask once before it ends: its client may have sent that already.
final class LastChance: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private static let patience = TimeAmount.seconds(2)

    private var hasAsked = false
    /// An order to end that waits for the first request.
    private var held: Any?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Whatever the connection has become after its first request passes.
        guard !hasAsked, case .head = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        hasAsked = true
        context.fireChannelRead(data)
        if let held { context.fireUserInboundEventTriggered(held) }
        held = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent, !hasAsked else { return context.fireUserInboundEventTriggered(event) }
        held = event
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.patience) {
            let (handler, context) = bound.value
            if handler.held != nil { context.close(promise: nil) }
        }
    }
}
