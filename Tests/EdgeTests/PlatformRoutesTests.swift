import Edge
import Model
import Testing

@Suite struct PlatformRoutesTests {
    private static func script(_ name: String, isOnSubdomain: Bool = true) -> RoutedScript {
        RoutedScript(
            key: ScriptKey(account: "A", name: name), isOnSubdomain: isOnSubdomain,
            shares: [.init(version: "\(name)-1", percentage: 100)])
    }

    private static func domain(_ hostname: String, _ script: String) -> CustomDomain {
        CustomDomain(
            id: "D-\(hostname)", hostname: hostname, zone: "Z", zoneName: "example.com",
            script: ScriptKey(account: "A", name: script))
    }

    private static let zone = Zone(id: "Z", account: "A", name: "example.com")
    private static let inner = Zone(id: "I", account: "A", name: "inner.example.com")

    private static func routes() -> PlatformRoutes {
        var routes = PlatformRoutes(baseDomain: "Base.Example")
        routes.apply(.account(RoutedAccount(id: "A", subdomain: "me", isSuspended: false)))
        for name in ["a", "b", "c"] { routes.apply(.script(script(name))) }
        routes.apply(.script(script("hidden", isOnSubdomain: false)))
        routes.apply(
            .script(RoutedScript(key: ScriptKey(account: "A", name: "draft"), isOnSubdomain: true, shares: [])))
        let patterns = [
            ("example.com/*", "a"), ("example.com/b*", "b"), ("example.com/b/off/*", nil), ("*.example.com/*", "c"),
            ("https://example.com/tls", "c"), ("example.com/gone", "gone"),
        ]
        routes.apply(
            .zone(RoutedZone(zone: zone, routes: patterns.map { Route(id: $0.0, pattern: $0.0, script: $0.1) })))
        routes.apply(
            .zone(RoutedZone(zone: inner, routes: [Route(id: "i", pattern: "inner.example.com/x", script: "b")])))
        for host in ["inner.example.com", "own.example.org"] { routes.apply(.domain(domain(host, "a"))) }
        return routes
    }

    @Test(arguments: [
        ("http://a.me.base.example/", "a"), ("http://hidden.me.base.example/", nil),
        ("http://draft.me.base.example/", nil), ("http://none.me.base.example/", nil),
        ("http://a.you.base.example/", nil), ("http://me.base.example/", nil), ("http://x.a.me.base.example/", nil),
        ("http://base.example/", nil), ("http://a.me.other/", nil), ("http://a.mebase.example/", nil),
        ("http://example.com/", "a"), ("http://example.com/x?y=/b", "a"), ("http://example.com/b", "b"),
        ("http://example.com/b?q", "b"), ("http://example.com/b/off/x", nil), ("http://example.com/tls", "a"),
        ("https://example.com/tls", "c"), ("http://example.com/gone", nil), ("http://www.example.com/b", "c"),
        // The zone with the longest name is the one that is asked; then its custom domain.
        ("http://inner.example.com/x", "b"), ("http://inner.example.com/y", "a"), ("http://own.example.org/", "a"),
        ("http://notexample.com/", nil), ("http:///", nil),
    ])
    func findsTheScript(url: String, name: String?) throws {
        #expect(try Self.name(url, in: Self.routes()) == name)
    }

    private static func name(_ url: String, in routes: PlatformRoutes) throws -> String? {
        let match = try #require(url.wholeMatch(of: #/(https?)://([^/]*)(/.*)/#))
        let target = routes.target(scheme: String(match.1), host: String(match.2), target: String(match.3))
        if case .script(let script) = target { return script.key.name }
        return nil
    }

    @Test func changesReplaceWhatWasThere() throws {
        var routes = Self.routes()
        routes.apply(.account(RoutedAccount(id: "A", subdomain: "you", isSuspended: false)))
        #expect(try Self.name("http://a.me.base.example/", in: routes) == nil)
        #expect(try Self.name("http://a.you.base.example/", in: routes) == "a")
        routes.apply(.zone(RoutedZone(zone: Self.zone, routes: [])))
        #expect(try Self.name("http://example.com/", in: routes) == nil)
        routes.apply(.removed(.zone("I")))
        #expect(try Self.name("http://inner.example.com/x", in: routes) == "a")
        routes.apply(.removed(.domain("D-inner.example.com")))
        #expect(try Self.name("http://inner.example.com/x", in: routes) == nil)
        routes.apply(.removed(.script(ScriptKey(account: "A", name: "a"))))
        #expect(try Self.name("http://own.example.org/", in: routes) == nil)
        routes.apply(.removed(.account("A")))
        #expect(try Self.name("http://b.you.base.example/", in: routes) == nil)
    }

    @Test func aSuspendedAccountIsSaidToBe() {
        var routes = Self.routes()
        routes.apply(.account(RoutedAccount(id: "A", subdomain: "me", isSuspended: true)))
        #expect(routes.target(scheme: "http", host: "a.me.base.example", target: "/") == .suspended)
        #expect(routes.target(scheme: "http", host: "own.example.org", target: "/") == .suspended)
        #expect(routes.target(scheme: "http", host: "none.me.base.example", target: "/") == .none)
    }
}

@Suite struct VersionChoiceTests {
    private static let key = ScriptKey(account: "A", name: "s")

    private static func script(_ shares: [(String, Double)]) -> RoutedScript {
        RoutedScript(
            key: key, isOnSubdomain: true, shares: shares.map { .init(version: $0.0, percentage: $0.1) })
    }

    @Test func theDrawFallsWherePercentagesSay() {
        let script = Self.script([("new", 10), ("old", 90)])
        for (point, version) in [(0.0, "new"), (9.99, "new"), (10, "old"), (99.99, "old")] {
            #expect(VersionChoice.version(of: script, affinity: nil, overrides: nil, draw: { point }) == version)
        }
        let all = Self.script([("new", 0), ("old", 100)])
        #expect(VersionChoice.version(of: all, affinity: nil, overrides: nil, draw: { 0 }) == "old")
        #expect(VersionChoice.version(of: Self.script([("only", 100)]), affinity: nil, overrides: nil) == "only")
        #expect(VersionChoice.version(of: Self.script([]), affinity: nil, overrides: nil) == nil)
    }

    @Test func keysKeepTheirVersionAndSpreadEvenly() {
        let script = Self.script([("new", 20), ("old", 80)])
        func version(_ key: Int) -> String? {
            VersionChoice.version(of: script, affinity: "user-\(key)", overrides: nil, draw: { 0 })
        }
        #expect((0..<50).allSatisfy { version($0) == version($0) })
        let new = (0..<10_000).count { version($0) == "new" }
        #expect((1_800...2_200).contains(new))
    }

    @Test func anOverrideCountsIfTheVersionIsDeployed() {
        let script = Self.script([("new", 0), ("old", 100)])
        for (text, version) in [
            (#"s="new""#, "new"), (#"other="x", s="new""#, "new"), (#"s="gone""#, "old"), (#"t="new""#, "old"),
            ("", "old"), ("s", "old"), ("=,=", "old"),
        ] {
            #expect(VersionChoice.version(of: script, affinity: "k", overrides: text) == version, "\(text)")
        }
    }
}
