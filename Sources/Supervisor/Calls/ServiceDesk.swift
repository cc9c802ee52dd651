package import Model
internal import Synchronization

/// Brings calls of other hosts' Workers to one host, and its answers back. It may lie about all of it: here it is held
/// to what it was really asked, and what it has got.
package final class ServiceDesk: Sendable {
    private struct Entry {
        let deliver: @Sendable ([EgressEvent]) -> Void
        let mayUpgrade: Bool
        var hasHead = false
        /// Bytes of the answer's body that the one who asks has not used up.
        var unused = 0
        /// Bytes of the request's body that the host has not taken.
        var uploading = 0
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var lastID = 0
        var isClosed = false
    }

    private let send: @Sendable (_ id: Int, ExchangeOrder) -> Void
    private let state = Mutex(State())

    /// - Parameter send: tells the host.
    package init(send: @escaping @Sendable (_ id: Int, ExchangeOrder) -> Void) { self.send = send }

    package func begin(
        _ request: ServiceRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        // Under the lock: the host gets numbers that grow.
        let id = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.lastID += 1
            state.entries[state.lastID] = Entry(deliver: deliver, mayUpgrade: request.request.body == .upgrade)
            send(state.lastID, .beginService(request))
            return state.lastID
        }
        if id == nil { deliver([.failed(.connectionLost)]) }
        return Call(id ?? 0, self)
    }

    /// What the host says of a call. Of one that is over it is late, not wrong.
    package func take(_ events: [EgressEvent], _ id: Int) throws(WireError) {
        let deliver = try state.withLock { (state) throws(WireError) -> (@Sendable ([EgressEvent]) -> Void)? in
            guard (1...max(1, state.lastID)).contains(id), state.lastID > 0 else {
                throw WireError("an answer to a call that was not made")
            }
            guard var entry = state.entries[id] else { return nil }
            var isOver = false
            for event in events {
                guard !isOver else { throw WireError("more of an answer that is over") }
                try Self.check(event, &entry)
                isOver = event.isFinal
            }
            state.entries[id] = isOver ? nil : entry
            return entry.deliver
        }
        deliver?(events)
    }

    private static func check(_ event: EgressEvent, _ entry: inout Entry) throws(WireError) {
        switch event {
        case .head(let head):
            guard !entry.hasHead, (100...599).contains(head.status), head.status != 101 || entry.mayUpgrade,
                head.bytes.count <= ServiceWindow.headBytes
            else { throw WireError("not the head of an answer") }
            entry.hasHead = true
        case .body(let bytes):
            entry.unused += bytes.count
            guard entry.hasHead, entry.unused <= ServiceWindow.bytes else {
                throw WireError("more of an answer than there is room for")
            }
        case .sent(let bytes):
            guard bytes <= entry.uploading else { throw WireError("more of a body than it has got") }
            entry.uploading -= bytes
        case .end: guard entry.hasHead else { throw WireError("an answer without a head") }
        case .sendingEnded, .failed: break
        }
    }

    /// The host is gone.
    package func close() {
        let entries = state.withLock { state in
            state.isClosed = true
            defer { state.entries = [:] }
            return state.entries.values
        }
        for entry in entries { entry.deliver([.failed(.connectionLost)]) }
    }

    private func order(_ order: ExchangeOrder, _ id: Int) {
        // Under the lock: what one thread says comes in its order, and nothing after the end.
        state.withLock { state in
            guard var entry = state.entries[id] else { return }
            switch order {
            case .send(let bytes): entry.uploading += bytes.count
            case .consumed(let bytes): entry.unused -= bytes
            default: break
            }
            state.entries[id] = order == .cancel ? nil : entry
            send(id, order)
        }
    }

    /// As the one who asks has it.
    private final class Call: OrderedExchange {
        private let id: Int
        private let desk: ServiceDesk

        init(_ id: Int, _ desk: ServiceDesk) {
            self.id = id
            self.desk = desk
        }

        func order(_ order: ExchangeOrder) { desk.order(order, id) }
    }
}
