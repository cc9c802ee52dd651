import Foundation
import Model
import Store
import Testing

@Suite struct AssetStoreTests {
    private static let hash = String(repeating: "a", count: 32)

    /// Uploads a file and deploys it as the only asset of an assets-only script.
    private static func deploy(_ text: String, hash: String, as name: String, _ fixture: Fixture) throws {
        let store = fixture.store
        try store.addUploads([(hash, Array(text.utf8), "text/plain")], of: fixture.account.id)
        let upload = try #require(try store.uploads([hash], of: fixture.account.id)[hash])
        let set = AssetSet(files: [
            "/f": AssetFile(hash: hash, blob: upload.blob, size: upload.size, contentType: upload.contentType)
        ])
        let key = fixture.key(name)
        let draft = VersionDraft(
            version: ScriptVersion(source: "api", author: "", syntax: .modules), files: [], secrets: [:],
            base: try store.script(key)?.latestVersion, assets: set)
        let version = try store.add(draft, to: key, deploying: Deployment(source: "api", author: "", shares: []))
        #expect(version.assets?.count == 1)
        #expect(try store.definition(ofVersion: version.id, script: key).assets == set)
    }

    @Test func contentGoesWithTheLastVersionThatHasIt() throws {
        let fixture = try Fixture()
        try Self.deploy("content", hash: Self.hash, as: "one", fixture)
        try Self.deploy("content", hash: Self.hash, as: "two", fixture)
        try fixture.store.deleteScript(fixture.key("one"))
        #expect(try fixture.holds("content"))
        // The upload itself holds it for a day.
        try fixture.store.deleteScript(fixture.key("two"))
        #expect(try fixture.holds("content"))
        try fixture.store.dropUploads(before: Timestamp(milliseconds: Timestamp.now.milliseconds + 1))
        #expect(try !fixture.holds("content"))
        #expect(try fixture.store.uploads([Self.hash], of: fixture.account.id).isEmpty)
    }

    @Test func uploadsInUseStay() throws {
        let fixture = try Fixture()
        try Self.deploy("content", hash: Self.hash, as: "one", fixture)
        try fixture.store.dropUploads(before: Timestamp(milliseconds: Timestamp.now.milliseconds + 1))
        #expect(try fixture.store.uploads([Self.hash], of: fixture.account.id).count == 1)
        let version = try #require(try fixture.store.versions(of: fixture.key("one")).first)
        #expect(try fixture.store.assets(of: version)?.files["/f"]?.hash == Self.hash)
    }

    @Test func versionsBeyondThoseThatAreKeptLetGo() throws {
        let fixture = try Fixture()
        for number in 0...versionsKept {
            let hash = String(repeating: "0", count: 32 - String(number).count) + String(number)
            try Self.deploy("content \(number) end", hash: hash, as: "one", fixture)
        }
        try fixture.store.dropUploads(before: Timestamp(milliseconds: Timestamp.now.milliseconds + 1))
        #expect(try !fixture.holds("content 0 end"))
        #expect(try fixture.holds("content 1 end"))
    }

    @Test func oneHashIsOneContent() throws {
        let fixture = try Fixture()
        let other = Account(name: "second")
        try fixture.store.add(other)
        try fixture.store.addUploads([(Self.hash, Array("one".utf8), nil)], of: fixture.account.id)
        #expect(throws: StoreError.self) {
            try fixture.store.addUploads([(Self.hash, Array("two".utf8), nil)], of: fixture.account.id)
        }
        // Another account's is its own business.
        #expect(try fixture.store.uploads([Self.hash], of: other.id).isEmpty)
        try fixture.store.addUploads([(Self.hash, Array("two".utf8), nil)], of: other.id)
        try fixture.store.deleteAccount(other.id)
        #expect(try !fixture.holds("two"))
        #expect(try fixture.holds("one"))
    }

    @Test func damagedContentIsNotServed() throws {
        let fixture = try Fixture()
        try fixture.store.addUploads([(Self.hash, Array("content".utf8), nil)], of: fixture.account.id)
        let blob = try #require(try fixture.store.uploads([Self.hash], of: fixture.account.id)[Self.hash]).blob
        #expect(try fixture.store.assetBytes(blob, from: 3, count: 4) == Array("tent".utf8))
        let file = try #require(fixture.blobs.first { $0.hasSuffix(blob) })
        try fixture.reopen { _ in try Data("CONTENT".utf8).write(to: URL(filePath: file)) }
        #expect(throws: StoreError.self) { _ = try fixture.store.assetBytes(blob, from: 3, count: 4) }
    }

    @Test func sessionsEnd() throws {
        let fixture = try Fixture()
        let manifest = ["/f": AssetSession.Entry(hash: Self.hash, size: 1)]
        let session = AssetSession(script: fixture.key("one"), manifest: manifest)
        try fixture.store.addSession(session)
        #expect(try fixture.store.session(session.id)?.manifest == manifest)
        let old = Timestamp(milliseconds: Timestamp.now.milliseconds - (AssetSession.lifetime + 1) * 1_000)
        let past = AssetSession(script: fixture.key("one"), manifest: manifest, createdOn: old)
        try fixture.store.addSession(past)
        #expect(try fixture.store.session(past.id) == nil)
        let key = fixture.store.sessionKey()
        try fixture.reopen()
        #expect(fixture.store.sessionKey() == key)
        for _ in 0..<60 { try fixture.store.addSession(AssetSession(script: fixture.key("one"), manifest: manifest)) }
        #expect(try fixture.store.session(session.id) == nil)
    }

    /// A list of many small files is larger than they are.
    @Test func listsOfFilesCount() throws {
        let fixture = try Fixture()
        func used() throws -> Int { try fixture.store.storedAmounts(of: fixture.account.id).assetBytes }
        try Self.deploy("content", hash: Self.hash, as: "one", fixture)
        let one = try used() - 7
        #expect(one > 100)
        try fixture.store.deleteScript(fixture.key("one"))
        #expect(try used() == 7)
        try fixture.store.updateAccount(fixture.account.id) { $0.limits.assetBytes = 7 + one / 2 }
        #expect(throws: StoreError.self) { try Self.deploy("content", hash: Self.hash, as: "two", fixture) }
        #expect(try fixture.store.script(fixture.key("two")) == nil)
    }

    @Test func manifestsHaveRoomForSoMuch() throws {
        let fixture = try Fixture()
        let name = String(repeating: "x", count: 2_000)
        let entries = (0..<4_000).map { ("/\($0)\(name)", AssetSession.Entry(hash: Self.hash, size: 1)) }
        let manifest = Dictionary(entries) { first, _ in first }
        let sessions = (0..<6).map { _ in AssetSession(script: fixture.key("one"), manifest: manifest) }
        for session in sessions { try fixture.store.addSession(session) }
        // 8 MB each, and 32 MiB at most.
        #expect(try fixture.store.session(sessions[0].id) == nil)
        #expect(try fixture.store.session(sessions[3].id) != nil)
        #expect(try fixture.store.session(sessions[5].id) != nil)
    }

    /// Asking changes nothing, as long as what was asked for is young.
    @Test func askingIsReading() throws {
        let fixture = try Fixture()
        try fixture.store.addUploads([(Self.hash, Array("one".utf8), nil)], of: fixture.account.id)
        let revision = try fixture.store.snapshot().revision
        #expect(try fixture.store.uploads([Self.hash], of: fixture.account.id).count == 1)
        #expect(try fixture.store.snapshot().revision == revision)
        let old = Timestamp.now.milliseconds - 7_200_000
        try fixture.execute("UPDATE asset_uploads SET used_on = \(old)")
        #expect(try fixture.store.uploads([Self.hash], of: fixture.account.id).count == 1)
        try fixture.store.dropUploads(before: Timestamp(milliseconds: old + 1))
        #expect(try fixture.store.uploads([Self.hash], of: fixture.account.id).count == 1)
    }
}
