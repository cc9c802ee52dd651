import Model
import Supervisor
import Synchronization

/// What hosts and their supervisor say to each other.
enum HostTargets {
    /// A frame is none, or says the same when it is written and read once more; the rules judge it without a trap.
    @Sendable static func fromHost(_ bytes: [UInt8]) {
        guard let frame = try? FromHost(bytes[...]) else { return }
        let again = try? FromHost(frame.bytes[...])
        require(again == frame, "\(frame)\n\(String(describing: again))")
        for isServing in [false, true] {
            var rules = rules(isServing: isServing)
            let isTaken = (try? rules.check(frame)) != nil
            if isTaken, !isServing { require(!isWork(frame), "before it serves: \(frame)") }
        }
    }

    @Sendable static func toHost(_ bytes: [UInt8]) {
        guard let frame = try? ToHost(bytes[...]) else { return }
        let again = try? ToHost(frame.bytes[...])
        require(again?.bytes == frame.bytes, "\(frame)")
    }

    private static func isWork(_ frame: FromHost) -> Bool {
        switch frame {
        case .exchange, .service, .handBack, .taken, .counted: true
        default: false
        }
    }

    private static let script = ScriptKey(account: "a", name: "s")

    private static func rules(isServing: Bool) -> HostRules {
        var rules = HostRules()
        let version = ScriptVersion(
            source: "", author: "", syntax: .modules,
            bindings: [
                Binding(name: "S", type: "service", fields: ["service": .string("t")]),
                Binding(name: "K", type: "kv_namespace", fields: ["namespace_id": .string("n")]),
            ])
        rules.has(StoredWorker(version: version, files: [], secrets: [:]), of: script)
        rules.has([ServedCertificate(id: 1, chain: "", names: [], algorithms: [], isDefault: true)])
        _ = rules.ask()
        do {
            try rules.check(.locked(version: FromHost.version, refusals: []))
            if isServing { try rules.check(.serving) }
        } catch {
            fatalError("\(error)")
        }
        return rules
    }

    // MARK: Orders and answers

    /// Orders about exchanges, and answers to calls, one after the other: an origin hears of no more bytes used up than
    /// it has sent, and of no exchange that is over; whoever called hears one end at most.
    @Sendable static func orders(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let origin = Origin()
        let exchanges = ExchangeDesk(origin, cache: nil, callees: origin) { _, _ in }
        let calls = ServiceDesk { _, _ in }
        let ends = Count()
        let call = calls.begin(Self.call) { events in
            for event in events where event.isFinal { ends.value.add(1, ordering: .relaxed) }
        }
        do throws(WireError) {
            while !input.rest.isEmpty {
                let id = Int(input.byte()) - 1
                let count = Int(input.byte()) * 37
                let piece = [UInt8](repeating: 1, count: count)
                switch input.byte() % 12 {
                case 0: try exchanges.take(.begin(Self.request(.stream(length: nil))), id)
                case 1: try exchanges.take(.begin(Self.request(.bytes(piece))), id)
                case 2: try exchanges.take(.beginService(Self.call), id)
                case 3: try exchanges.take(.send(piece), id)
                case 4: try exchanges.take(.finishSending, id)
                case 5: try exchanges.take(.consumed(count << Int(input.byte() % 48)), id)
                case 6: try exchanges.take(.cancel, id)
                case 7: try calls.take([.head(EgressResponseHead(status: count, reason: ""))], id)
                case 8: try calls.take([.body(piece), .sent(Int(input.byte()))], id)
                case 9: try calls.take(Array([.end, .failed(.connectionLost)].suffix(Int(input.byte() % 3))), id)
                case 10: call.send(piece)
                default: call.consumed(count)
                }
            }
        } catch {
            // The host is ended.
        }
        exchanges.close()
        calls.close()
        let count = ends.value.load(ordering: .relaxed)
        require(count == 1, "\(count) ends")
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    private static func request(_ body: EgressRequest.Body) -> EgressRequest {
        EgressRequest(head: RequestHead(method: "GET", url: "http://a/"), body: body, account: "a")
    }

    private static var call: ServiceRequest {
        ServiceRequest(
            caller: script, service: Service(script: ScriptKey(account: "a", name: "t")), event: .fetch,
            request: Self.request(.stream(length: nil)), properties: nil, chain: CallPosition(chain: 1, count: 0))
    }

    /// Answers at once, and counts.
    private final class Origin: Egress, ServiceCaller {
        private static let size = 4_096

        func begin(
            _ request: EgressRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
        ) -> any EgressExchange { Exchange(deliver) }

        func begin(
            _ request: ServiceRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
        ) -> any EgressExchange { Exchange(deliver) }

        private final class Exchange: EgressExchange {
            private let left = Atomic<Int>(Origin.size)
            private let isOver = Atomic<Bool>(false)
            private let deliver: @Sendable ([EgressEvent]) -> Void

            init(_ deliver: @escaping @Sendable ([EgressEvent]) -> Void) {
                self.deliver = deliver
                let body = [UInt8](repeating: 0, count: Origin.size)
                deliver([.head(EgressResponseHead(status: 200, reason: "")), .body(body)])
            }

            private func open() { require(!isOver.load(ordering: .relaxed), "it is over") }

            func send(_ bytes: [UInt8]) {
                open()
                deliver([.sent(bytes.count)])
            }

            func finishSending() { open() }

            func consumed(_ bytes: Int) {
                open()
                let left = left.subtract(bytes, ordering: .relaxed).newValue
                require(left >= 0, "more is used up than was sent")
            }

            func cancel() { isOver.store(true, ordering: .relaxed) }
        }
    }
}
