package import Model
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// The control node's end of the link to one location: sends it what it lacks, as fast as it takes it, and answers its
/// calls. Belongs to its channel's event loop.
package final class FeedSession: ChannelInboundHandler, @unchecked Sendable {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Bytes that may wait to be sent before the link waits for the location.
    private static let highWater = 4 << 20
    /// Calls of one location that are worked on at a time.
    private static let callsAtMost = 64

    private let hub: FeedHub
    private let location: Location
    private let eventLoop: any EventLoop
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var instance: String?
    /// What it has been sent; nil before it has said where it is.
    private var cursor: FeedPage.Cursor?
    /// The cursor stands between two pages.
    private var isWithin = false
    private var isReading = false
    private var calls = 0
    private var secretKeys: [FeedSecretKey] = []
    /// Those that it was told last.
    private var orders = FeedOrders()

    /// - Parameter location: who has shown its token.
    package init(_ location: Location, of hub: FeedHub, on eventLoop: any EventLoop) {
        self.location = location
        self.hub = hub
        self.eventLoop = eventLoop
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let water = ChannelOptions.Types.WriteBufferWaterMark(low: Self.highWater / 4, high: Self.highWater)
        context.channel.setOption(.writeBufferWaterMark, value: water).whenFailure { _ in }
        hub.add(self)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        guard context != nil else { return }
        context = nil
        hub.remove(self)
        if let instance { hub.registry.left(location.id, instance: instance) }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Reading

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do {
            while let frame = try FeedFrame.next(in: &received) { try take(frame) }
            received.discardReadBytes()
        } catch {
            refuse(error as? FeedError ?? FeedError(.failed, "\(error)"))
        }
    }

    private func take(_ frame: FeedFrame) throws {
        hub.registry.isHeard(location.id)
        switch frame {
        case .subscribe(let subscribe): try take(subscribe)
        case .call(let id, let name, let body):
            guard instance != nil else { throw FeedError(.malformed, "a call before a subscription") }
            guard calls < Self.callsAtMost else {
                return send(.refusal(call: id, FeedError(.failed, "there are too many calls at a time")))
            }
            answer(id, name, body)
        default: throw FeedError(.malformed, "a message that is not for the control node")
        }
    }

    private func take(_ subscribe: FeedSubscribe) throws {
        guard subscribe.version == FeedFrame.version else {
            throw FeedError(
                .version,
                "this location speaks version \(subscribe.version) of the feed, the control node \(FeedFrame.version)")
        }
        try hub.registry.join(location.id, instance: subscribe.instance)
        instance = subscribe.instance
        let position = subscribe.position
        isReading = true
        onThread { [hub, location] in
            let isKnown = try position.map {
                try hub.truth.continues(from: $0, isWhole: location.accounts == nil)
            }
            let keys = try hub.truth.feedSecretKeys(of: location.accounts)
            return (isKnown ?? false, keys, try hub.truth.feedPosition(of: nil).epoch)
        } then: { session, result in
            let (isKnown, keys, epoch) = result
            session.send(
                .welcome(FeedWelcome(installation: session.hub.signer.installation, epoch: epoch, isFresh: !isKnown)))
            session.send(keys)
            session.isReading = false
            session.cursor = FeedPage.Cursor(revision: isKnown ? position?.revision ?? 0 : 0)
            // So that it is told where the truth is, whether anything is new or not.
            session.isWithin = true
            session.pump()
        }
    }

    private func send(_ keys: [FeedSecretKey]) {
        secretKeys = keys
        do {
            let sealed = try LocationKey.seal(keys, to: location.key)
            send(.keys(sealed, signature: try hub.signer.sign(keys: sealed, for: location.id)))
        } catch {
            refuse(FeedError(.refused, "the keys of secrets cannot be sealed: \(error)"))
        }
    }

    private func answer(_ id: Int64, _ name: String, _ body: [UInt8]) {
        calls += 1
        onThread { [hub, location] () -> FeedFrame in
            do {
                return .reply(call: id, body: try hub.service.answer(name, body, of: location))
            } catch let error as StoreError {
                return .refusal(call: id, FeedService.refusal(error))
            } catch {
                return .refusal(call: id, error as? FeedError ?? FeedError(.failed, "\(error)"))
            }
        } then: { session, frame in
            session.calls -= 1
            session.send(frame)
        }
    }

    // MARK: Sending

    /// Any thread: there is something new.
    func wake() { eventLoop.execute { [weak self] in self?.pump() } }

    /// Any thread: nothing is new, which is said to those who have all.
    func beat(_ head: ByteBuffer, at revision: Int64) {
        eventLoop.execute { [weak self] in
            guard let self, !isReading, !isWithin, cursor?.revision == revision else { return }
            // The digest of some accounts is another.
            if location.accounts == nil {
                write(head)
            } else {
                isWithin = true
                pump()
            }
        }
    }

    private func sendOrders() {
        let orders = hub.orders
        guard orders.number != self.orders.number else { return }
        self.orders = orders
        do {
            send(try hub.frame(orders.of(location.accounts)))
        } catch {
            refuse(FeedError(.failed, "orders cannot be signed: \(error)"))
        }
    }

    private func pump() {
        if cursor != nil { sendOrders() }
        while let context, let cursor, !isReading, context.channel.isWritable {
            guard isWithin || cursor.revision < hub.position.revision else { return }
            if !isWithin, location.accounts == nil, let entries = hub.entries(after: cursor.revision) {
                for entry in entries {
                    write(entry.bytes)
                    self.cursor = FeedPage.Cursor(revision: entry.position.revision)
                }
                continue
            }
            read(after: cursor)
        }
    }

    private func read(after cursor: FeedPage.Cursor) {
        isReading = true
        onThread { [hub, location] in
            let page = try hub.truth.feedPage(after: cursor, of: location.accounts, bytes: FeedHub.pageBytes)
            var bytes = ByteBuffer()
            try hub.append(page, to: &bytes)
            return (page.next, page.position.revision, bytes, try hub.truth.feedSecretKeys(of: location.accounts))
        } then: { session, result in
            let (next, revision, bytes, keys) = result
            if keys != session.secretKeys { session.send(keys) }
            session.write(bytes)
            session.cursor = next ?? FeedPage.Cursor(revision: revision)
            session.isWithin = next != nil
            session.isReading = false
            session.pump()
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
        context.fireChannelWritabilityChanged()
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context, bytes.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func send(_ frame: FeedFrame) { write(frame.encoded) }

    /// Says why, and ends the link.
    private func refuse(_ error: FeedError) {
        send(.refusal(call: 0, error))
        context?.close(promise: nil)
    }

    /// Runs what may wait for the disk, and what comes of it on the event loop.
    private func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value,
        then completion: @escaping @Sendable (FeedSession, Value) -> Void
    ) {
        hub.threads.runIfActive(eventLoop: eventLoop, body).whenComplete { [weak self] result in
            guard let self, context != nil else { return }
            switch result {
            case .success(let value): completion(self, value)
            case .failure(let error):
                hub.complain("the feed to \(location.id): \(error)")
                refuse(FeedError(.failed, "the control node's store failed"))
            }
        }
    }
}
