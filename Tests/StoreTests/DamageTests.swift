import Foundation
import GRDB
import Model
import Store
import Testing

@Suite struct DamageTests {
    @Test func aSecondOpenerIsRefused() throws {
        let fixture = try Fixture()
        let error = try #require(throws: StoreError.self) { try SQLiteStore(folder: fixture.path) }
        #expect(error.kind == .locked)
        #expect(error.message.contains(fixture.path))
        #expect(error.message.contains("process \(getpid())"))
    }

    @Test func aDamagedBlobIsNamed() throws {
        let fixture = try Fixture()
        let version = try fixture.deploy("the code", as: "hello")
        try Fixture.damage(try #require(fixture.blobs.first), at: "the code")
        let error = try #require(throws: StoreError.self) { try fixture.store.files(of: version) }
        #expect(error.kind == .damaged)
        #expect(error.message.contains(version.modules[0].hash))
    }

    @Test func aLostBlobIsNamedAndCanBeUploadedAgain() throws {
        let fixture = try Fixture()
        let version = try fixture.deploy("the code", as: "hello")
        try FileManager.default.removeItem(atPath: try #require(fixture.blobs.first))
        let error = try #require(throws: StoreError.self) { try fixture.store.files(of: version) }
        #expect(error.kind == .damaged)
        try fixture.deploy("the code", as: "hello")
        #expect(try fixture.store.files(of: version).count == 1)
    }

    @Test func aDamagedValueIsNamed() throws {
        let fixture = try Fixture()
        let namespace = KVNamespace(title: "t")
        try fixture.store.add(namespace, to: fixture.account.id)
        try fixture.store.put([("k", KVEntry(value: Array("some-value-to-find".utf8)))], in: namespace.id)
        try fixture.reopen { try Fixture.damage("\($0)/martlet.sqlite", at: "some-value-to-find") }
        let error = try #require(throws: StoreError.self) { try fixture.store.entry("k", in: namespace.id) }
        #expect(error.kind == .damaged)
        #expect(error.message.contains("'k'"))
    }

    @Test func aDamagedVersionIsNamed() throws {
        let fixture = try Fixture()
        let version = try fixture.deploy("x", as: "hello", bindings: [Binding(name: "to-find", type: "plain_text")])
        try fixture.reopen { try Fixture.damage("\($0)/martlet.sqlite", at: "to-find") }
        let error = try #require(throws: StoreError.self) {
            try fixture.store.version(version.id, of: fixture.key("hello"))
        }
        #expect(error.kind == .damaged)
        #expect(error.message.contains(version.id))
    }

    @Test func aDamagedDatabaseIsRefused() throws {
        let fixture = try Fixture()
        for number in 0..<50 { try fixture.deploy("\(number)", as: "script-\(number)") }
        let error = try #require(throws: StoreError.self) {
            try fixture.reopen { path in
                let file = "\(path)/martlet.sqlite"
                var data = try Data(contentsOf: URL(filePath: file))
                for index in stride(from: 4_096, to: data.count, by: 4_096) {
                    data.replaceSubrange(index..<(index + 64), with: Data(repeating: 0xa5, count: 64))
                }
                try data.write(to: URL(filePath: file))
            }
        }
        #expect(error.kind == .damaged)
        #expect(error.message.contains("martlet.sqlite is damaged"))
    }

    @Test func somethingElseInItsPlaceIsRefused() throws {
        let fixture = try Fixture()
        let error = try #require(throws: StoreError.self) {
            try fixture.reopen { path in
                try Data("no database at all, but long enough to look at".utf8)
                    .write(to: URL(filePath: "\(path)/martlet.sqlite"))
            }
        }
        #expect(error.kind == .damaged)
    }

    @Test func anotherKeyIsRefused() throws {
        let fixture = try Fixture()
        let error = try #require(throws: StoreError.self) {
            try fixture.reopen { path in
                try Data((String(repeating: "ab", count: 32) + "\n").utf8)
                    .write(to: URL(filePath: "\(path)/secret.key"))
            }
        }
        #expect(error.kind == .unusable)
    }

    @Test func aLostKeyIsNotMadeAnew() throws {
        let fixture = try Fixture()
        let error = try #require(throws: StoreError.self) {
            try fixture.reopen { try FileManager.default.removeItem(atPath: "\($0)/secret.key") }
        }
        #expect(error.kind == .unusable)
        #expect(error.message.contains("secret.key"))
    }

    @Test func aGivenKeyLeavesNoFile() throws {
        let path = NSTemporaryDirectory() + "/martlet-store-\(Identifier.hex())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let key = try #require(StoreKey.parse(String(repeating: "0f", count: 32)))
        _ = try SQLiteStore(folder: path, key: key)
        #expect(!FileManager.default.fileExists(atPath: "\(path)/secret.key"))
        let other = [UInt8](repeating: 1, count: 32)
        #expect(throws: StoreError.self) { try SQLiteStore(folder: path, key: other) }
    }

    @Test(arguments: ["", "xyz", String(repeating: "0", count: 63), String(repeating: "g", count: 64)])
    func badKeysAreNone(_ text: String) {
        #expect(StoreKey.parse(text) == nil)
    }

    /// What failed of the disk is for the operator's log.
    @Test func errorsNameTheirCode() {
        let error = DatabaseError(resultCode: .SQLITE_IOERR_FSYNC, message: "disk I/O error")
        #expect(SQLiteStore.storeError(error, doing: "writing").message.contains("1034"))
    }
}
