internal import Model
internal import NIOCore
internal import NIOHTTP1

/// What an exchange delivers to the Worker, and the bytes of both directions that it holds meanwhile.
final class ExchangeDelivery: @unchecked Sendable {
    // Sound because all that changes is touched by the exchange's `init`, and then on the shard's loop alone.

    private let shard: EgressShard
    private let deliver: @Sendable ([EgressEvent]) -> Void
    private var outbox: [EgressEvent] = []
    private var isFlushQueued = false
    /// Bytes of the answer that were delivered and not used up yet.
    private var unused = 0
    /// Bytes of both directions that count for the whole egress.
    private var held = 0

    init(on shard: EgressShard, to deliver: @escaping @Sendable ([EgressEvent]) -> Void) {
        self.shard = shard
        self.deliver = deliver
    }

    func post(_ event: EgressEvent) {
        outbox.append(event)
        guard !isFlushQueued else { return }
        isFlushQueued = true
        // At the end of the turn: what one read brings is one delivery.
        shard.loop.execute { [self] in
            isFlushQueued = false
            deliver(outbox)
            outbox = []
        }
    }

    // MARK: The answer

    /// - Returns: nil if the head is too large.
    func head(of answer: HTTPResponseHead) -> EgressResponseHead? {
        var size = 0
        var head = EgressResponseHead(status: Int(answer.status.code), reason: answer.status.reasonPhrase)
        for (name, value) in answer.headers {
            size += name.utf8.count + value.utf8.count + 4
            head.append(name: name, value: value)
        }
        return size <= shard.limits.headerBytes ? head : nil
    }

    /// Bytes of the answer that may be on their way.
    private var window: Int { shard.held.isFull ? shard.limits.leastWindowBytes : shard.limits.windowBytes }

    /// - Returns: whether no more may come until there is room again.
    func post(_ piece: ByteBuffer) -> Bool {
        unused += piece.readableBytes
        hold(piece.readableBytes)
        post(.body(Array(piece.readableBytesView)))
        return unused >= window
    }

    /// The Worker has used up so much.
    /// - Returns: whether there is room again.
    func consumed(_ bytes: Int) -> Bool {
        unused -= bytes
        letGo(bytes)
        return unused <= window / 2
    }

    // MARK: Bytes held

    func hold(_ bytes: Int) {
        held += bytes
        shard.held.add(bytes)
    }

    func letGo(_ bytes: Int) {
        let bytes = min(bytes, held)
        held -= bytes
        shard.held.subtract(bytes)
    }

    func letGoOfAll() { letGo(held) }
}
