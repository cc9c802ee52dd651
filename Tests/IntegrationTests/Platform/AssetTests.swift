import Testing

/// Static assets of deployed Workers, over sockets.
@Suite("Static assets") struct AssetTests {
    private static let site = [
        "/index.html": "<h1>home</h1>", "/about.html": "about", "/app.js": "app()", "/data/one.json": "{}",
    ]

    @Test func assetsAloneAnswerWithoutAnIsolate() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let made = try assets.deploy(Self.site, as: "site")
        #expect(made.result["has_assets"] == .bool(true))
        #expect(made.result["has_modules"] == .bool(false))
        let home = try platform.get("site")
        #expect(home.status == 200)
        #expect(home.text == "<h1>home</h1>")
        #expect(home["Content-Type"] == "text/html; charset=utf-8")
        #expect(home["Cache-Control"] == "public, max-age=0, must-revalidate")
        let tag = try #require(home["ETag"])
        let again = try platform.get("site", fields: [("If-None-Match", tag)])
        #expect(again.status == 304)
        #expect(again.body.isEmpty)
        #expect(try platform.get("site", "/about").text == "about")
        let moved = try platform.get("site", "/about.html?q=1")
        #expect(moved.status == 307)
        #expect(moved["Location"] == "/about?q=1")
        #expect(try platform.get("site", "/none").status == 404)
        #expect(try platform.get("site", "/data/../app.js").text == "app()")
        #expect(try platform.get("site", "/..%2f..%2fdata%2fmartlet.sqlite").status == 404)
        let client = try platform.martlet.client("site.main.localhost")
        try client.send("HEAD", "/app.js")
        let head = try client.answer(by: .patient)
        #expect(head.status == 200)
        #expect(head["Content-Length"] == "5")
        try client.send("POST", "/app.js", body: Array("x".utf8))
        #expect(try client.answer(by: .patient).status == 405)
        // The connection is good for more.
        #expect(try client.get("/app.js").text == "app()")
        let workers = try platform.martlet.serverStatus(token: platform.token)["workers"]
        for name in workers.keys { #expect(workers[name]["coldStarts"].int == 0) }
    }

    @Test func theWorkerAnswersTheRestAndReadsAssets() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let code = """
            export default { async fetch(request, env) {
              const { pathname } = new URL(request.url);
              if (pathname === "/through") {
                const answer = await env.ASSETS.fetch("https://any/app.js");
                return new Response(`${answer.status} ${answer.headers.get("content-type")} ${await answer.text()}`);
              }
              if (pathname === "/same") return env.ASSETS.fetch(request);
              if (pathname === "/missing") return env.ASSETS.fetch(new URL("/nowhere", request.url));
              if (pathname === "/head") {
                return new Response(String((await env.ASSETS.fetch("https://any/app.js", { method: "HEAD" })).status));
              }
              return new Response(`worker ${pathname}`);
            } };
            """
        let binding = #","bindings":[{"type":"assets","name":"ASSETS"}]"#
        let made = try assets.deploy(
            Self.site, config: #"{"run_worker_first":["/data/*","!/data/public/*"],"not_found_handling":"404-page"}"#,
            code: code, metadata: binding, as: "both")
        #expect(made.status == 200, "\(made.summary)")
        func text(_ path: String) throws -> String { try platform.get("both", path).text }
        #expect(try text("/app.js") == "app()")
        #expect(try text("/else") == "worker /else")
        #expect(try text("/data/one.json") == "worker /data/one.json")
        #expect(try text("/through") == "200 text/javascript; charset=utf-8 app()")
        #expect(try platform.get("both", "/missing").status == 404)
        #expect(try platform.get("both", "/same").status == 404)
        #expect(try text("/head") == "200")
        // The next version has none unless it says so.
        try assets.put(#""keep_assets":true\#(binding)"#, code: code, as: "both")
        #expect(try text("/app.js") == "app()")
        let first = #""keep_assets":true,"assets":{"config":{"run_worker_first":true}}"#
        try assets.put(first + binding, code: code, as: "both")
        #expect(try text("/app.js") == "worker /app.js")
        let refused = try assets.put(#""tags":[]\#(binding)"#, code: code, as: "both")
        #expect(refused.code == 10021)
        try assets.put(#""tags":[]"#, code: Platform.answering("bare"), as: "both")
        #expect(try text("/app.js") == "bare")
        let script = try platform.done("GET", "/accounts/{A}/workers/services/both")
        #expect(script["default_environment"]["script"]["has_assets"] == .bool(false))
    }

    @Test func secretsAndRollbacksKeepAssets() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let first = try assets.deploy(["/a.txt": "one"], code: Platform.answering("${env.S}"), as: "kept")
        let secret = #"{"name":"S","text":"hidden","type":"secret_text"}"#
        try platform.done("PUT", "/accounts/{A}/workers/scripts/kept/secrets", json: secret)
        #expect(try platform.get("kept", "/a.txt").text == "one")
        #expect(try platform.get("kept").text == "hidden")
        try assets.deploy(["/a.txt": "two"], code: Platform.answering("x"), as: "kept")
        #expect(try platform.get("kept", "/a.txt").text == "two")
        let id = try #require(first.result["deployment_id"].string)
        try platform.done(
            "POST", "/accounts/{A}/workers/scripts/kept/deployments?force=true",
            json: #"{"strategy":"percentage","versions":[{"version_id":"\#(id)","percentage":100}]}"#)
        #expect(try platform.get("kept", "/a.txt").text == "one")
        try platform.killAndStart()
        #expect(try platform.get("kept", "/a.txt").text == "one")
    }

    @Test func largeAssetsStreamToSlowClients() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let count = 6 << 20
        let text = String(decoding: Upload.Pattern.slice(from: 0, 95).map { $0 }, as: UTF8.self)
        let large = String(repeating: text, count: count / 95)
        try assets.deploy(["/large.bin": large, "/other.txt": "other"], as: "large")
        let slow = try Client(
            port: platform.martlet.port, host: "large.main.localhost", receiveBuffer: 4_096)
        try slow.send("GET", "/large.bin")
        let head = try slow.answerHead(by: .patient)
        #expect(head["Content-Length"] == String(large.utf8.count))
        // Others do not wait for the one who does not read.
        #expect(try platform.get("large", "/other.txt").text == "other")
        let gone = try Client(port: platform.martlet.port, host: "large.main.localhost")
        try gone.send("GET", "/large.bin")
        _ = try gone.answerHead(by: .patient)
        gone.close()
        let answer = try slow.answer(by: .patient)
        #expect(answer.body.count == large.utf8.count)
        #expect(answer.body == Array(large.utf8))
        let direct = try platform.get("large", "/large.bin")
        #expect(direct.body == Array(large.utf8))
    }

    @Test func rulesOfFilesAreApplied() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let made = try assets.deploy(
            Self.site,
            config: #"{"_headers":"/*\n  X-All: yes\n  ! ETag","_redirects":"/old/* /:splat 301\n/r /app.js 200"}"#,
            as: "rules")
        #expect(made.status == 200, "\(made.summary)")
        let answer = try platform.get("rules", "/app.js")
        #expect(answer["X-All"] == "yes")
        #expect(answer["ETag"] == nil)
        let moved = try platform.get("rules", "/old/app.js?q")
        #expect(moved.status == 301)
        #expect(moved["Location"] == "/app.js?q")
        #expect(try platform.get("rules", "/r").text == "app()")
        for path in ["/_headers", "/_redirects"] { #expect(try platform.get("rules", path).status == 404) }
    }

    @Test func aServiceBindingReachesAssetsToo() throws {
        let platform = try Platform()
        try AssetUpload(platform: platform).deploy(Self.site, as: "site")
        let code = "export default { fetch: (request, { S }) => S.fetch('http://x/app.js') };"
        try platform.deploy(
            code, as: "front", metadata: #","bindings":[{"type":"service","name":"S","service":"site"}]"#)
        #expect(try platform.get("front").text == "app()")
    }

    @Test func damagedAssetsAreNotServed() throws {
        let platform = try Platform()
        try AssetUpload(platform: platform).deploy(["/a.txt": "all is well here"], as: "hurt")
        _ = try platform.folder.damageFile(holding: "all is well here")
        let answer = try platform.get("hurt", "/a.txt")
        #expect(answer.status == 500)
        try platform.martlet.logLine(containing: "is damaged")
    }
}
