import Testing

@Suite("martlet serve --data") struct PlatformTests {
    // MARK: Callers

    @Test func whoIsLetIn() throws {
        let platform = try Platform()
        let path = "/accounts/{A}/workers/scripts"
        #expect(try platform.call("GET", path, token: "").code == 9106)
        let malformed = try platform.call("GET", path, token: "", fields: [("Authorization", "Bearer")])
        #expect(malformed.status == 400)
        #expect(malformed.code == 6003)
        let wrong = try platform.call("GET", path, token: "mlt_wrong")
        #expect(wrong.status == 401)
        #expect(wrong.code == 10000)
        #expect(try platform.call("GET", "/user/tokens/verify", token: "mlt_wrong").code == 1000)
        #expect(try platform.done("GET", "/user/tokens/verify")["status"].string == "active")
        #expect(try platform.done("GET", "/accounts/{A}/tokens/verify")["status"].string == "active")
        let fields = [("X-Auth-Email", "a@example.com"), ("X-Auth-Key", platform.token)]
        #expect(try platform.call("GET", path, token: "", fields: fields).status == 200)
        let unknown = try platform.call("GET", "/accounts/{A}/none/such")
        #expect(unknown.status == 404)
        #expect(unknown.code == 7003)
        #expect(try platform.call("DELETE", path).code == 7003)
        #expect(try platform.call("GET", "/accounts/none").code == 7003)
    }

    @Test func tokensReachAsFarAsTheirScope() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("mine"), as: "hello")
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        func token(_ account: String, _ scope: String) throws -> String {
            let made = try platform.done(
                "POST", "/accounts/\(account)/tokens", json: #"{"name":"\#(scope)","scope":"\#(scope)"}"#)
            return try #require(made["value"].string)
        }
        let read = try token(platform.account, "read")
        let deploy = try token(platform.account, "deploy")
        let stranger = try token(other, "admin")
        let path = "/accounts/{A}/workers/scripts"
        #expect(try platform.call("GET", path, token: read).status == 200)
        #expect(try platform.upload(Platform.answering("x"), as: "hello", token: read).status == 403)
        #expect(try platform.upload(Platform.answering("x"), as: "hello", token: deploy).status == 200)
        #expect(try platform.call("POST", "/accounts/{A}/tokens", token: deploy, json: "{}").code == 9109)
        // Another account's things are not there.
        for (method, path) in [
            ("GET", path), ("GET", path + "/hello"), ("DELETE", path + "/hello"), ("GET", "/accounts/{A}"),
            ("GET", "/accounts/{A}/storage/kv/namespaces"),
        ] {
            let envelope = try platform.call(method, path, token: stranger)
            #expect(envelope.status == 404, "\(method) \(path): \(envelope.summary)")
            #expect(envelope.code == 7003)
        }
        guard case .array(let visible) = try platform.done("GET", "/accounts", token: stranger) else {
            throw Failure("no accounts")
        }
        #expect(visible.map { $0["id"].string } == [other])
        #expect(try platform.call("POST", "/accounts", token: stranger, json: #"{"name":"x"}"#).status == 403)
        #expect(try platform.call("DELETE", "/accounts/\(other)", token: stranger).status == 403)
        let taken = try platform.call(
            "PUT", "/accounts/\(other)/workers/subdomain", token: stranger, json: #"{"subdomain":"main"}"#)
        #expect(taken.code == 10031)
        try platform.done("DELETE", "/accounts/\(other)")
        #expect(try platform.call("GET", "/user", token: stranger).status == 401)
    }

    @Test func listsEnd() throws {
        let platform = try Platform()
        for path in ["/accounts", "/memberships", "/zones", "/accounts/{A}/storage/kv/namespaces"] {
            #expect(try platform.done("GET", path + "?page=2") == .array([]))
            let envelope = try platform.call("GET", path + "?page=x")
            #expect(envelope.status == 400)
        }
        let info = try platform.call("GET", "/accounts?per_page=50").json["result_info"]
        #expect(info["total_count"].int == 1)
        #expect(info["per_page"].int == 50)
    }

    // MARK: Life

    @Test func whatWasAcknowledgedOutlivesKill9() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("durable"), as: "hello")
        let path = "/accounts/{A}/workers/scripts/hello/secrets"
        try platform.done("PUT", path, json: #"{"name":"S","text":"kept"}"#)
        try platform.killAndStart()
        #expect(try platform.get("hello").text == "durable")
        #expect(try platform.done("GET", path) != .array([]))
        // The token of the first start still is one, and none is printed again.
        #expect(try platform.done("GET", "/user/tokens/verify")["status"].string == "active")
    }

    @Test func aDeployIsLiveWhenItIsAcknowledged() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("0"), as: "hello")
        let client = try platform.martlet.client("hello.main.localhost")
        for number in 1...20 {
            #expect(try platform.upload(Platform.answering("\(number)"), as: "hello").status == 200)
            let answer = try client.get()
            #expect(answer.text == "\(number)")
        }
    }

    @Test func requestsUnderWayEndOnTheirVersion() throws {
        let platform = try Platform()
        let slow = """
            export default { async fetch(request) {
                const text = await request.text();
                return new Response('old ' + text);
            } };
            """
        try platform.deploy(slow, as: "hello")
        let client = try platform.martlet.client("hello.main.localhost")
        try client.sendHead("POST", "/")
        try client.sendChunk(Array("a".utf8))
        // The Worker has begun once its isolate shows on the status page.
        try wait(until: "the Worker runs") {
            let workers = try platform.martlet.serverStatus()["workers"]
            return workers.keys.contains { workers[$0]["requests"].int ?? 0 > 0 }
        }
        #expect(try platform.upload(Platform.answering("new"), as: "hello").status == 200)
        #expect(try platform.get("hello").text == "new")
        try client.sendChunk(Array("b".utf8))
        try client.sendChunk([])
        #expect(try client.answer().text == "old ab")
    }

    @Test func aSecondProcessIsRefused() throws {
        let platform = try Platform()
        let second = try Martlet(Platform.arguments(platform.folder, []))
        #expect(try second.exitCode() == 1)
        let log = second.rest().log.joined()
        #expect(log.contains("in use by another process"))
        #expect(log.contains("data"))
    }

    @Test func aSuspendedAccountsWorkersDoNotRun() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("x"), as: "hello")
        try platform.done("PUT", "/accounts/{A}", json: #"{"suspended":true}"#)
        #expect(try platform.get("hello").status == 403)
        try platform.done("PUT", "/accounts/{A}", json: #"{"suspended":false}"#)
        #expect(try platform.get("hello").text == "x")
    }

    @Test func aDamagedBlobIsNamedAndTheRestServes() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("good"), as: "good")
        try platform.deploy(Platform.answering("will be damaged"), as: "bad")
        try platform.martlet.kill9()
        let hash = try platform.folder.damageFile(holding: "will be damaged")
        try platform.killAndStart()
        #expect(try platform.get("good").text == "good")
        #expect(try platform.get("bad").status == 500)
        try platform.martlet.logLine(containing: "blob \(hash) is damaged")
        let envelope = try platform.call("GET", "/accounts/{A}/workers/scripts/bad")
        #expect(envelope.status == 500)
        #expect(envelope.message.contains(hash))
    }

    @Test func accountsShareNoCaches() throws {
        let platform = try Platform()
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(other)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        let code = """
            export default { async fetch(request) {
              const cache = await caches.open("c"), url = "http://same.example/";
              const found = [await cache.match(url), await caches.default.match(url)];
              const fresh = () => new Response("x", { headers: { "cache-control": "max-age=60" } });
              await cache.put(url, fresh());
              await caches.default.put(url, fresh());
              return new Response(found.map((response) => response === undefined ? "none" : "found").join());
            } };
            """
        for account in [platform.account, other] {
            var form = Form()
            form.add("metadata", #"{"main_module":"index.js"}"#)
            form.add("index.js", code, filename: "index.js", type: "application/javascript+module")
            let path = "/accounts/\(account)/workers/scripts/hello"
            #expect(try platform.call("PUT", path, fields: [form.contentType], body: form.bytes).status == 200)
            try platform.done("POST", path + "/subdomain", json: #"{"enabled":true}"#)
        }
        #expect(try platform.get("hello").text == "none,none")
        #expect(try platform.get("hello").text == "found,found")
        #expect(try platform.martlet.get(host: "hello.other.localhost").text == "none,none")
    }

    @Test func theBaseDomainIsASetting() throws {
        let platform = try Platform(["--base-domain", "Workers.Example"])
        try platform.deploy(Platform.answering("x"), as: "hello")
        #expect(try platform.martlet.get(host: "hello.main.workers.example").text == "x")
        #expect(try platform.get("hello").status == 404)
    }

    @Test func dataAndWorkersExcludeEachOther() throws {
        for arguments in [["serve"], ["serve", "--data", "a", "--workers", "b"]] {
            let martlet = try Martlet(arguments)
            #expect(try martlet.exitCode() != 0)
            #expect(martlet.rest().log.joined().contains("either --data DIR or --workers DIR"))
        }
    }

    @Test func theAdminPortTellsHowItIs() throws {
        let platform = try Platform()
        let client = try Client(port: platform.martlet.ports[1])
        #expect(try client.get("/healthz").status == 200)
        #expect(try client.get("/readyz").status == 200)
        #expect(try platform.martlet.serverStatus()["process"]["pid"].int != nil)
    }
}
