internal import Model
internal import Synchronization

/// A call from another process: to the worker that answers it is a service exchange like any other, on one of the
/// lanes. Any thread.
package final class IncomingCall: EgressExchange {
    private let loop: EventLoop.Remote
    /// Nil until the lane has begun.
    private let end = Mutex<LoopBound<IncomingCallEnd>?>(nil)
    private let deliver: @Sendable ([EgressEvent]) -> Void

    init(on loop: EventLoop.Remote, deliver: @escaping @Sendable ([EgressEvent]) -> Void) {
        self.loop = loop
        self.deliver = deliver
    }

    /// On the lane's thread.
    func begin(_ request: ServiceRequest, on lane: Lane, ended: @escaping () -> Void) -> ServiceExchange {
        let end = IncomingCallEnd(request, on: lane, deliver: deliver, ended: ended)
        self.end.withLock { $0 = LoopBound(end, to: lane.loop) }
        return end.exchange
    }

    /// The lane will not answer.
    func laneLost() { deliver([.failed(.workerFailed(.laneLost))]) }

    private func onLane(_ body: @escaping @Sendable (IncomingCallEnd) -> Void) {
        loop.execute { [self] loop in
            guard let end = end.withLock({ $0 }) else { return }
            body(end.value(on: loop))
        }
    }

    package func send(_ bytes: [UInt8]) { onLane { $0.exchange.send(bytes) } }
    package func finishSending() { onLane { $0.exchange.finishSending() } }
    package func consumed(_ bytes: Int) { onLane { $0.consumed(bytes) } }
    package func cancel() { onLane { $0.cancel() } }
}

/// The lane's end: lets so much of the answer go as the one who asks has room for. Bound to the lane.
private final class IncomingCallEnd {
    /// Bytes of one event: no frame is too long.
    private static let piece = 256 << 10
    /// Bytes of answers that wait to be asked for, of the whole process: what is over that is not answered.
    private static let mostWaiting = 256 << 20
    private static let allWaiting = Atomic<Int>(0)

    // Both are set by the initialiser.
    private(set) var exchange: ServiceExchange! = nil
    private let deliver: @Sendable ([EgressEvent]) -> Void
    private var ended: (() -> Void)?
    private var room = ServiceWindow.bytes
    /// Of the answer, in order.
    private var events: [EgressEvent] = []
    private var waiting = 0

    init(
        _ request: ServiceRequest, on lane: Lane, deliver: @escaping @Sendable ([EgressEvent]) -> Void,
        ended: @escaping () -> Void
    ) {
        self.deliver = deliver
        self.ended = ended
        exchange = ServiceExchange(
            request.event, request.request, to: request.service, properties: request.properties,
            chain: CallChain(after: request.chain), on: lane.loop
        ) { [self] in hear($0) }
    }

    private func hear(_ news: [EgressEvent]) {
        guard ended != nil else { return }
        for event in news {
            switch event {
            // About the other direction: they do not wait for this one.
            case .sent, .sendingEnded: deliver([event])
            case .head(let head) where head.bytes.count > ServiceWindow.headBytes: return fail(.headTooLarge)
            case .body(let bytes):
                guard wait(for: bytes.count) else { return fail(.overloaded) }
                events.append(event)
            case .head, .end, .failed: events.append(event)
            }
        }
        push()
    }

    private func wait(for bytes: Int) -> Bool {
        waiting += bytes
        return Self.allWaiting.add(bytes, ordering: .relaxed).newValue <= Self.mostWaiting
    }

    private func waited(for bytes: Int) {
        waiting -= bytes
        Self.allWaiting.subtract(bytes, ordering: .relaxed)
    }

    private func push() {
        var told: [EgressEvent] = []
        var next = 0
        while next < events.count {
            if case .body(let bytes) = events[next] {
                guard room > 0 else { break }
                let count = min(bytes.count, room, Self.piece)
                told.append(.body(Array(bytes[..<count])))
                room -= count
                waited(for: count)
                if count < bytes.count {
                    events[next] = .body(Array(bytes[count...]))
                    continue
                }
            } else {
                told.append(events[next])
            }
            next += 1
        }
        events.removeFirst(next)
        if told.isEmpty { return }
        deliver(told)
        if told.contains(where: \.isFinal) { leave() }
    }

    func consumed(_ bytes: Int) {
        guard ended != nil else { return }
        room += bytes
        exchange.consumed(bytes)
        push()
    }

    func cancel() {
        exchange.cancel()
        leave()
    }

    private func fail(_ failure: EgressFailure) {
        exchange.cancel()
        deliver([.failed(failure)])
        leave()
    }

    private func leave() {
        events = []
        waited(for: waiting)
        let ended = ended
        self.ended = nil
        ended?()
    }
}
