import Model
import Store
import Testing

@Suite struct ZoneStoreTests {
    @Test func zonesOfTwoAccountsDoNotOverlap() throws {
        let fixture = try Fixture()
        let other = Account(name: "second")
        try fixture.store.add(other)
        try fixture.store.add(Zone(account: fixture.account.id, name: "example.com"))
        try fixture.store.add(Zone(account: fixture.account.id, name: "sub.example.com"))
        for name in ["example.com", "a.example.com", "com", "x.sub.example.com"] {
            let error = try #require(throws: StoreError.self) {
                try fixture.store.add(Zone(account: other.id, name: name))
            }
            #expect(error.kind == .conflict)
        }
        try fixture.store.add(Zone(account: other.id, name: "notexample.com"))
        #expect(try fixture.store.zones(of: other.id).map(\.name) == ["notexample.com"])
        #expect(try fixture.store.zones(of: nil).count == 3)
    }

    @Test func routesHaveOnePatternEach() throws {
        let fixture = try Fixture()
        let zone = Zone(account: fixture.account.id, name: "example.com")
        try fixture.store.add(zone)
        var route = Route(pattern: "example.com/*", script: nil)
        try fixture.store.put(route, in: zone.id)
        let twin = Route(pattern: "example.com/*", script: nil)
        #expect(throws: StoreError.self) { try fixture.store.put(twin, in: zone.id) }
        route.pattern = "example.com/a"
        try fixture.store.put(route, in: zone.id)
        try fixture.store.put(twin, in: zone.id)
        #expect(try fixture.store.routes(of: zone.id) == [twin, route])
        try fixture.store.deleteRoute(route.id, in: zone.id)
        #expect(throws: StoreError.self) { try fixture.store.deleteRoute(route.id, in: zone.id) }
    }

    @Test func aScriptsRoutesAreReplacedAtOnce() throws {
        let fixture = try Fixture()
        let zone = Zone(account: fixture.account.id, name: "example.com")
        try fixture.store.add(zone)
        try fixture.deploy("x", as: "hello")
        let first = try fixture.store.replaceRoutes(
            of: fixture.key("hello"), with: [(zone.id, "example.com/a"), (zone.id, "example.com/b")])
        let second = try fixture.store.replaceRoutes(
            of: fixture.key("hello"), with: [(zone.id, "example.com/b"), (zone.id, "example.com/c")])
        #expect(second[0] == first[1])
        #expect(try fixture.store.routes(of: zone.id).map(\.pattern) == ["example.com/b", "example.com/c"])
        try fixture.store.put(Route(pattern: "example.com/d", script: "other"), in: zone.id)
        #expect(throws: StoreError.self) {
            try fixture.store.replaceRoutes(of: fixture.key("hello"), with: [(zone.id, "example.com/d")])
        }
        #expect(try fixture.store.routes(of: zone.id).count == 3)
        try fixture.store.deleteScript(fixture.key("hello"))
        #expect(try fixture.store.routes(of: zone.id).map(\.pattern) == ["example.com/d"])
    }

    @Test func aCustomDomainIsOneAccounts() throws {
        let fixture = try Fixture()
        let zone = Zone(account: fixture.account.id, name: "example.com")
        try fixture.store.add(zone)
        try fixture.deploy("x", as: "a")
        try fixture.deploy("x", as: "b")
        func domain(_ script: ScriptKey) -> CustomDomain {
            CustomDomain(hostname: "www.example.com", zone: zone.id, zoneName: zone.name, script: script)
        }
        let first = try fixture.store.put(domain(fixture.key("a")))
        let second = try fixture.store.put(domain(fixture.key("b")))
        #expect(first.id == second.id)
        #expect(try fixture.store.domains(of: fixture.account.id).map(\.script.name) == ["b"])
        let other = Account(name: "second")
        try fixture.store.add(other)
        let theirs = ScriptKey(account: other.id, name: "t")
        let version = ScriptVersion(source: "api", author: "", syntax: .modules)
        _ = try fixture.store.add(
            VersionDraft(version: version, files: [], secrets: [:], base: nil), to: theirs, deploying: nil)
        #expect(throws: StoreError.self) { try fixture.store.put(domain(theirs)) }
        #expect(throws: StoreError.self) { try fixture.store.deleteDomain(first.id, of: other.id) }
        try fixture.store.deleteDomain(first.id, of: fixture.account.id)
        #expect(try fixture.store.domains(of: fixture.account.id).isEmpty)
    }
}
