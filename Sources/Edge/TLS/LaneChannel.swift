internal import NIOCore

/// A channel of SwiftNIO without a socket: what its pipeline writes goes to its owner, and what the owner has received
/// it fires into the pipeline. Bound to the lane's thread.
final class LaneChannel: Channel, ChannelCore, @unchecked Sendable {
    // Sound: only the lane's own thread has it.

    protocol Owner: AnyObject {
        /// Bytes on their way out of the pipeline; to be copied.
        func write(_ bytes: ByteBuffer)
        /// A handler has given the connection up.
        func pipelineClosed()
        /// A handler wants sent what it has written.
        func pipelineFlushed()
    }

    let allocator = ByteBufferAllocator()
    let eventLoop: any EventLoop
    private var storedPipeline: ChannelPipeline!
    private let closing: EventLoopPromise<Void>
    private unowned let owner: any Owner
    private(set) var isActive = true
    private(set) var isWritable = true

    /// - Parameter owner: outlives the channel, or ends it.
    init(on loop: LaneNIOLoop, owner: any Owner) {
        eventLoop = loop
        closing = loop.makePromise()
        self.owner = owner
        storedPipeline = ChannelPipeline(channel: self)
    }

    var pipeline: ChannelPipeline { storedPipeline }
    var closeFuture: EventLoopFuture<Void> { closing.futureResult }
    var localAddress: SocketAddress? { nil }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var _channelCore: any ChannelCore { self }

    /// Takes the pipeline apart; every one who made a channel has to call it.
    func end() {
        guard isActive else { return }
        isActive = false
        removeHandlers(pipeline: pipeline)
        closing.succeed(())
    }

    /// Tells the pipeline whether the kernel keeps up.
    func setWritable(_ isWritable: Bool) {
        guard isWritable != self.isWritable else { return }
        self.isWritable = isWritable
        pipeline.fireChannelWritabilityChanged()
    }

    // MARK: Options

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: What handlers ask for

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let bytes: ByteBuffer = unwrapData(data)
        if bytes.readableBytes > 0 { owner.write(bytes) }
        promise?.succeed(())
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .output, isActive { owner.pipelineClosed() }
        promise?.succeed(())
    }

    /// The owner sends when it has all that a turn brings.
    func flush0() {
        if isActive { owner.pipelineFlushed() }
    }
    /// The owner receives when it is ready to.
    func read0() {}
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func register0(promise: EventLoopPromise<Void>?) { refuse(promise) }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }

    private func refuse(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
}
