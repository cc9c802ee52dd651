internal import Model

/// Accounts and their tokens.
struct AccountService: Sendable {
    let store: any PlatformStore

    func require(_ id: String) throws -> Account {
        guard let account = try store.account(id) else { throw APIError.unknownPath("/accounts/\(id)") }
        return account
    }

    /// The operator sees all, everyone else their own.
    func visible(to token: Token) throws -> [Account] {
        guard let id = token.account else { return try store.accounts() }
        return try store.account(id).map { [$0] } ?? []
    }

    private static func requireOperator(_ token: Token) throws(APIError) {
        guard token.account == nil else { throw .forbidden("admin, for all accounts") }
    }

    func create(_ body: [String: JSONValue], by token: Token) throws -> Account {
        try Self.requireOperator(token)
        let account = Account(name: try Self.name(body["name"]))
        try store.add(account)
        return account
    }

    private static func name(_ value: JSONValue?) throws(APIError) -> String {
        guard let name = value?.string, (1...100).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 })
        else { throw .badName("a name has 1 to 100 bytes and no control characters") }
        return name
    }

    func change(_ id: String, _ body: [String: JSONValue], by token: Token) throws -> Account {
        _ = try require(id)
        let name = try body["name"].map { try Self.name($0) }
        var isSuspended: Bool?
        if let value = body["suspended"] {
            try Self.requireOperator(token)
            guard let given = value.bool else { throw APIError.badBody("'suspended' must be a boolean") }
            isSuspended = given
        }
        return try store.updateAccount(id) { account in
            account.name = name ?? account.name
            account.isSuspended = isSuspended ?? account.isSuspended
        }
    }

    func delete(_ id: String, by token: Token) throws {
        try Self.requireOperator(token)
        _ = try require(id)
        try store.deleteAccount(id)
    }

    func setSubdomain(_ name: String?, of id: String) throws -> String {
        guard let name = name?.lowercased(), HostName.isLabel(name), !name.contains("_") else {
            throw APIError.badName("a subdomain is one label of a host name: letters, digits and '-'")
        }
        _ = try require(id)
        do {
            try store.updateAccount(id) { $0.subdomain = name }
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(400, 10031, error.message)
        }
        return name
    }

    /// - Returns: the token, and the secret, which is told only here.
    func createToken(_ body: [String: JSONValue], for account: String) throws -> (Token, secret: String) {
        _ = try require(account)
        guard let scope = Token.Scope(rawValue: body["scope"]?.string ?? "deploy") else {
            throw APIError.badBody("the scope must be one of read, deploy and admin")
        }
        let token = Token(account: account, name: try Self.name(body["name"]), scope: scope)
        let secret = TokenSecret.make()
        try store.add(token, secret: secret)
        return (token, secret)
    }
}

/// Secrets of tokens: 256 random bits behind a mark by which a leaked one can be recognised.
package enum TokenSecret {
    package static func make() -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")
        return "mlt_" + String(Identifier.random(44).map { digits[Int($0 & 63)] })
    }
}
