import Model
import Store
import Testing

@Suite struct AccountStoreTests {
    @Test func subdomainsBelongToOne() throws {
        let fixture = try Fixture()
        var other = Account(name: "second")
        try fixture.store.add(other)
        let error = try #require(throws: StoreError.self) {
            try fixture.store.updateAccount(other.id) { $0.subdomain = "first" }
        }
        #expect(error.kind == .conflict)
        #expect(try fixture.store.isTaken(subdomain: "first"))
        #expect(try !fixture.store.isTaken(subdomain: "second"))
        other.subdomain = "second"
        other.isSuspended = true
        #expect(
            try fixture.store.updateAccount(other.id) {
                $0.subdomain = "second"
                $0.isSuspended = true
            } == other)
        #expect(try fixture.store.account(other.id) == other)
        #expect(try fixture.store.accounts().map(\.name) == ["first", "second"])
    }

    /// One takes a subdomain again and again while another suspends the account: the suspension stays.
    @Test func changesAtOnceLoseNothing() async throws {
        let fixture = try Fixture()
        let (store, id) = (fixture.store, fixture.account.id)
        for round in 0..<20 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["x", "y"] {
                    group.addTask { try store.updateAccount(id) { $0.subdomain = "\(name)\(round)" } }
                }
                group.addTask { try store.updateAccount(id) { $0.isSuspended.toggle() } }
                group.addTask { try store.updateAccount(id) { $0.limits.scripts = round } }
                try await group.waitForAll()
            }
            let account = try #require(try store.account(id))
            #expect(account.isSuspended == (round % 2 == 0))
            #expect(account.limits.scripts == round)
        }
        #expect(throws: StoreError.self) { try store.updateAccount("none") { $0.name = "x" } }
    }

    @Test func tokensAreFoundByTheirSecretAndNotStored() throws {
        let fixture = try Fixture()
        let own = Token(account: fixture.account.id, name: "ci", scope: .deploy)
        let operators = Token(account: nil, name: "admin", scope: .admin)
        try fixture.store.add(own, secret: "own-secret-of-the-token")
        try fixture.store.add(operators, secret: "operator-secret")
        #expect(try fixture.store.token(forSecret: "own-secret-of-the-token") == own)
        #expect(try fixture.store.token(forSecret: "operator-secret") == operators)
        #expect(try fixture.store.token(forSecret: "own-secret-of-the-toke") == nil)
        #expect(try fixture.store.token(forSecret: "") == nil)
        #expect(try fixture.store.tokens(of: fixture.account.id) == [own])
        #expect(try fixture.store.tokens(of: nil) == [operators])
        #expect(try !fixture.holds("own-secret-of-the-token"))
        #expect(throws: StoreError.self) { try fixture.store.deleteToken(own.id, of: nil) }
        try fixture.store.deleteToken(own.id, of: fixture.account.id)
        #expect(try fixture.store.token(forSecret: "own-secret-of-the-token") == nil)
    }

    @Test func anAccountGoesWithAllItHas() throws {
        let fixture = try Fixture()
        try fixture.deploy("one", as: "hello")
        let token = Token(account: fixture.account.id, name: "ci", scope: .read)
        try fixture.store.add(token, secret: "s")
        try fixture.store.add(Zone(account: fixture.account.id, name: "example.com"))
        try fixture.store.deleteAccount(fixture.account.id)
        #expect(try fixture.store.scripts(of: fixture.account.id).isEmpty)
        #expect(try fixture.store.token(forSecret: "s") == nil)
        #expect(try fixture.store.zones(of: nil).isEmpty)
        #expect(fixture.blobs.isEmpty)
        #expect(throws: StoreError.self) { try fixture.store.deleteAccount(fixture.account.id) }
        #expect(throws: StoreError.self) { try fixture.deploy("two", as: "hello") }
    }

    @Test func usageAddsUpOncePerBatch() throws {
        let fixture = try Fixture()
        var amounts = UsageAmounts()
        amounts.requests = 3
        amounts.cpuMicroseconds = 1_500
        let usage = Usage(script: fixture.key("hello"), hour: 480_000, amounts: amounts)
        try fixture.store.add([usage, usage], batch: "1")
        try fixture.store.add([usage], batch: "1")
        try fixture.store.add([usage], batch: "2")
        let found = try fixture.store.usage(of: fixture.account.id, hours: 480_000..<480_001)
        #expect(found.map(\.amounts.requests) == [9])
        #expect(found.map(\.amounts.cpuMicroseconds) == [4_500])
        #expect(try fixture.store.usage(of: fixture.account.id, hours: 480_001..<480_002).isEmpty)
    }
}
