import Foundation
import Model
import Store
import Testing

@Suite struct QuotaStoreTests {
    private static func limit(_ fixture: Fixture, _ change: (inout AccountLimits) -> Void) throws {
        try fixture.store.updateAccount(fixture.account.id) { change(&$0.limits) }
    }

    private static func entry(_ count: Int, expiration: Int64? = nil) -> KVEntry {
        KVEntry(value: [UInt8](repeating: 1, count: count), metadata: "\"é\"", expiration: expiration)
    }

    /// What two locations and the control node have used together.
    @Test func aDayIsUsedUpByAllTogether() throws {
        let fixture = try Fixture()
        try fixture.deploy("x", as: "a")
        try Self.limit(fixture) { $0.requestsPerDay = 10 }
        let today = Usage.hour(of: .now) / 24
        func exhausted() throws -> Int64? {
            for case .account(let account) in try fixture.store.snapshot().items { return account.exhaustedOn }
            return nil
        }
        func used(_ requests: Int64) -> [Usage] {
            var amounts = UsageAmounts()
            amounts.requests = requests
            return [Usage(script: fixture.key("a"), hour: Usage.hour(of: .now), amounts: amounts)]
        }
        try fixture.store.addUsage(used(4), of: "cdg/i", batch: 1)
        try fixture.store.add(used(5), batch: "own")
        try fixture.store.addUsage(used(4), of: "cdg/i", batch: 1)
        #expect(try exhausted() == nil)
        try fixture.store.addUsage(used(1), of: "nrt/i", batch: 1)
        #expect(try exhausted() == today)
        try Self.limit(fixture) { $0.requestsPerDay = 11 }
        #expect(try exhausted() == nil)
        try Self.limit(fixture) { $0.requestsPerDay = 9 }
        #expect(try exhausted() == today)
    }

    @Test func whatIsInKVIsCountedAsItComesAndGoes() throws {
        let fixture = try Fixture()
        let namespace = KVNamespace(title: "n")
        try fixture.store.add(namespace, to: fixture.account.id)
        func used() throws -> Int { try fixture.store.storedAmounts(of: fixture.account.id).kvBytes }
        // Key, value, metadata, in bytes.
        try fixture.store.put([(key: "ab", entry: Self.entry(100))], in: namespace.id)
        #expect(try used() == 106)
        try fixture.store.put([(key: "ab", entry: Self.entry(10))], in: namespace.id)
        #expect(try used() == 16)
        try fixture.store.put([(key: "c", entry: Self.entry(10, expiration: 1))], in: namespace.id)
        // What has expired is gone.
        #expect(try used() == 16)
        try fixture.store.delete(["ab"], in: namespace.id)
        #expect(try used() == 0)
        try fixture.store.put([(key: "ab", entry: Self.entry(100))], in: namespace.id)
        try fixture.reopen()
        #expect(try used() == 106)
        try fixture.store.deleteNamespace(namespace.id, of: fixture.account.id)
        #expect(try used() == 0)
    }

    @Test func moreThanAnAccountMayIsRefusedWhole() throws {
        let fixture = try Fixture()
        let namespaces = [KVNamespace(title: "a"), KVNamespace(title: "b")]
        for namespace in namespaces { try fixture.store.add(namespace, to: fixture.account.id) }
        try Self.limit(fixture) { $0.kvBytes = 300 }
        try fixture.store.put([(key: "k", entry: Self.entry(200))], in: namespaces[0].id)
        // All namespaces together, and all of a bulk write or none.
        #expect(throws: StoreError.self) {
            try fixture.store.put(
                [(key: "x", entry: Self.entry(10)), (key: "y", entry: Self.entry(200))], in: namespaces[1].id)
        }
        #expect(try fixture.store.entry("x", in: namespaces[1].id) == nil)
        // In the place of what is there.
        try fixture.store.put([(key: "k", entry: Self.entry(250))], in: namespaces[0].id)
        let hash = String(repeating: "a", count: 32)
        try Self.limit(fixture) { $0.assetBytes = 10 }
        #expect(throws: StoreError.self) {
            try fixture.store.addUploads([(hash, [UInt8](repeating: 0, count: 11), nil)], of: fixture.account.id)
        }
        #expect(try fixture.store.uploads([hash], of: fixture.account.id).isEmpty)
        #expect(fixture.blobs.isEmpty)
        try fixture.store.addUploads([(hash, [UInt8](repeating: 0, count: 10), nil)], of: fixture.account.id)
    }

    @Test func scriptsAndTheirCode() throws {
        let fixture = try Fixture()
        try Self.limit(fixture) {
            $0.scripts = 1
            $0.codeBytes = 10
        }
        try fixture.deploy("12345", as: "one")
        let blobs = fixture.blobs.count
        #expect(throws: StoreError.self) { try fixture.deploy("1", as: "two") }
        #expect(fixture.blobs.count == blobs)
        #expect(try fixture.store.script(fixture.key("two")) == nil)
        try fixture.deploy("12345", as: "one")
        #expect(throws: StoreError.self) { try fixture.deploy("1", as: "one") }
        #expect(try fixture.store.versions(of: fixture.key("one")).count == 2)
        try fixture.store.deleteScript(fixture.key("one"))
        try fixture.deploy("1234567890", as: "two")
    }

    /// What comes with code and is no module: bindings, annotations, texts of secrets.
    @Test func longRecordsAreCode() throws {
        let fixture = try Fixture()
        func used() throws -> Int { try fixture.store.storedAmounts(of: fixture.account.id).codeBytes }
        try fixture.deploy("12345", as: "one", secrets: ["S": "short"])
        #expect(try used() == 5)
        let long = String(repeating: "x", count: 100_000)
        try fixture.deploy("12345", as: "one", secrets: ["S": long])
        #expect(try used() > 80_000)
        let binding = Binding(name: "T", type: "plain_text", fields: ["text": .string(long)])
        try fixture.deploy("12345", as: "two", bindings: [binding])
        #expect(try used() > 160_000)
        try Self.limit(fixture) { $0.codeBytes = 200_000 }
        #expect(throws: StoreError.self) { try fixture.deploy("1", as: "three", secrets: ["S": long]) }
    }

    @Test func versionsOfOlderStoresAreCounted() throws {
        let fixture = try Fixture()
        try fixture.deploy("1234567890", as: "one")
        try fixture.deploy("12345", as: "two")
        try fixture.reopen { _ in
            try fixture.execute("UPDATE versions SET code_bytes = 0")
            try fixture.execute("DELETE FROM grdb_migrations WHERE identifier = 'code sizes'")
        }
        #expect(try fixture.store.storedAmounts(of: fixture.account.id).codeBytes == 15)
    }

    @Test func onlySoManyDeploymentsAreKept() throws {
        let fixture = try Fixture()
        let version = try fixture.deploy("x", as: "one")
        var last = ""
        for _ in 0..<deploymentsKept + 5 {
            let share = Deployment.Share(version: version.id, percentage: 100)
            let deployment = Deployment(source: "api", author: "", shares: [share])
            try fixture.store.add(deployment, to: fixture.key("one"))
            last = deployment.id
        }
        let kept = try fixture.store.deployments(of: fixture.key("one"))
        #expect(kept.count == deploymentsKept)
        #expect(kept.first?.id == last)
        #expect(try fixture.number("SELECT count(*) FROM deployments") == deploymentsKept)
        #expect(try fixture.number("SELECT count(*) FROM shares") == deploymentsKept)
    }
}
