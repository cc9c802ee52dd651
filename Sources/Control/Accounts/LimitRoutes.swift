internal import Model

/// What an account may have and use. Ours.
struct LimitRoutes {
    let api: API
    let service: AccountService

    func register() {
        let path = "/accounts/:account/limits"
        api.on(.get, path, .read) { [self] call in .result(try shape(try service.require(call.account))) }
        api.on(.patch, path, .admin) { [self] call in
            guard call.token.account == nil else { throw APIError.forbidden("admin, for all accounts") }
            _ = try service.require(call.account)
            let changes = try Self.changes(try call.object())
            let account = try service.store.updateAccount(call.account) { account in
                for (path, value) in changes { account.limits[keyPath: path] = value }
            }
            return .result(try shape(account))
        }
    }

    /// What is not given stays; null lifts a limit.
    private static func changes(
        _ body: [String: JSONValue]
    ) throws -> [(WritableKeyPath<AccountLimits, Int?>, Int?)] {
        try body.map { name, value in
            guard let path = AccountLimits.names.first(where: { $0.name == name })?.path else {
                throw APIError.badBody("there is no limit '\(name)'")
            }
            guard value.isNull || value.int.map({ $0 >= 0 }) == true else {
                throw APIError.badBody("'\(name)' must be a whole number from 0, or null for no limit")
            }
            return (path, value.int)
        }
    }

    private func shape(_ account: Account) throws -> JSONValue {
        let stored = try service.store.storedAmounts(of: account.id)
        let day = Usage.hour(of: .now) / 24 * 24
        let today = try service.store.usage(of: account.id, hours: day..<(day + 24))
            .reduce(UsageAmounts()) { $0 + $1.amounts }
        let limits = AccountLimits.names.map { ($0.name, account.limits[keyPath: $0.path].map(Self.number) ?? .null) }
        return [
            "limits": .object(Dictionary(limits) { first, _ in first }),
            "used": [
                "scripts": Self.number(stored.scripts), "code_bytes": Self.number(stored.codeBytes),
                "asset_bytes": Self.number(stored.assetBytes), "kv_bytes": Self.number(stored.kvBytes),
                "requests_per_day": .number(Double(today.requests)),
                "cpu_ms_per_day": .number(Double(today.cpuMicroseconds / 1_000)),
            ],
        ]
    }

    private static func number(_ value: Int) -> JSONValue { .number(Double(value)) }
}
