internal import Foundation
package import Model
internal import Synchronization

/// Takes one host's subrequests to the egress, its caches' operations to the cache and its calls to other hosts, and
/// brings back what comes of them. The host may lie about all of it: here its numbers are held to what has really been
/// sent.
package final class ExchangeDesk: Sendable {
    /// Bytes of one request's body that may wait for the origin. Hosts send less before they hear of `.sent`.
    package static let longestUpload = 16 << 20
    /// Exchanges of one host under way, and of one account among them.
    package static let mostExchanges = 10_000
    package static let mostOfAccount = 2_000

    private struct Entry {
        let account: String
        /// Nil until the egress has given it.
        var exchange: (any EgressExchange)?
        /// Bytes of the answer's body that the host has got and not used up.
        var unused = 0
        /// Bytes of the request's body that the origin has not taken.
        var uploading = 0
        /// Whether it counts towards what the account may use of the way out.
        let isMetered: Bool
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var perAccount: [String: Int] = [:]
        var lastID = 0
        var isClosed = false

        mutating func remove(_ id: Int) -> Entry? {
            guard let entry = entries.removeValue(forKey: id) else { return nil }
            perAccount[entry.account]! -= 1
            if perAccount[entry.account] == 0 { perAccount[entry.account] = nil }
            return entry
        }
    }

    private let egress: any Egress
    private let rates: EgressRates
    private let cache: (any CacheStore)?
    private let callees: (any ServiceCaller)?
    private let reply: @Sendable (_ id: Int, _ events: [EgressEvent]) -> Void
    private let state = Mutex(State())

    package init(
        _ egress: any Egress, rates: EgressRates = EgressRates(EgressLimits()), cache: (any CacheStore)?,
        callees: (any ServiceCaller)? = nil,
        reply: @escaping @Sendable (_ id: Int, _ events: [EgressEvent]) -> Void
    ) {
        self.egress = egress
        self.rates = rates
        self.cache = cache
        self.callees = callees
        self.reply = reply
    }

    /// One thread calls this. Orders about a subrequest that is over are late, not wrong.
    package func take(_ order: ExchangeOrder, _ id: Int) throws(WireError) {
        switch order {
        case .begin(let request):
            try begin(id, account: request.account, isMetered: true) { [egress] deliver in
                egress.begin(request, deliver: deliver)
            }
            if case .bytes(let bytes) = request.body { _ = rates.take(bytes.count, of: request.account) }
        case .beginCache(let request):
            guard let cache else { throw WireError("there is no cache") }
            try begin(id, account: request.account) { deliver in cache.begin(request, deliver: deliver) }
        case .beginService(let request):
            guard let callees else { throw WireError("there is nobody to call") }
            try begin(id, account: request.request.account) { deliver in callees.begin(request, deliver: deliver) }
        case .send(let bytes): try send(bytes, id)
        case .finishSending: exchange(id)?.finishSending()
        case .consumed(let bytes): consumed(bytes, id)
        case .cancel: state.withLock { $0.remove(id) }?.exchange?.cancel()
        }
    }

    /// The host is gone: nobody wants the answers.
    package func close() {
        let entries = state.withLock { state in
            state.isClosed = true
            defer {
                state.entries = [:]
                state.perAccount = [:]
            }
            return state.entries.values.compactMap(\.exchange)
        }
        for exchange in entries { exchange.cancel() }
    }

    private func begin(
        _ id: Int, account: String, isMetered: Bool = false,
        _ begin: (_ deliver: @escaping @Sendable ([EgressEvent]) -> Void) -> any EgressExchange
    ) throws(WireError) {
        let (isNew, hasRoom) = state.withLock { state in
            guard id > state.lastID else { return (false, false) }
            state.lastID = id
            guard state.entries.count < Self.mostExchanges,
                state.perAccount[account, default: 0] < Self.mostOfAccount
            else { return (true, false) }
            state.entries[id] = Entry(account: account, isMetered: isMetered)
            state.perAccount[account, default: 0] += 1
            return (true, true)
        }
        guard isNew else { throw WireError("an exchange's number is used twice") }
        guard hasRoom else { return reply(id, [.failed(.overloaded)]) }
        if isMetered, !rates.takeRequest(account) {
            _ = state.withLock { $0.remove(id) }
            let text = "The Workers of an account make \(rates.requestsPerSecond) subrequests a second at most."
            return reply(id, [.failed(.invalidRequest(text))])
        }
        let exchange = begin { [weak self] events in self?.deliver(events, id) }
        let isWanted = state.withLock { state in
            guard state.entries[id] != nil, !state.isClosed else { return false }
            state.entries[id]?.exchange = exchange
            return true
        }
        // It was refused at once; to cancel what is over does nothing.
        if !isWanted { exchange.cancel() }
    }

    private func deliver(_ events: [EgressEvent], _ id: Int) {
        let (entry, sent) = state.withLock { state -> (Entry?, Int) in
            guard let entry = state.entries[id] else { return (nil, 0) }
            var sent = 0
            for event in events {
                switch event {
                case .body(let bytes): state.entries[id]?.unused += bytes.count
                case .sent(let bytes):
                    state.entries[id]?.uploading -= bytes
                    sent += bytes
                case .end, .failed: _ = state.remove(id)
                case .head, .sendingEnded: break
                }
            }
            return (entry, sent)
        }
        guard let entry else { return }
        let pause = entry.isMetered && sent > 0 ? rates.take(sent, of: entry.account) : 0
        guard pause > 0 else { return reply(id, events) }
        // There is room for more of the body when what has gone is paid for.
        let others = events.filter { if case .sent = $0 { false } else { true } }
        if !others.isEmpty { reply(id, others) }
        if !events.contains(where: \.isFinal) { Self.after(pause) { [reply] in reply(id, [.sent(sent)]) } }
    }

    private static func after(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: body)
    }

    private func exchange(_ id: Int) -> (any EgressExchange)? { state.withLock { $0.entries[id]?.exchange } }

    private func send(_ bytes: [UInt8], _ id: Int) throws(WireError) {
        let (exchange, uploading) = state.withLock { state -> ((any EgressExchange)?, Int) in
            state.entries[id]?.uploading += bytes.count
            return (state.entries[id]?.exchange, state.entries[id]?.uploading ?? 0)
        }
        guard uploading <= Self.longestUpload else { throw WireError("more of a body than there is room for") }
        exchange?.send(bytes)
    }

    private func consumed(_ bytes: Int, _ id: Int) {
        let (entry, used) = state.withLock { state -> (Entry?, Int) in
            let used = min(bytes, state.entries[id]?.unused ?? 0)
            state.entries[id]?.unused -= used
            return (state.entries[id], used)
        }
        guard used > 0, let entry, let exchange = entry.exchange else { return }
        let pause = entry.isMetered ? rates.take(used, of: entry.account) : 0
        // More comes when this is paid for.
        if pause > 0 { Self.after(pause) { exchange.consumed(used) } } else { exchange.consumed(used) }
    }
}
