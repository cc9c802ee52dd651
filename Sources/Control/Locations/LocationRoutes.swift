internal import Feed
internal import Model

/// Locations: which there are, and how they are. Ours.
struct LocationRoutes {
    let api: API
    let service: LocationService
    let scripts: ScriptService

    func register() {
        api.on(.get, "/locations", .read) { [service] call in
            try Self.requireOperator(call)
            return .result(.array(try service.list()))
        }
        api.on(.post, "/locations", .admin) { [service] call in
            try Self.requireOperator(call)
            return .result(try service.add(try call.object()))
        }
        api.on(.delete, "/locations/:location", .admin) { [service] call in
            try Self.requireOperator(call)
            try service.remove(call["location"])
            return .result(["id": .string(call["location"])])
        }
        api.on(.get, "/accounts/:account/workers/scripts/:script/rollout", .read) { [service, scripts] call in
            _ = try scripts.require(call.script)
            return .result(try service.rollout(of: call.script))
        }
    }

    private static func requireOperator(_ call: Call) throws(APIError) {
        guard call.token.account == nil else { throw .forbidden("\(call.token.scope.rawValue), for all accounts") }
    }
}
