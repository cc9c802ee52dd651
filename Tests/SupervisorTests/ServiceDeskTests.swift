import Model
import Supervisor
import Synchronization
import Testing

/// What two hosts say to each other through their supervisor.
@Suite("Calls between hosts") struct ServiceDeskTests {
    private final class Heard<Value: Sendable>: Sendable {
        private let values = Mutex<[Value]>([])
        func add(_ value: Value) { values.withLock { $0.append(value) } }
        var all: [Value] { values.withLock { $0 } }
    }

    private static let caller = ScriptKey(account: "me", name: "caller")
    private static let service = Service(
        script: ScriptKey(account: "me", name: "callee"), entrypoint: "E", props: #"{"a":1}"#)

    private static func request(_ body: EgressRequest.Body = .none, account: String = "me") -> ServiceRequest {
        ServiceRequest(
            caller: caller, service: service, event: .rpc(RPCCall(method: "m", isCall: true)),
            request: EgressRequest(
                head: RequestHead(method: "GET", url: "http://a/"), body: body, account: account),
            properties: nil, chain: CallPosition(chain: .max, count: 7))
    }

    private static func head(_ status: Int) -> EgressEvent { .head(EgressResponseHead(status: status, reason: "")) }

    private let orders = Heard<ExchangeOrder>()
    private let events = Heard<EgressEvent>()
    private let desk: ServiceDesk

    init() { desk = ServiceDesk { [orders] _, order in orders.add(order) } }

    private func begin(_ body: EgressRequest.Body = .none) -> any EgressExchange {
        desk.begin(Self.request(body)) { [events] news in for event in news { events.add(event) } }
    }

    @Test func framesCarryThem() throws {
        let ask = FromHost.exchange(id: 1, .beginService(Self.request(.stream(length: 3))))
        #expect(try FromHost(ask.bytes[...]) == ask)
        for length in 0..<ask.bytes.count {
            #expect(throws: WireError.self) { try FromHost(ask.bytes[..<length]) }
        }
        let order = ToHost.service(id: 1, .beginService(Self.request()))
        #expect(try ToHost(order.bytes[...]).bytes == order.bytes)
        let answer = FromHost.service(id: 1, [Self.head(200), .body([1]), .end])
        #expect(try FromHost(answer.bytes[...]) == answer)
    }

    @Test func aWholeCall() throws {
        let call = begin(.stream(length: nil))
        call.send([1, 2, 3])
        call.finishSending()
        try desk.take([.sent(3), Self.head(200), .body([9, 9])], 1)
        call.consumed(2)
        try desk.take([.end], 1)
        #expect(
            orders.all == [
                .beginService(Self.request(.stream(length: nil))), .send([1, 2, 3]), .finishSending, .consumed(2),
            ])
        #expect(events.all == [.sent(3), Self.head(200), .body([9, 9]), .end])
        // What comes late says nothing.
        try desk.take([.body([1])], 1)
        call.consumed(1)
        #expect(events.all.count == 4)
        #expect(orders.all.count == 4)
    }

    static let lies: [[EgressEvent]] = [
        [.body([1])], [.end], [head(200), head(200)], [head(99)], [head(600)], [head(101)], [.sent(1)],
        [head(200), .end, .body([1])], [head(200), .body([UInt8](repeating: 0, count: ServiceWindow.bytes + 1))],
    ]

    @Test(arguments: lies) func aHostThatLiesIsFoundOut(_ told: [EgressEvent]) {
        _ = begin()
        #expect(throws: WireError.self) { try desk.take(told, 1) }
    }

    @Test(arguments: [0, 1, 2, -1, .max, .min]) func onlyCallsThatWereMadeAreAnswered(_ id: Int) {
        #expect(throws: WireError.self) { try desk.take([Self.head(200)], id) }
    }

    @Test func oneThatAskedForAWebSocketMayGetOne() throws {
        _ = begin(.upgrade)
        try desk.take([Self.head(101)], 1)
    }

    @Test func whatIsUsedUpMakesRoom() throws {
        let call = begin()
        let window = [UInt8](repeating: 0, count: ServiceWindow.bytes)
        try desk.take([Self.head(200), .body(window)], 1)
        call.consumed(window.count)
        try desk.take([.body(window)], 1)
        #expect(throws: WireError.self) { try desk.take([.body([1])], 1) }
    }

    @Test func aHostThatEndsAnswersNothing() {
        _ = begin()
        desk.close()
        #expect(events.all == [.failed(.connectionLost)])
        _ = begin()
        #expect(events.all == [.failed(.connectionLost), .failed(.connectionLost)])
    }

    @Test func circlesThroughHostsEnd() {
        var counts = CallCounts()
        let taken = (0...CallCounts.limit).map { _ in counts.take(1) }
        #expect(taken.count(where: \.self) == CallCounts.limit)
        #expect(taken.last == false)
        let other = counts.take(2)
        #expect(other)
        // Many others later it is remembered still.
        for chain in 0..<CallCounts.remembered / 2 { _ = counts.take(UInt64(chain) + 10) }
        let again = counts.take(1)
        #expect(!again)
    }

    /// By its own bindings, in its own name.
    @Test func aHostCallsWhatItHasABindingTo() throws {
        var rules = HostRules()
        try rules.check(.locked(version: FromHost.version, refusals: []))
        try rules.check(.serving)
        let ask = FromHost.exchange(id: 1, .beginService(Self.request()))
        #expect(throws: WireError.self) { try rules.check(ask) }
        let fields: [String: JSONValue] = [
            "service": .string("callee"), "entrypoint": .string("E"), "props": ["a": .number(1)],
        ]
        let version = ScriptVersion(
            source: "api", author: "", syntax: .modules,
            bindings: [Binding(name: "S", type: "service", fields: fields)])
        rules.has(StoredWorker(version: version, files: [], secrets: [:]), of: Self.caller)
        try rules.check(ask)
        var other = Self.request()
        other.service.props = #"{"a":2}"#
        #expect(throws: WireError.self) { try rules.check(.exchange(id: 2, .beginService(other))) }
        other = Self.request()
        other.caller.name = "other"
        #expect(throws: WireError.self) { try rules.check(.exchange(id: 2, .beginService(other))) }
        other = Self.request(account: "you")
        #expect(throws: WireError.self) { try rules.check(.exchange(id: 2, .beginService(other))) }
    }
}

@Suite("Who has a connection") struct HandBacksTests {
    @Test func nobodyGivesAwayTwice() {
        let book = HandBacks()
        #expect(book.take(7, from: 1))
        #expect(!book.take(7, from: 1))
        book.give(7, to: 2)
        #expect(!book.take(7, from: 1))
        #expect(book.take(7, from: 2))
        // Another connection is another's business.
        #expect(book.take(8, from: 1))
    }

    /// More than a host can have received is more than it may give back.
    @Test func tooMuch() throws {
        let most = [UInt8](repeating: 1, count: PassedConnection.mostReceived)
        let frame = FromHost.handBack(listener: 0, most)
        #expect(try FromHost(frame.bytes[...]) == frame)
        let more = FromHost.handBack(listener: 0, most + [1])
        #expect(throws: WireError.self) { try FromHost(more.bytes[...]) }
    }
}
