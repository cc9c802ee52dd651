internal import Model

/// Who calls, accounts, their subdomains and tokens.
struct AccountRoutes {
    let api: API
    let service: AccountService
    let baseDomain: String

    func register() {
        registerIdentity()
        registerAccounts()
        registerTokens()
    }

    private func registerIdentity() {
        api.on(.get, "/user/tokens/verify", .read) { Self.verify($0) }
        api.on(.get, "/accounts/:account/tokens/verify", .read) { Self.verify($0) }
        api.on(.get, "/user", .read) { call in
            .result(["id": .string(call.token.id), "email": .string("\(call.token.name)@localhost")])
        }
        api.on(.get, "/memberships", .read) { [service] call in
            try .page(
                try service.visible(to: call.token).map { account in
                    [
                        "id": .string(account.id), "status": "accepted", "account": account.json,
                        "roles": [.string(call.token.scope.rawValue)],
                    ]
                }, of: call)
        }
    }

    private static func verify(_ call: Call) -> Reply {
        .result(["id": .string(call.token.id), "status": "active"])
    }

    private func registerAccounts() {
        api.on(.get, "/accounts", .read) { [service] call in
            let name = call.query["name"]
            return try .page(
                try service.visible(to: call.token).filter { name == nil || $0.name == name }.map(\.json), of: call)
        }
        api.on(.post, "/accounts", .admin) { [service] call in
            .result(try service.create(try call.object(), by: call.token).json)
        }
        api.on(.get, "/accounts/:account", .read) { [service] in .result(try service.require($0.account).json) }
        api.on(.put, "/accounts/:account", .admin) { [service] call in
            .result(try service.change(call.account, try call.object(), by: call.token).json)
        }
        api.on(.delete, "/accounts/:account", .admin) { [service] call in
            try service.delete(call.account, by: call.token)
            return .result(["id": .string(call.account)])
        }
        api.on(.get, "/accounts/:account/workers/subdomain", .read) { [service, baseDomain] call in
            guard let subdomain = try service.require(call.account).subdomain else { throw APIError.noSubdomain }
            // Ours: the base domain.
            return .result(["subdomain": .string(subdomain), "base_domain": .string(baseDomain)])
        }
        api.on(.put, "/accounts/:account/workers/subdomain", .deploy) { [service] call in
            let subdomain = try service.setSubdomain(try call.object()["subdomain"]?.string, of: call.account)
            return .result(["subdomain": .string(subdomain)])
        }
        api.on(.get, "/accounts/:account/workers/subdomains/:subdomain", .read) { [service] call in
            guard try service.store.isTaken(subdomain: call["subdomain"]) else {
                throw APIError(404, 10032, "the subdomain '\(call["subdomain"])' is free")
            }
            throw APIError(400, 10031, "the subdomain '\(call["subdomain"])' is taken")
        }
    }

    private func registerTokens() {
        let tokens = "/accounts/:account/tokens"
        api.on(.get, tokens, .admin) { [service] call in
            try .page(try service.store.tokens(of: call.account).map(\.json), of: call)
        }
        api.on(.post, tokens, .admin) { [service] call in
            let (token, secret) = try service.createToken(try call.object(), for: call.account)
            return .result(.object(token.json.object!.merging(["value": .string(secret)]) { _, new in new }))
        }
        api.on(.delete, tokens + "/:token", .admin) { [service] call in
            do {
                try service.store.deleteToken(call["token"], of: call.account)
            } catch let error as StoreError where error.kind == .missing {
                throw APIError(404, 1001, error.message)
            }
            return .result(["id": .string(call["token"])])
        }
    }
}

extension Account {
    fileprivate var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "type": "standard",
            "created_on": .string(createdOn.description), "settings": ["enforce_twofactor": false],
            "suspended": .bool(isSuspended),
        ]
    }
}

extension Token {
    fileprivate var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "status": "active", "scope": .string(scope.rawValue),
            "issued_on": .string(createdOn.description),
        ]
    }
}
