import Model
import Store
import Testing

@Suite struct KVStoreTests {
    private static func namespace(_ fixture: Fixture) throws -> String {
        let namespace = KVNamespace(title: "t")
        try fixture.store.add(namespace, to: fixture.account.id)
        return namespace.id
    }

    private static func entry(_ text: String, expiration: Int64? = nil) -> KVEntry {
        KVEntry(value: Array(text.utf8), metadata: #"{"m":1}"#, expiration: expiration)
    }

    @Test func valuesComeBack() throws {
        let fixture = try Fixture()
        let id = try Self.namespace(fixture)
        let future = Timestamp.now.seconds + 1_000
        try fixture.store.put([("a/b ü", Self.entry("one", expiration: future)), ("", Self.entry(""))], in: id)
        #expect(try fixture.store.entry("a/b ü", in: id) == Self.entry("one", expiration: future))
        try fixture.store.put([("a/b ü", KVEntry(value: [0, 255]))], in: id)
        #expect(try fixture.store.entry("a/b ü", in: id) == KVEntry(value: [0, 255]))
        try fixture.store.delete(["a/b ü", "none"], in: id)
        #expect(try fixture.store.entry("a/b ü", in: id) == nil)
        #expect(throws: StoreError.self) { try fixture.store.put([("a", Self.entry(""))], in: "none") }
    }

    @Test func whatHasExpiredIsGone() throws {
        let fixture = try Fixture()
        let id = try Self.namespace(fixture)
        try fixture.store.put([("old", Self.entry("x", expiration: Timestamp.now.seconds))], in: id)
        #expect(try fixture.store.entry("old", in: id) == nil)
        #expect(try fixture.store.keys(in: id, prefix: "", after: nil, limit: 10).keys.isEmpty)
    }

    @Test func listsGoByPages() throws {
        let fixture = try Fixture()
        let id = try Self.namespace(fixture)
        let names = ["a", "b1", "b2", "b3", "bü", "c", "\u{1F600}", "%", "_"]
        try fixture.store.put(names.map { ($0, Self.entry("v")) }, in: id)
        func pages(_ prefix: String, _ limit: Int) throws -> [[String]] {
            var pages: [[String]] = []
            while true {
                let last = pages.last?.last
                let page = try fixture.store.keys(in: id, prefix: prefix, after: last, limit: limit)
                pages.append(page.keys.map(\.name))
                if page.isLast { return pages }
            }
        }
        #expect(try pages("b", 2) == [["b1", "b2"], ["b3", "bü"]])
        #expect(try pages("", 100) == [["%", "_", "a", "b1", "b2", "b3", "bü", "c", "\u{1F600}"]])
        #expect(try pages("%", 1) == [["%"]])
        #expect(try pages("none", 1) == [[]])
        let key = try #require(try fixture.store.keys(in: id, prefix: "a", after: nil, limit: 1).keys.first)
        #expect(key.metadata == #"{"m":1}"#)
    }

    @Test func titlesAreUnique() throws {
        let fixture = try Fixture()
        let id = try Self.namespace(fixture)
        #expect(throws: StoreError.self) { try fixture.store.add(KVNamespace(title: "t"), to: fixture.account.id) }
        try fixture.store.rename(KVNamespace(id: id, title: "u"), of: fixture.account.id)
        #expect(try fixture.store.namespace(id, of: fixture.account.id)?.title == "u")
        #expect(try fixture.store.namespace(id, of: "other") == nil)
        #expect(throws: StoreError.self) { try fixture.store.deleteNamespace(id, of: "other") }
        try fixture.store.deleteNamespace(id, of: fixture.account.id)
        #expect(try fixture.store.namespaces(of: fixture.account.id).isEmpty)
    }
}
