internal import Model

/// With whom an account's scripts share a process. Ours, and the operator's to set.
struct CordonRoutes {
    let api: API
    let service: AccountService
    let scripts: ScriptService

    func register() {
        let account = "/accounts/:account/cordon"
        api.on(.get, account, .read) { [self] call in Self.shape(try service.require(call.account).cordon) }
        api.on(.put, account, .admin) { [self] call in
            let cordon = try Self.setting(call)
            _ = try service.require(call.account)
            try scripts.jitless.checkMove(ofAccount: call.account, to: cordon)
            return Self.shape(try service.store.updateAccount(call.account) { $0.cordon = cordon }.cordon)
        }
        let script = "/accounts/:account/workers/scripts/:script/cordon"
        api.on(.get, script, .read) { [self] call in Self.shape(try scripts.require(call.script).cordon) }
        api.on(.put, script, .admin) { [self] call in
            let cordon = try Self.setting(call)
            try scripts.jitless.checkMove(of: try scripts.require(call.script), to: cordon)
            try service.store.update(call.script) { $0.cordon = cordon }
            return Self.shape(cordon)
        }
    }

    /// - Returns: nil for null, which gives the setting up.
    private static func setting(_ call: Call) throws -> String? {
        guard call.token.account == nil else { throw APIError.forbidden("admin, for all accounts") }
        guard let value = try call.object()["cordon"], value.isNull || value.string != nil else {
            throw APIError.badBody("'cordon' must be a name, or null")
        }
        guard let name = value.string else { return nil }
        if let complaint = Cordon.complaint(about: name) { throw APIError.badBody(complaint) }
        return name
    }

    private static func shape(_ cordon: String?) -> Reply {
        .result(["cordon": cordon.map { .string($0) } ?? .null])
    }
}
