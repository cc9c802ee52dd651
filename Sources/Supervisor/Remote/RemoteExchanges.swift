package import Model
internal import Synchronization

/// The egress, the cache and other hosts' Workers as a host has them: it asks the supervisor.
package final class RemoteExchanges: Egress, CacheStore, ServiceCaller {
    /// A body of at most so many bytes goes with its request, in one frame; of a longer one so many may be on their
    /// way.
    package static let window = 1 << 20
    /// What an order says besides the body, in bytes: a Worker may try to send what no frame holds.
    private static let longestHead = 1 << 20

    fileprivate typealias Delivery = @Sendable ([EgressEvent]) -> Void

    private struct State {
        var deliveries: [Int: Delivery] = [:]
        var lastID = 0
    }

    private let send: @Sendable (FromHost) -> Void
    private let state = Mutex(State())

    package convenience init(_ channel: FrameChannel) {
        self.init { [channel] frame in channel.send(frame.bytes) }
    }

    package init(send: @escaping @Sendable (FromHost) -> Void) {
        self.send = send
    }

    package func begin(
        _ request: EgressRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        guard case .bytes(let bytes) = request.body, bytes.count > Self.window else {
            return start(.begin(request), deliver)
        }
        var announced = request
        announced.body = .stream(length: bytes.count)
        return start(.begin(announced), with: bytes, deliver)
    }

    package func begin(
        _ request: CacheRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        guard case .put(let response, .bytes(let bytes)) = request.operation, bytes.count > Self.window else {
            return start(.beginCache(request), deliver)
        }
        var announced = request
        announced.operation = .put(response, .stream(length: bytes.count))
        return start(.beginCache(announced), with: bytes, deliver)
    }

    package func begin(
        _ request: ServiceRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        guard case .bytes(let bytes) = request.request.body, bytes.count > Self.window else {
            return start(.beginService(request), deliver)
        }
        var announced = request
        announced.request.body = .stream(length: bytes.count)
        return start(.beginService(announced), with: bytes, deliver)
    }

    private func start(
        _ order: ExchangeOrder, with body: [UInt8], _ deliver: @escaping Delivery
    ) -> RemoteExchange {
        let upload = LongBody(body)
        let exchange = start(order) { events in deliver(upload.take(events)) }
        upload.begin(exchange)
        return exchange
    }

    private func start(_ order: ExchangeOrder, _ deliver: @escaping Delivery) -> RemoteExchange {
        guard order.headBytes <= Self.longestHead else {
            deliver([.failed(.invalidRequest("The request's header has more than \(Self.longestHead) bytes."))])
            // Orders about what never began are nobody's.
            return RemoteExchange(0, self)
        }
        // Under the lock: the supervisor wants numbers that grow.
        let id = state.withLock { state in
            state.lastID += 1
            state.deliveries[state.lastID] = deliver
            send(.exchange(id: state.lastID, order))
            return state.lastID
        }
        return RemoteExchange(id, self)
    }

    /// What the supervisor says of an exchange.
    package func take(_ events: [EgressEvent], of id: Int) {
        let delivery = state.withLock { state in
            events.contains(where: \.isFinal) ? state.deliveries.removeValue(forKey: id) : state.deliveries[id]
        }
        delivery?(events)
    }

    fileprivate func order(_ order: ExchangeOrder, _ id: Int) {
        if order == .cancel { state.withLock { _ = $0.deliveries.removeValue(forKey: id) } }
        send(.exchange(id: id, order))
    }
}

extension ExchangeOrder {
    /// Bytes that are no body's.
    fileprivate var headBytes: Int {
        switch self {
        case .begin(let request): request.head.bytes.count
        case .beginService(let call): call.request.head.bytes.count
        case .beginCache(let request):
            request.url.utf8.count + request.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        case .send, .finishSending, .consumed, .cancel: 0
        }
    }
}

private final class RemoteExchange: OrderedExchange {
    private let id: Int
    private let egress: RemoteExchanges

    init(_ id: Int, _ egress: RemoteExchanges) {
        self.id = id
        self.egress = egress
    }

    func order(_ order: ExchangeOrder) { egress.order(order, id) }
}

/// A body that is there whole and is sent in pieces: whoever asked hears nothing of that.
private final class LongBody: Sendable {
    private static let piece = 256 << 10

    private struct State {
        var rest: ArraySlice<UInt8>
        var room = RemoteExchanges.window
        var exchange: RemoteExchange?
        var isOver = false
    }

    private let state: Mutex<State>

    init(_ bytes: [UInt8]) { state = Mutex(State(rest: bytes[...])) }

    func begin(_ exchange: RemoteExchange) {
        state.withLock { state in
            state.exchange = exchange
            Self.push(&state)
        }
    }

    /// - Returns: the events without those about the body.
    func take(_ events: [EgressEvent]) -> [EgressEvent] {
        events.filter { event in
            switch event {
            case .sent(let bytes):
                state.withLock { state in
                    state.room += bytes
                    Self.push(&state)
                }
                return false
            case .sendingEnded, .end, .failed:
                state.withLock { $0.isOver = true }
                return event != .sendingEnded
            case .head, .body: return true
            }
        }
    }

    private static func push(_ state: inout State) {
        guard let exchange = state.exchange, !state.isOver else { return }
        while state.room > 0, !state.rest.isEmpty {
            let next = state.rest.prefix(min(piece, state.room))
            state.rest = state.rest.dropFirst(next.count)
            state.room -= next.count
            exchange.send(Array(next))
        }
        guard state.rest.isEmpty else { return }
        state.isOver = true
        exchange.finishSending()
    }
}
