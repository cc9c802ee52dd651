import Model
import Supervisor
import Testing

@Suite("Routes by cordons") struct RouteBookTests {
    private static func script(_ name: String, of account: String = "me", cordon: String? = nil) -> RoutingItem {
        .script(
            RoutedScript(
                key: ScriptKey(account: account, name: name), isOnSubdomain: true,
                shares: [.init(version: "1", percentage: 100)], cordon: cordon))
    }

    private static func account(_ id: String = "me", cordon: String? = nil) -> RoutingItem {
        .account(RoutedAccount(id: id, subdomain: id, isSuspended: false, cordon: cordon))
    }

    private static func book(_ items: [RoutingItem]) -> RouteBook {
        var book = RouteBook()
        book.replace(with: RoutingSnapshot(revision: 1, items: items))
        return book
    }

    private static let paid = Cordon(name: "paid")

    @Test func accountsBeginInOne() {
        let book = Self.book([Self.account(), Self.script("a")])
        #expect(book.cordons == [.standard])
        #expect(book.cordon(of: ScriptKey(account: "me", name: "a")) == .standard)
        #expect(book.cordon(of: ScriptKey(account: "me", name: "b")) == nil)
        #expect(book.snapshot(of: .standard).items.count == 2)
    }

    @Test func noHostIsToldOfWhatOthersRun() {
        let book = Self.book([
            Self.account(), Self.script("a"), Self.script("b", cordon: "paid"), Self.account("you", cordon: "private"),
            Self.script("c", of: "you"),
        ])
        #expect(book.cordons == [.standard, Self.paid, Cordon(name: "private:you")])
        let paid = book.snapshot(of: Self.paid).items
        #expect(paid.map(\.key) == [.account("me"), .script(ScriptKey(account: "me", name: "b"))])
        #expect(!book.snapshot(of: .standard).items.contains { $0.key == .account("you") })
    }

    @Test func whatMovesIsRemovedWhereItWas() {
        var book = Self.book([Self.account(), Self.script("a"), Self.script("b")])
        let told = book.apply(RoutingSnapshot(revision: 2, items: [Self.script("a", cordon: "paid")]))
        #expect(told[.standard] == [.removed(.script(ScriptKey(account: "me", name: "a")))])
        #expect(told[Self.paid]?.map(\.key) == [.account("me"), .script(ScriptKey(account: "me", name: "a"))])
        #expect(book.revision == 2)
        // With the account all go that say nothing else.
        let moved = book.apply(RoutingSnapshot(revision: 3, items: [Self.account(cordon: "paid")]))
        #expect(moved[.standard]?.contains(.removed(.script(ScriptKey(account: "me", name: "b")))) == true)
        #expect(moved[Self.paid]?.contains(Self.script("b")) == true)
        #expect(book.cordons == [.standard, Self.paid])
    }

    @Test func aZoneGoesWhereItsAccountIs() {
        let zone = RoutingItem.zone(RoutedZone(zone: Zone(id: "z", account: "me", name: "z.example"), routes: []))
        var book = Self.book([Self.account(), Self.script("a", cordon: "paid"), zone])
        #expect(book.snapshot(of: Self.paid).items.contains(zone))
        #expect(book.snapshot(of: .standard).items.contains(zone))
        let told = book.apply(RoutingSnapshot(revision: 2, items: [.removed(.zone("z"))]))
        #expect(told[Self.paid] == [.removed(.zone("z"))])
        #expect(told[.standard] == [.removed(.zone("z"))])
    }

    /// What is kept up from change to change is what one would make of all that there is.
    @Test func changesAddUp() throws {
        var random = Repeatable(state: 5)
        var all: [RoutingKey: RoutingItem] = [:]
        var book = Self.book([])
        let cordons = [nil, nil, "paid", "free", "private"]
        for revision in 2..<400 {
            let account = ["me", "you"].randomElement(using: &random)!
            let name = ["a", "b", "c"].randomElement(using: &random)!
            let cordon = cordons.randomElement(using: &random)!
            let item: RoutingItem =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: Self.account(account, cordon: cordon)
                case 1: .removed(.script(ScriptKey(account: account, name: name)))
                default: Self.script(name, of: account, cordon: cordon)
                }
            if case .removed(let key) = item { all[key] = nil } else { all[item.key] = item }
            _ = book.apply(RoutingSnapshot(revision: Int64(revision), items: [item]))
            let anew = Self.book(Array(all.values))
            try #require(book.cordons == anew.cordons, "after \(revision) changes")
            for cordon in anew.cordons {
                let keys = Set(book.snapshot(of: cordon).items.map(\.key))
                try #require(keys == Set(anew.snapshot(of: cordon).items.map(\.key)), "after \(revision) changes")
            }
        }
    }

    @Test func whoIsSetApartComesBack() throws {
        var book = Self.book([Self.account(), Self.script("a"), Self.script("b")])
        let key = ScriptKey(account: "me", name: "a")
        let own = Cordon(name: "private:me/a")
        #expect(book.restrain(key, .apart)[own]?.count == 2)
        #expect(book.cordon(of: key) == own)
        // A new version changes nothing about that.
        _ = book.apply(RoutingSnapshot(revision: 2, items: [Self.script("a")]))
        #expect(book.cordon(of: key) == own)
        let paused = book.restrain(key, .paused)
        #expect(paused[own]?.contains(.removed(.script(key))) == true)
        guard case .script(let script) = paused[.standard]?.first else { throw WireError("no script") }
        #expect(script.isPaused == true)
        let freed = book.restrain(key, nil)
        #expect(freed[.standard] == [Self.script("a")])
        #expect(book.cordons == [.standard])
    }
}

/// The same numbers in each run (Knuth's MMIX).
private struct Repeatable: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}

@Suite("Crashes") struct CrashLogTests {
    @Test func patienceEnds() {
        var log = CrashLog()
        let now = ContinuousClock.now
        #expect(log.add("a", now: now) == .nothing)
        #expect(log.add("b", now: now) == .nothing)
        #expect(log.add("a", now: now) == .apart)
        #expect(log.add("a", now: now) == .paused(seconds: 10))
        #expect(log.takeDue(now: now) == [])
        #expect(log.takeDue(now: now + .seconds(10)) == ["a"])
        #expect(log.takeDue(now: now + .seconds(10)) == [])
        #expect(log.add("a", now: now + .seconds(11)) == .paused(seconds: 20))
        for _ in 0..<20 { _ = log.add("a", now: now + .seconds(12)) }
        #expect(log.add("a", now: now + .seconds(13)) == .paused(seconds: 3_600))
    }

    @Test func whatWasLongAgoIsForgotten() {
        var log = CrashLog()
        let now = ContinuousClock.now
        _ = log.add("a", now: now)
        #expect(log.add("a", now: now + .seconds(86_401)) == .nothing)
    }
}
