import Testing

/// What accounts may have and use, and what becomes of those who want more.
@Suite("Limits of accounts") struct QuotaTests {
    private static func limit(_ platform: Platform, _ json: String) throws {
        try platform.done("PATCH", "/accounts/{A}/limits", json: json)
    }

    @Test func storageHasAnEnd() throws {
        let platform = try Platform()
        try Self.limit(platform, #"{"scripts":1,"asset_bytes":10,"kv_bytes":1000}"#)
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let code = """
            export default { async fetch(request, { KV }) {
              try {
                await KV.put("k", "x".repeat(Number(new URL(request.url).pathname.slice(1))));
                return new Response("stored");
              } catch (error) { return new Response(error.message); }
            } };
            """
        let binding = #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#
        try platform.deploy(code, as: "w", metadata: binding)
        let second = try platform.upload(Platform.answering("x"), as: "second")
        #expect(second.status == 403)
        #expect(second.code == 10037)
        #expect(second.message.contains("1 Workers"))
        // The one that is there can still be changed.
        #expect(try platform.upload(code, as: "w", metadata: binding).status == 200)
        #expect(try platform.get("w", "/900").text == "stored")
        #expect(try platform.get("w", "/1100").text == "KV PUT failed: 403 The account's storage is full")
        let put = try platform.call(
            "PUT", "/accounts/{A}/storage/kv/namespaces/\(namespace)/values/a", body: [UInt8](repeating: 65, count: 500)
        )
        #expect(put.code == 10037)
        let assets = AssetUpload(platform: platform)
        let jwt = try #require(try assets.session(["/a": "0123456789a"], for: "w").result["jwt"].string)
        #expect(try assets.send(["0123456789a"], jwt: jwt).code == 10037)
        let shown = try platform.done("GET", "/accounts/{A}/limits")
        #expect(shown["limits"]["scripts"].int == 1)
        #expect(shown["limits"]["requests_per_day"] == .null)
        #expect(shown["used"]["scripts"].int == 1)
        #expect(shown["used"]["kv_bytes"].int == 901)
        #expect(shown["used"]["asset_bytes"].int == 0)
        try Self.limit(platform, #"{"scripts":null}"#)
        #expect(try platform.upload(Platform.answering("x"), as: "second").status == 200)
    }

    @Test func onlyTheOperatorSetsLimits() throws {
        let platform = try Platform()
        let token = try platform.done("POST", "/accounts/{A}/tokens", json: #"{"name":"t","scope":"admin"}"#)["value"]
        let own = token.string
        #expect(try platform.call("PATCH", "/accounts/{A}/limits", token: own, json: #"{"scripts":9}"#).status == 403)
        #expect(try platform.call("GET", "/accounts/{A}/limits", token: own).status == 200)
        for wrong in [#"{"x":1}"#, #"{"scripts":-1}"#, #"{"scripts":1.5}"#, #"{"scripts":"1"}"#, "[]"] {
            #expect(try platform.call("PATCH", "/accounts/{A}/limits", json: wrong).code == 10026, "\(wrong)")
        }
        #expect(try platform.call("GET", "/accounts/none/limits").status == 404)
    }

    @Test func aDaysRequestsAreUsedUp() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        try assets.deploy(["/a.txt": "asset"], code: Platform.answering("worker"), as: "w")
        try Self.limit(platform, #"{"requests_per_day":3}"#)
        func isRefused() throws -> Bool {
            let answer = try platform.get("w")
            guard answer.status == 429 else { return false }
            #expect(answer.errorNumber == 1027)
            return true
        }
        try wait(until: "the meter has counted", by: .patient) { try isRefused() }
        // Assets are free.
        #expect(try platform.get("w", "/a.txt").text == "asset")
        // Neither a restart nor a new deployment begins the day anew.
        try platform.deploy(Platform.answering("again"), as: "w")
        try platform.killAndStart()
        try wait(until: "the ledger was asked", by: .patient) { try isRefused() }
        // Another account has its own.
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"o"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(other)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        try platform.deploy(Platform.answering("theirs"), as: "w", account: other)
        #expect(try platform.martlet.get(host: "w.other.localhost").text == "theirs")
        try Self.limit(platform, #"{"requests_per_day":100000}"#)
        #expect(try platform.get("w").text == "again")
    }

    @Test func aDaysCPUTimeIsUsedUp() throws {
        let platform = try Platform()
        let code =
            "export default { fetch() { for (let i = 0; i < 1e7; i++) Math.sqrt(i); return new Response('x'); } };"
        try platform.deploy(code, as: "burns")
        try Self.limit(platform, #"{"cpu_ms_per_day":30}"#)
        try wait(until: "the meter has counted", by: .patient) { try platform.get("burns").errorNumber == 1027 }
    }

    @Test func burstsAreCutAtOnce() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("x"), as: "w")
        try Self.limit(platform, #"{"requests_per_minute":5}"#)
        // Twice as many as may come in one minute, and one more: two minutes at most lie in them.
        let answers = try (0..<11).map { _ in try platform.get("w") }
        let refused = answers.filter { $0.status == 429 }
        #expect(!refused.isEmpty)
        #expect(refused.allSatisfy { $0.errorNumber == 1015 && $0["Retry-After"] != nil })
        #expect(answers[0].status == 200)
    }
}
