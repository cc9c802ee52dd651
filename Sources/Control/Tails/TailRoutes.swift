internal import Model

/// Tails: `S/tails`. The WebSocket itself is `ControlChannel`'s.
struct TailRoutes {
    /// Where the WebSocket of a tail is, before its id.
    static let path = API.root + "/tails/"
    static let subprotocol = "trace-v1"
    /// Filters of one tail.
    private static let mostFilters = 32
    /// Bytes of the filters of one tail, which are kept as long as it is.
    private static let filterBytes = 64 << 10

    let api: API
    let service: ScriptService
    let hub: TailHub

    func register() {
        let tails = "/accounts/:account/workers/scripts/:script/tails"
        api.on(.post, tails, .read, limit: Self.filterBytes) { [self] in try add($0) }
        api.on(.get, tails, .read) { [self] call in
            _ = try service.require(call.script)
            return .result(.array(hub.tails(of: call.script).map { Self.json($0, call) }))
        }
        api.on(.delete, tails + "/:tail", .read) { [self] call in
            _ = try service.require(call.script)
            guard let tail = hub.tail(call["tail"], of: call.script) else {
                throw APIError(404, 10009, "there is no tail '\(call["tail"])'")
            }
            hub.remove(tail.id)
            return .result(.null)
        }
    }

    private func add(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        let given = call.body.isEmpty ? nil : try call.object()["filters"]
        guard let list = given == nil || given == .null ? [] : given?.array, list.count <= Self.mostFilters else {
            throw APIError.badBody("filters must be a list of at most \(Self.mostFilters)")
        }
        return .result(Self.json(try hub.add(try list.map { try TailFilter($0) }, to: call.script), call))
    }

    private static func json(_ tail: Tail, _ call: Call) -> JSONValue {
        [
            "id": .string(tail.id), "url": .string("\(call.socketOrigin)\(path)\(tail.id)"),
            "expires_at": .string(tail.expires.description),
        ]
    }
}
