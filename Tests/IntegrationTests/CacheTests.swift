import Foundation
import Testing

/// The caches of the real process: what is left when it is killed, and who may share a folder.
@Suite("Caches") struct CacheTests {
    private static let worker = """
        export default {
            async fetch(request) {
                const { pathname } = new URL(request.url);
                const key = `http://cache.example${pathname}`;
                if (request.method === "PUT") {
                    await caches.default.put(key, new Response(request.body));
                    return new Response("stored");
                }
                return await caches.default.match(key) ?? new Response("nothing");
            },
        };
        """

    @Test func whatIsStoredOutlivesAProcessThatIsKilled() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.worker)
        let flags = ["--cache-dir", "\(folder.path)/cache"]
        let body = [UInt8](repeating: 65, count: 300_000)
        do {
            let martlet = try Martlet.dev("\(folder.path)/index.js", flags)
            let client = try martlet.client()
            try client.send("PUT", "/a", body: body)
            #expect(try client.answer(by: .patient).text == "stored")
            let other = try Martlet(["dev", "\(folder.path)/index.js", "--port", "0"] + flags)
            #expect(try other.exitCode() == 1)
            #expect(other.rest().log.contains { $0.contains("another process uses this cache") })
            kill(martlet.id, SIGKILL)
            _ = try martlet.exitCode()
        }
        let martlet = try Martlet.dev("\(folder.path)/index.js", flags)
        let answer = try martlet.client().get("/a", by: .patient)
        #expect(answer.body == body)
        #expect(answer.values(of: "cf-cache-status") == ["HIT"])
        #expect(try martlet.client().get("/b", by: .patient).text == "nothing")
    }

    @Test func withoutAFolderItEndsWithTheProcess() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.worker)
        let martlet = try Martlet.dev("\(folder.path)/index.js")
        let client = try martlet.client()
        try client.send("PUT", "/a", body: Array("text".utf8))
        #expect(try client.answer(by: .patient).text == "stored")
        func own() throws -> [String] {
            let prefix = "martlet-cache-\(martlet.id)."
            return try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory()).filter {
                $0.hasPrefix(prefix)
            }
        }
        #expect(try own().count == 1)
        client.close()
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        #expect(try own().isEmpty)
    }

    /// What one account's Workers store is not there for another's, be it under the same URL.
    @Test func accountsShareNothing() throws {
        let platform = try Platform()
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(other)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        for account in [platform.account, other] { try platform.deploy(Self.worker, as: "hello", account: account) }
        func ask(_ method: String, _ subdomain: String, body: String? = nil) throws -> String {
            let client = try platform.martlet.client("hello.\(subdomain).localhost")
            try client.send(method, "/a", body: body.map { Array($0.utf8) })
            return try client.answer(by: .patient).text
        }
        #expect(try ask("PUT", "main", body: "of the first") == "stored")
        #expect(try ask("GET", "other") == "nothing")
        #expect(try ask("PUT", "other", body: "of the other") == "stored")
        try platform.killAndStart()
        #expect(try ask("GET", "main") == "of the first")
        #expect(try ask("GET", "other") == "of the other")
    }
}
