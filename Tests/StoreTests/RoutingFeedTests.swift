import Model
import Store
import Synchronization
import Testing

@Suite struct RoutingFeedTests {
    /// A follower's picture of the state.
    private struct Picture {
        var revision: Int64
        var items: [RoutingKey: RoutingItem]

        init(_ snapshot: RoutingSnapshot) {
            revision = snapshot.revision
            items = Dictionary(uniqueKeysWithValues: snapshot.items.map { ($0.key, $0) })
        }

        mutating func follow(_ changes: RoutingSnapshot) {
            revision = changes.revision
            for item in changes.items {
                if case .removed(let key) = item { items[key] = nil } else { items[item.key] = item }
            }
        }
    }

    @Test func followingEqualsLookingAnew() throws {
        let fixture = try Fixture()
        let store = fixture.store
        var picture = Picture(try store.snapshot())
        let zone = Zone(account: fixture.account.id, name: "example.com")
        let domain = { (script: String) in
            CustomDomain(hostname: "w.example.com", zone: zone.id, zoneName: zone.name, script: fixture.key(script))
        }
        let steps: [() throws -> Void] = [
            { try fixture.deploy("1", as: "a") }, { try fixture.deploy("2", as: "a") },
            { try fixture.deploy("1", as: "b", deploying: false) },
            { try store.update(fixture.key("a")) { $0.isOnSubdomain = true } }, { try store.add(zone) },
            { _ = try store.replaceRoutes(of: fixture.key("a"), with: [(zone.id, "example.com/*")]) },
            { _ = try store.put(domain("a")) }, { _ = try store.put(domain("b")) },
            { try store.deleteScript(fixture.key("a")) }, { try store.deleteScript(fixture.key("b")) },
            { try store.deleteZone(zone.id) }, { try fixture.deploy("3", as: "c") },
            { try store.deleteAccount(fixture.account.id) },
        ]
        for (index, step) in steps.enumerated() {
            try step()
            let before = picture.revision
            picture.follow(try #require(try store.changes(after: before)))
            let now = Picture(try store.snapshot())
            #expect(picture.revision > before, "step \(index)")
            #expect(picture.revision == now.revision)
            #expect(picture.items == now.items, "step \(index)")
        }
        #expect(picture.items.isEmpty)
    }

    @Test func aRevisionFromElsewhereNeedsASnapshot() throws {
        let fixture = try Fixture()
        let revision = try fixture.store.snapshot().revision
        #expect(try fixture.store.changes(after: revision)?.items == [])
        #expect(try fixture.store.changes(after: revision + 1) == nil)
        #expect(try fixture.store.changes(after: -20_000) == nil)
    }

    @Test func followersHearOfAChangeBeforeItIsAcknowledged() throws {
        let fixture = try Fixture()
        let seen = Mutex<[Int64]>([])
        fixture.store.observe { [store = fixture.store] in
            let revision = (try? store.snapshot().revision) ?? -1
            seen.withLock { $0.append(revision) }
        }
        try fixture.deploy("1", as: "a")
        #expect(seen.withLock { $0 } == [try fixture.store.snapshot().revision])
    }

    @Test func aSnapshotHasTheActiveShares() throws {
        let fixture = try Fixture()
        let one = try fixture.deploy("1", as: "a")
        let two = try fixture.deploy("2", as: "a")
        let shares = [
            Deployment.Share(version: two.id, percentage: 90), Deployment.Share(version: one.id, percentage: 10),
        ]
        try fixture.store.add(Deployment(source: "api", author: "", shares: shares), to: fixture.key("a"))
        let script = RoutedScript(key: fixture.key("a"), isOnSubdomain: false, shares: shares)
        #expect(try fixture.store.snapshot().items.contains(.script(script)))
    }
}
