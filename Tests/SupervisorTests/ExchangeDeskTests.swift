import Model
import Supervisor
import Synchronization
import Testing

/// An egress that writes down what it is asked, and lets the test say what comes of it.
private final class ScriptedEgress: Egress {
    struct Exchange: Sendable {
        let request: EgressRequest
        let deliver: @Sendable ([EgressEvent]) -> Void
        let calls: Calls
    }

    final class Calls: EgressExchange {
        private let orders = Mutex<[ExchangeOrder]>([])
        var all: [ExchangeOrder] { orders.withLock { $0 } }
        private func add(_ order: ExchangeOrder) { orders.withLock { $0.append(order) } }
        func send(_ bytes: [UInt8]) { add(.send(bytes)) }
        func finishSending() { add(.finishSending) }
        func consumed(_ bytes: Int) { add(.consumed(bytes)) }
        func cancel() { add(.cancel) }
    }

    private let begun = Mutex<[Exchange]>([])
    var exchanges: [Exchange] { begun.withLock { $0 } }

    func begin(
        _ request: EgressRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        let exchange = Exchange(request: request, deliver: deliver, calls: Calls())
        begun.withLock { $0.append(exchange) }
        return exchange.calls
    }
}

private final class Replies: Sendable {
    private let events = Mutex<[Int: [EgressEvent]]>([:])
    func add(_ id: Int, _ more: [EgressEvent]) { events.withLock { $0[id, default: []] += more } }
    subscript(id: Int) -> [EgressEvent] { events.withLock { $0[id] ?? [] } }
}

private func cached(_ operation: CacheRequest.Operation) -> CacheRequest {
    CacheRequest(
        account: "me", cache: "c", url: "http://a/", fields: [.init(name: "n", value: "v")], operation: operation)
}

private let head = RequestHead(method: "POST", url: "https://a.example/x", headers: [("Accept", "*/*"), ("X-Y", "")])

@Suite("Subrequests between processes") struct ExchangeDeskTests {
    private let egress = ScriptedEgress()
    private let replies = Replies()
    private let desk: ExchangeDesk

    init() {
        desk = ExchangeDesk(egress, cache: nil) { [replies] id, events in replies.add(id, events) }
    }

    private static var answer: EgressResponseHead {
        var head = EgressResponseHead(status: 200, reason: "Fine")
        head.append(name: "Set-Cookie", value: "a=\u{E9}")
        head.append(name: "set-cookie", value: "")
        return head
    }

    @Test(
        arguments: [
            .begin(EgressRequest(head: head, body: .none)), .begin(EgressRequest(head: head, body: .bytes([1, 2]))),
            .begin(EgressRequest(head: head, body: .stream(length: nil))),
            .begin(EgressRequest(head: head, body: .stream(length: 0))),
            .begin(
                EgressRequest(
                    head: head, body: .upgrade, via: try? OriginServer("http://o.example", isTrusted: true),
                    account: "me")),
            .beginCache(cached(.match)), .beginCache(cached(.delete)),
            .beginCache(
                cached(.put(.init(status: 200, reason: "", vary: [.init(name: "a", value: "b")]), .bytes([1])))),
            .send([]), .send([9]), .finishSending,
            .consumed(7), .cancel,
        ] as [ExchangeOrder])
    func ordersArrive(_ order: ExchangeOrder) throws {
        let frame = FromHost.exchange(id: 3, order)
        #expect(try FromHost(frame.bytes[...]) == frame)
        for length in 0..<frame.bytes.count {
            #expect(throws: WireError.self) { try FromHost(frame.bytes[..<length]) }
        }
    }

    @Test func eventsArrive() throws {
        let frame = ToHost.exchange(
            id: 1,
            [
                .head(Self.answer), .body([1]), .body([]), .sent(5), .sendingEnded, .end,
                .failed(.invalidRequest("no")), .failed(.forbidden(host: "h")), .failed(.unknownHost("u")),
                .failed(.connectionLost), .failed(.handshakeFailed), .failed(.timedOut), .failed(.malformedAnswer),
                .failed(.headTooLarge), .failed(.overloaded), .failed(.workerFailed(.hang)),
                .failed(.noSuchWorker("w")),
            ])
        #expect(try ToHost(frame.bytes[...]).bytes == frame.bytes)
    }

    @Test func aHeadOfOnePieceIsNoHead() {
        var frame = FromHost.exchange(id: 1, .begin(EgressRequest(head: RequestHead(), body: .none)))
        #expect(throws: WireError.self) { try FromHost(frame.bytes[...]) }
        var odd = head
        odd.append("name".utf8)
        frame = .exchange(id: 1, .begin(EgressRequest(head: odd, body: .none)))
        #expect(throws: WireError.self) { try FromHost(frame.bytes[...]) }
    }

    @Test func aWholeExchange() throws {
        try desk.take(.begin(EgressRequest(head: head, body: .stream(length: 3))), 1)
        let exchange = egress.exchanges[0]
        #expect(exchange.request.head == head)
        try desk.take(.send([1, 2, 3]), 1)
        try desk.take(.finishSending, 1)
        exchange.deliver([.sent(3), .head(Self.answer), .body([1, 2])])
        try desk.take(.consumed(2), 1)
        exchange.deliver([.end])
        #expect(exchange.calls.all == [.send([1, 2, 3]), .finishSending, .consumed(2)])
        #expect(replies[1] == [.sent(3), .head(Self.answer), .body([1, 2]), .end])
        // Late, and of no consequence.
        for order in [.consumed(1), .send([1]), .finishSending, .cancel] as [ExchangeOrder] { try desk.take(order, 1) }
        exchange.deliver([.body([3])])
        #expect(exchange.calls.all.count == 3)
        #expect(replies[1].count == 4)
    }

    @Test func aHostUsesUpNoMoreThanItHas() throws {
        try desk.take(.begin(EgressRequest(head: head, body: .none)), 1)
        egress.exchanges[0].deliver([.body([1, 2, 3])])
        try desk.take(.consumed(.max), 1)
        try desk.take(.consumed(.max), 1)
        #expect(egress.exchanges[0].calls.all == [.consumed(3)])
    }

    @Test func aHostSendsNoMoreThanThereIsRoomFor() throws {
        try desk.take(.begin(EgressRequest(head: head, body: .stream(length: nil))), 1)
        let piece = [UInt8](repeating: 0, count: ExchangeDesk.longestUpload / 2)
        try desk.take(.send(piece), 1)
        try desk.take(.send(piece), 1)
        egress.exchanges[0].deliver([.sent(piece.count)])
        try desk.take(.send(piece), 1)
        #expect(throws: WireError.self) { try desk.take(.send([1]), 1) }
    }

    @Test func aNumberIsUsedOnce() throws {
        try desk.take(.begin(EgressRequest(head: head, body: .none)), 5)
        #expect(throws: WireError.self) { try desk.take(.begin(EgressRequest(head: head, body: .none)), 5) }
        #expect(throws: WireError.self) { try desk.take(.begin(EgressRequest(head: head, body: .none)), 4) }
    }

    @Test func whatADeadHostAskedIsCancelled() throws {
        try desk.take(.begin(EgressRequest(head: head, body: .none)), 1)
        desk.close()
        #expect(egress.exchanges[0].calls.all == [.cancel])
        egress.exchanges[0].deliver([.end])
        #expect(replies[1].isEmpty)
    }

    /// Host and supervisor back to back.
    @Test func aLongBodyGoesInPieces() throws {
        let frames = Mutex<[FromHost]>([])
        let remote = RemoteExchanges { frame in frames.withLock { $0.append(frame) } }
        let bytes = (0..<(RemoteExchanges.window * 2 + 7)).map { UInt8(truncatingIfNeeded: $0) }
        let heard = Replies()
        _ = remote.begin(EgressRequest(head: head, body: .bytes(bytes))) { heard.add(0, $0) }
        var received: [UInt8] = []
        func carry() throws {
            for case .exchange(let id, let order) in frames.withLock({ frames in
                defer { frames = [] }
                return frames
            }) {
                if case .send(let piece) = order { received += piece }
                try desk.take(order, id)
            }
        }
        try carry()
        #expect(egress.exchanges[0].request.body == .stream(length: bytes.count))
        #expect(received.count == RemoteExchanges.window)
        while received.count < bytes.count {
            let before = received.count
            remote.take([.sent(500_000)], of: 1)
            try carry()
            try #require(received.count > before)
        }
        #expect(received == bytes)
        #expect(egress.exchanges[0].calls.all.last == .finishSending)
        remote.take([.sendingEnded, .head(Self.answer), .end], of: 1)
        #expect(heard[0] == [.head(Self.answer), .end])
    }
}
