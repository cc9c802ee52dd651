import Cache
import Foundation
import Model
import Synchronization
import Testing

/// The store by itself: budgets, accounts, what is left of a process that was killed.
@Suite struct DiskCacheTests {
    /// A folder that goes with the test.
    final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "/martlet-cache-test-" + UUID().uuidString
        deinit { try? FileManager.default.removeItem(atPath: path) }
        var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    }

    private static func settings(_ folder: Folder?, budget: Int = 1 << 20, entry: Int = 1 << 20) -> CacheSettings {
        var settings = CacheSettings()
        settings.folder = folder?.path
        settings.budgetBytes = budget
        settings.entryBytes = entry
        return settings
    }

    /// What came of an operation.
    struct Answer {
        var reason = ""
        var body: [UInt8] = []
        var isWhole = false
    }

    private func run(_ cache: DiskCache, _ request: CacheRequest) -> Answer {
        let answer = Mutex(Answer())
        let ended = DispatchSemaphore(value: 0)
        let exchange = Mutex<(any EgressExchange)?>(nil)
        exchange.withLock {
            $0 = cache.begin(request) { events in
                for event in events {
                    switch event {
                    case .head(let head): answer.withLock { $0.reason = head.reason }
                    case .body(let bytes):
                        answer.withLock { $0.body += bytes }
                        exchange.withLock { $0?.consumed(bytes.count) }
                    case .end: answer.withLock { $0.isWhole = true }
                    default: break
                    }
                    if event.isFinal { ended.signal() }
                }
            }
        }
        ended.wait()
        return answer.withLock { $0 }
    }

    private func put(
        _ cache: DiskCache, _ path: String, _ body: [UInt8], account: String = "", fields: [(String, String)] = []
    ) -> String {
        let fields = fields.map { CacheRequest.Field(name: $0.0, value: $0.1) }
        let response = CacheRequest.CachedResponse(status: 200, reason: "OK", vary: [])
        return run(
            cache,
            CacheRequest(
                account: account, cache: nil, url: "http://a.example/\(path)", fields: fields,
                operation: .put(response, .bytes(body)))
        ).reason
    }

    private func match(_ cache: DiskCache, _ path: String, account: String = "", name: String? = nil) -> Answer {
        run(
            cache,
            CacheRequest(
                account: account, cache: name, url: "http://a.example/\(path)", fields: [], operation: .match))
    }

    @Test func accountsAndCachesShareNothing() throws {
        let cache = try DiskCache(Self.settings(nil))
        defer { cache.close() }
        #expect(put(cache, "x", [1, 2], account: "one") == "stored")
        #expect(match(cache, "x", account: "one").body == [1, 2])
        #expect(match(cache, "x", account: "two").reason == "miss")
        #expect(match(cache, "x", account: "one", name: "named").reason == "miss")
    }

    @Test func largeBodiesComeInPiecesAndWhole() throws {
        let cache = try DiskCache(Self.settings(nil, budget: 8 << 20, entry: 4 << 20))
        defer { cache.close() }
        let body = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(put(cache, "x", body) == "stored")
        let answer = match(cache, "x")
        #expect(answer.isWhole && answer.body == body)
    }

    @Test func theLeastRecentlyUsedGoFirst() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100_000))
        let body = [UInt8](repeating: 7, count: 20_000)
        for path in ["a", "b", "c", "d"] { #expect(put(cache, path, body) == "stored") }
        #expect(match(cache, "a").reason == "hit OK")
        #expect(put(cache, "e", body) == "stored")
        #expect(
            ["a", "b", "c", "d", "e"].map { match(cache, $0).reason } == [
                "hit OK", "miss", "hit OK", "hit OK", "hit OK",
            ])
        #expect(folder.files.count { $0.hasSuffix(".entry") } == 4)
    }

    @Test func whatIsTooLargeIsRefusedAndLeavesNothing() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100_000, entry: 1_000))
        #expect(put(cache, "x", [UInt8](repeating: 0, count: 1_001)) == "refused")
        #expect(put(cache, "x", [UInt8](repeating: 0, count: 1_000)) == "stored")
        #expect(match(cache, "x").body.count == 1_000)
        let upload = Upload(cache, "s")
        for _ in 0..<3 { upload.exchange.send([UInt8](repeating: 0, count: 500)) }
        #expect(upload.answer == "refused")
        #expect(folder.files.count { $0.hasSuffix(".part") } == 0)
    }

    /// A body that comes in pieces.
    private final class Upload: Sendable {
        private final class Head: Sendable { let reason = Mutex("") }

        let exchange: any EgressExchange
        private let head: Head
        private let ended: DispatchSemaphore

        init(_ cache: DiskCache, _ path: String, account: String = "") {
            let head = Head()
            let ended = DispatchSemaphore(value: 0)
            exchange = cache.begin(
                CacheRequest(
                    account: account, cache: nil, url: "http://a.example/\(path)", fields: [],
                    operation: .put(
                        CacheRequest.CachedResponse(status: 200, reason: "OK", vary: []), .stream(length: nil)))
            ) { events in
                for case .head(let answer) in events { head.reason.withLock { $0 = answer.reason } }
                if events.contains(where: \.isFinal) { ended.signal() }
            }
            self.head = head
            self.ended = ended
        }

        /// How it ended.
        var answer: String {
            ended.wait()
            return head.reason.withLock { $0 }
        }
    }

    @Test func whoHasMostMakesRoom() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100_000))
        defer { cache.close() }
        let body = [UInt8](repeating: 7, count: 10_000)
        for path in ["a", "b"] { #expect(put(cache, path, body, account: "small") == "stored") }
        for index in 0..<50 { #expect(put(cache, "\(index)", body, account: "large") == "stored") }
        #expect(["a", "b"].map { match(cache, $0, account: "small").reason } == ["hit OK", "hit OK"])
        #expect(match(cache, "49", account: "large").reason == "hit OK")
        #expect(folder.files.count { $0.hasSuffix(".entry") } == 8)
    }

    @Test func whatIsBeingWrittenCounts() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100_000))
        defer { cache.close() }
        let uploads = (0..<5).map { Upload(cache, "\($0)", account: "large") }
        for upload in uploads { upload.exchange.send([UInt8](repeating: 7, count: 19_500)) }
        // Room for this is made by one of the five, which is the only one to end.
        #expect(put(cache, "x", [UInt8](repeating: 7, count: 10_000), account: "small") == "stored")
        #expect(match(cache, "x", account: "small").reason == "hit OK")
        #expect(folder.files.count { $0.hasSuffix(".part") } == 4)
        for upload in uploads { upload.exchange.finishSending() }
        #expect(uploads.map(\.answer).sorted() == ["refused", "stored", "stored", "stored", "stored"])
        // One that is given up holds nothing any more.
        let left = Upload(cache, "left")
        left.exchange.send([UInt8](repeating: 7, count: 90_000))
        left.exchange.cancel()
        #expect(put(cache, "y", [UInt8](repeating: 7, count: 10_000)) == "stored")
        #expect(folder.files.count { $0.hasSuffix(".part") } == 0)
    }

    @Test func smallEntriesCountAsBlocks() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100 * 4_096))
        defer { cache.close() }
        for index in 0..<300 { #expect(put(cache, "\(index)", [1]) == "stored") }
        #expect(folder.files.count { $0.hasSuffix(".entry") } <= 100)
    }

    @Test func variantsOfOneURLAreFew() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder))
        defer { cache.close() }
        func language(_ index: Int) -> CacheRequest.Field {
            CacheRequest.Field(name: "accept-language", value: "\(index)")
        }
        for index in 0..<100 {
            let response = CacheRequest.CachedResponse(status: 200, reason: "OK", vary: [language(index)])
            let request = CacheRequest(
                account: "", cache: nil, url: "http://a.example/v", fields: [], operation: .put(response, .bytes([1])))
            #expect(run(cache, request).reason == "stored")
        }
        func reason(_ index: Int) -> String {
            let request = CacheRequest(
                account: "", cache: nil, url: "http://a.example/v", fields: [language(index)], operation: .match)
            return run(cache, request).reason
        }
        #expect(folder.files.count { $0.hasSuffix(".entry") } == 64)
        #expect([0, 35, 36, 99].map(reason) == ["miss", "miss", "hit OK", "hit OK"])
    }

    @Test func aFileThatIsGoneIsAMissAndItsRoomIsFree() throws {
        let folder = Folder()
        let cache = try DiskCache(Self.settings(folder, budget: 100_000))
        defer { cache.close() }
        let body = [UInt8](repeating: 7, count: 60_000)
        #expect(put(cache, "x", body) == "stored")
        for name in folder.files where name.hasSuffix(".entry") {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        #expect(match(cache, "x").reason == "miss")
        #expect(put(cache, "y", [1]) == "stored")
        #expect(put(cache, "x", body) == "stored")
        #expect(match(cache, "y").reason == "hit OK")
    }

    @Test func anotherProcessGoesOnWithTheFolder() throws {
        let folder = Folder()
        do {
            let cache = try DiskCache(Self.settings(folder))
            #expect(put(cache, "kept", [1, 2, 3]) == "stored")
            #expect(put(cache, "cut", [4, 5, 6]) == "stored")
            #expect(throws: CacheError.self) { try DiskCache(Self.settings(folder)) }
            cache.close()
        }
        // A process that is killed leaves a file half written; a disk that fails, one that is cut short.
        try Data([1]).write(to: URL(filePath: "\(folder.path)/1-1.part"))
        for name in folder.files where name.hasSuffix(".entry") {
            let path = "\(folder.path)/\(name)"
            let data = try Data(contentsOf: URL(filePath: path))
            if data.suffix(3) == Data([4, 5, 6]) { try data.dropLast().write(to: URL(filePath: path)) }
        }
        let cache = try DiskCache(Self.settings(folder))
        #expect(match(cache, "kept").body == [1, 2, 3])
        #expect(match(cache, "cut").reason == "miss")
        #expect(folder.files.count { $0.hasSuffix(".part") } == 0)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 2094 08:49:37 GMT", true), ("Sunday, 06-Nov-60 08:49:37 GMT", true),
        ("Sun Nov  6 08:49:37 2094", true), ("Sun, 06 Nov 1994 08:49:37 GMT", false), ("0", false), ("tomorrow", false),
    ])
    func expiryInEveryForm(_ date: String, _ isKept: Bool) throws {
        let cache = try DiskCache(Self.settings(nil))
        defer { cache.close() }
        #expect(put(cache, "x", [1], fields: [("expires", date)]) == (isKept ? "stored" : "refused"))
    }
}
