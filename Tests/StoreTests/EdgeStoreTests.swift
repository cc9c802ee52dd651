import Foundation
import Model
import Store
import Testing

/// The copy of a location, fed by hand with what the control node's store has.
@Suite struct EdgeStoreTests {
    /// A copy beside a store.
    private final class Copy {
        let path = NSTemporaryDirectory() + "/martlet-edge-\(Identifier.hex())"
        private(set) var store: EdgeStore

        init() throws { store = try EdgeStore(folder: path, installation: "i", location: "cdg") }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Brings all that the truth has and the copy has not.
        func follow(_ truth: SQLiteStore, pageBytes: Int = 1 << 20) throws {
            let position = try store.position()
            let continues = try position.map { try truth.continues(from: $0, isWhole: true) } ?? false
            try store.begin(epoch: try truth.feedPosition(of: nil).epoch, isFresh: !continues)
            try store.add(secretKeys: try truth.feedSecretKeys(of: nil), sealed: [])
            var cursor = FeedPage.Cursor(revision: continues ? position?.revision ?? 0 : 0)
            while true {
                let page = try truth.feedPage(after: cursor, of: nil, bytes: pageBytes)
                var blobs: [String: [UInt8]] = [:]
                while case let missing = try store.lacking(page.records, given: blobs), !missing.isEmpty {
                    for hash in missing { blobs[hash] = try truth.feedBlob(hash) }
                }
                try store.apply(
                    page.records, blobs: blobs, upTo: page.next == nil ? page.position : nil, mark: nil)
                guard let next = page.next else { return }
                cursor = next
            }
        }
    }

    private static func routes(_ feed: some RoutingFeed) throws -> Set<String> {
        Set(try feed.snapshot().items.map { "\($0)" })
    }

    private static func usage(_ script: ScriptKey, _ requests: Int64) -> Usage {
        var amounts = UsageAmounts()
        amounts.requests = requests
        return Usage(script: script, hour: 480_000, amounts: amounts)
    }

    /// Every kind of change there is, one after the other.
    private static func changes(_ fixture: Fixture) -> [() throws -> Void] {
        let store = fixture.store
        let account = fixture.account.id
        let zone = Zone(account: account, name: "example.com")
        let namespace = KVNamespace(title: "n")
        let large = [UInt8](repeating: 7, count: FeedRecord.inlineBytes + 1)
        let other = Account(name: "other", subdomain: "other")
        let location = Location(id: "nrt", key: [UInt8](repeating: 9, count: 32), accounts: nil)
        func certificate(_ id: String, _ chain: String) -> ZoneCertificate {
            ZoneCertificate(
                id: id, zone: zone.id, chain: chain, facts: CertificateFacts(names: ["example.com"], expiresOn: .now))
        }
        return [
            { try fixture.deploy("one", as: "a", secrets: ["S": "text"]) },
            {
                try store.update(fixture.key("a")) { script in
                    script.isOnSubdomain = true
                    script.cordon = "private"
                }
            },
            { _ = try store.replaceSchedules(of: fixture.key("a"), with: ["* * * * *"]) },
            { try store.add(zone) }, { try store.put(certificate("c1", "first"), key: "k1") },
            { try store.put(certificate("c2", "second"), key: "k2") },
            { try store.put(certificate("c1", "renewed"), key: "k3") },
            { try store.add(location, secret: "s") }, { try store.removeLocation("nrt") },
            { try store.deleteCertificate("c2", in: zone.id) },
            { try store.put(Route(pattern: "example.com/*", script: "a"), in: zone.id) },
            {
                _ = try store.put(
                    CustomDomain(
                        hostname: "www.example.com", zone: zone.id, zoneName: zone.name, script: fixture.key("a")))
            },
            { try store.add(namespace, to: account) },
            { try store.put([("k\u{0}1", KVEntry(value: [1], metadata: "{}", expiration: nil))], in: namespace.id) },
            { try store.put((0..<50).map { ("k\($0)", KVEntry(value: large)) }, in: namespace.id) },
            { try store.delete(["k1", "k2", "none"], in: namespace.id) },
            { try store.put([("gone", KVEntry(value: [2], metadata: nil, expiration: 1))], in: namespace.id) },
            { try store.put([("next", KVEntry(value: [3]))], in: namespace.id) },
            { try store.add(other) }, { try fixture.deploy("two", as: "a") }, { try fixture.deploy("three", as: "b") },
            { try store.deleteScript(fixture.key("a")) }, { try store.deleteZone(zone.id) },
            { try store.deleteNamespace(namespace.id, of: account) }, { try store.deleteAccount(other.id) },
        ]
    }

    @Test func aCopyFollowsEveryChange() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        let late = try Copy()
        for (index, change) in Self.changes(fixture).enumerated() {
            try change()
            try copy.follow(fixture.store)
            #expect(try Self.routes(copy.store) == Self.routes(fixture.store), "change \(index)")
            #expect(try copy.store.position() == fixture.store.feedPosition(of: nil), "change \(index)")
            #expect(try copy.store.keyedCertificates() == fixture.store.keyedCertificates(), "change \(index)")
            // One that begins now, and takes it in pieces, comes to the same.
            let fresh = try Copy()
            try fresh.follow(fixture.store, pageBytes: 1_000)
            #expect(try fresh.store.position() == copy.store.position(), "change \(index)")
            if index.isMultiple(of: 5) { try late.follow(fixture.store, pageBytes: 1_000) }
        }
        try late.follow(fixture.store)
        #expect(try late.store.position() == copy.store.position())
    }

    /// What a location has run is told until it is known, and noted once.
    @Test func runsOfSchedulesAreTold() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        try fixture.deploy("code", as: "a")
        _ = try fixture.store.replaceSchedules(of: fixture.key("a"), with: ["* * * * *", "0 0 * * *"])
        try fixture.deploy("code", as: "b")
        try copy.follow(fixture.store)
        func claim() throws -> [ScheduleRun] { try copy.store.claim(at: 600) { $0 == "* * * * *" } }
        let runs = try claim()
        #expect(runs == [ScheduleRun(script: fixture.key("a"), cron: "* * * * *", due: 600)])
        #expect(try claim() == [])
        #expect(try copy.store.endedRuns() == [])
        try copy.store.ended(runs[0], .ok)
        let ended = try copy.store.endedRuns()
        #expect(ended == [EndedRun(run: runs[0], outcome: .ok)])
        for _ in 0..<2 { try fixture.store.add(ended) }
        #expect(try fixture.store.schedules(of: fixture.key("a")).map { $0.lastRun?.outcome } == ["ok", nil])
        #expect(try fixture.store.claim(at: 600) { $0 == "* * * * *" } == [])
        try copy.store.areKnown(ended)
        #expect(try copy.store.endedRuns() == [])
    }

    @Test func versionsAndKeysAreWhatTheyWere() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        let version = try fixture.deploy("code", as: "a", secrets: ["S": "the secret"])
        let namespace = KVNamespace(title: "n")
        try fixture.store.add(namespace, to: fixture.account.id)
        let keys = ["a", "a/b", "a\u{0}c", "é", "b"]
        for key in keys {
            try fixture.store.put([(key, KVEntry(value: Array(key.utf8), metadata: "\"m\""))], in: namespace.id)
        }
        try copy.follow(fixture.store)
        let worker = try copy.store.definition(ofVersion: version.id, script: fixture.key("a"))
        #expect(worker.secrets == ["S": "the secret"])
        #expect(worker.files.map(\.bytes) == [Array("code".utf8)])
        for key in keys {
            #expect(try copy.store.entry(key, in: namespace.id) == fixture.store.entry(key, in: namespace.id))
        }
        for (prefix, after) in [("", nil), ("a", nil), ("a", "a"), ("", "a/b")] as [(String, String?)] {
            #expect(
                try copy.store.keys(in: namespace.id, prefix: prefix, after: after, limit: 2)
                    == fixture.store.keys(in: namespace.id, prefix: prefix, after: after, limit: 2))
        }
        // Nothing of the secret is to be read in the file.
        for name in ["edge.sqlite", "edge.sqlite-wal"] {
            let data = (try? Data(contentsOf: URL(filePath: "\(copy.path)/\(name)"))) ?? Data()
            #expect(data.range(of: Data("the secret".utf8)) == nil)
        }
    }

    @Test func whatComesTwiceOrLateChangesNothing() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        try fixture.deploy("one", as: "a")
        let old = try fixture.store.feedPage(after: .init(revision: 0), of: nil, bytes: 1 << 20)
        try copy.follow(fixture.store)
        try fixture.deploy("two", as: "a")
        try copy.follow(fixture.store)
        let position = try copy.store.position()
        let routes = try Self.routes(copy.store)
        try copy.store.apply(old.records, blobs: [:], upTo: position, mark: nil)
        #expect(try copy.store.position() == position)
        #expect(try Self.routes(copy.store) == routes)
    }

    @Test func aCopyThatDiffersIsToldAndKept() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        try fixture.deploy("one", as: "a")
        try copy.follow(fixture.store)
        let routes = try Self.routes(copy.store)
        var position = try #require(try copy.store.position())
        position.revision += 1
        position.digest += FeedDigest([UInt8](repeating: 1, count: 32))
        let error = try #require(throws: FeedError.self) {
            try copy.store.apply([], blobs: [:], upTo: position, mark: nil)
        }
        #expect(error.kind == .diverged)
        #expect(try Self.routes(copy.store) == routes)
    }

    @Test func historiesAreToldApart() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        try fixture.deploy("one", as: "a")
        try copy.follow(fixture.store)
        let backup = fixture.path + "-backup"
        defer { try? FileManager.default.removeItem(atPath: backup) }
        try fixture.reopen { try FileManager.default.copyItem(atPath: $0, toPath: backup) }
        try fixture.deploy("two", as: "a")
        try fixture.deploy("lost", as: "b")
        try copy.follow(fixture.store)
        #expect(try Self.routes(copy.store).count == 3)
        try fixture.reopen { path in
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: backup, toPath: path)
        }
        let position = try #require(try copy.store.position())
        #expect(try !fixture.store.continues(from: position, isWhole: true))
        // Also when it has come as far as it was, on another way.
        while try fixture.store.feedPosition(of: nil).revision < position.revision + 3 {
            try fixture.deploy("three", as: "c")
        }
        #expect(try !fixture.store.continues(from: position, isWhole: true))
        let before = try copy.store.snapshot().revision
        try copy.follow(fixture.store)
        #expect(try Self.routes(copy.store) == Self.routes(fixture.store))
        // The data plane must forget what was lost: changes are not enough for that.
        #expect(try copy.store.changes(after: before) == nil)
    }

    @Test func aCopyThatIsMadeAnewIsServedUntilItIsWhole() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        try fixture.deploy("one", as: "a")
        try copy.follow(fixture.store)
        let routes = try Self.routes(copy.store)
        try copy.store.begin(epoch: "another", isFresh: true)
        let record = FeedRecord(key: FeedKey(.namespace, "x"), account: "y", revision: 1, body: .value([]))
        try copy.store.apply([record], blobs: [:], upTo: nil, mark: nil)
        #expect(try Self.routes(copy.store) == routes)
        // It was never finished; what was served goes on from where it was.
        try fixture.deploy("two", as: "a")
        try copy.follow(fixture.store)
        #expect(try copy.store.position() == fixture.store.feedPosition(of: nil))
    }

    @Test func useIsCountedOnceHoweverOftenItIsTold() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        let key = fixture.key("a")
        func counted() throws -> Int64 {
            try fixture.store.usage(of: fixture.account.id, hours: 480_000..<480_001).reduce(0) {
                $0 + $1.amounts.requests
            }
        }
        func tell() throws -> UsageBatch? {
            guard let batch = try copy.store.unsentUsage() else { return nil }
            try fixture.store.addUsage(batch.readings, of: "cdg/\(batch.instance)", batch: batch.number)
            return batch
        }
        #expect(try copy.store.unsentUsage() == nil)
        try copy.store.add([Self.usage(key, 3)], batch: "1")
        try copy.store.add([Self.usage(key, 3)], batch: "1")
        let first = try #require(try tell())
        // The answer was lost, and more is used meanwhile.
        try copy.store.add([Self.usage(key, 4)], batch: "2")
        let again = try #require(try tell())
        #expect(again.number == first.number)
        #expect(try counted() == 3)
        try copy.store.usageIsCounted(again)
        let last = try #require(try tell())
        try copy.store.usageIsCounted(last)
        #expect(try counted() == 7)
        #expect(try copy.store.unsentUsage() == nil)
    }

    @Test func secretsGetANewKeyWhenALocationGoes() throws {
        let fixture = try Fixture()
        let copy = try Copy()
        let location = Location(id: "nrt", key: [UInt8](repeating: 1, count: 32), accounts: nil)
        try fixture.store.add(location, secret: "token")
        #expect(try fixture.store.location(forSecret: "token") == location)
        #expect(throws: StoreError.self) { try fixture.store.add(location, secret: "other") }
        let version = try fixture.deploy("code", as: "a", secrets: ["S": "text"])
        try copy.follow(fixture.store)
        let old = try fixture.store.feedSecretKeys(of: nil)
        try fixture.store.removeLocation("nrt")
        #expect(try fixture.store.feedSecretKeys(of: nil) != old)
        #expect(try fixture.store.location(forSecret: "token") == nil)
        try copy.follow(fixture.store)
        let worker = try copy.store.definition(ofVersion: version.id, script: fixture.key("a"))
        #expect(worker.secrets == ["S": "text"])
        #expect(throws: StoreError.self) { try fixture.store.removeLocation("nrt") }
    }

    @Test func aFolderIsOneLocations() throws {
        let copy = try Copy()
        for (installation, location) in [("i", "nrt"), ("other", "cdg")] {
            let error = try #require(throws: StoreError.self) {
                try EdgeStore(folder: copy.path + "x", installation: "i", location: "cdg")
                    .begin(epoch: "e", isFresh: false)
                _ = try EdgeStore(folder: copy.path + "x", installation: installation, location: location)
            }
            #expect(error.kind == .unusable)
        }
        try? FileManager.default.removeItem(atPath: copy.path + "x")
        #expect(throws: StoreError.self) { try EdgeStore(folder: copy.path, installation: "i", location: "cdg") }
    }
}
