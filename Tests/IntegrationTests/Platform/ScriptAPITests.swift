import Testing

@Suite("Control API: scripts") struct ScriptAPITests {
    private static let scripts = "/accounts/{A}/workers/scripts"

    // MARK: Uploads

    /// The form as three clients send it.
    enum ClientForm: CaseIterable {
        case sdk, cfPublish, wrangler

        var form: Form {
            var form = Form()
            let metadata = #"{"main_module":"index.js","compatibility_date":"2026-01-01"}"#
            let main =
                "import t from './t.txt'; import { x } from './lib/a.js';\n"
                + "export default { fetch: () => new Response(t + x) };"
            let type = "application/javascript+module"
            switch self {
            case .sdk:
                form.add("files", main, filename: "index.js", type: type)
                form.add("files", "export const x = ' library';", filename: "lib/a.js", type: type)
                form.add("files", "text", filename: "t.txt", type: "text/plain")
                form.add("metadata", metadata, type: "application/json")
            case .cfPublish:
                form.add("metadata", metadata, type: "application/json")
                form.add("index.js", main, filename: "index.js", type: type)
                form.add("lib/a.js", "export const x = ' library';", filename: "lib/a.js", type: type)
                form.add("t.txt", "text", filename: "t.txt", type: "text/plain")
            case .wrangler:
                form.add("metadata", metadata)
                form.add("index.js", main, filename: "index.js", type: type)
                form.add("lib/a.js", "export const x = ' library';", filename: "lib/a.js", type: type)
                form.add("t.txt", "text", filename: "t.txt", type: "text/plain")
            }
            return form
        }
    }

    @Test func threeClientsForms() throws {
        let platform = try Platform()
        for (index, client) in ClientForm.allCases.enumerated() {
            let form = client.form
            let envelope = try platform.call(
                "PUT", Self.scripts + "/form-\(index)", fields: [form.contentType], body: form.bytes)
            #expect(envelope.status == 200, "\(envelope.summary)")
            #expect(envelope.result["id"].string == "form-\(index)")
            #expect(envelope.result["handlers"] == .array([.string("fetch")]))
            #expect(envelope.result["compatibility_date"].string == "2026-01-01")
            try platform.done("POST", Self.scripts + "/form-\(index)/subdomain", json: #"{"enabled":true}"#)
            #expect(try platform.get("form-\(index)").text == "text library")
        }
        guard case .array(let list) = try platform.done("GET", Self.scripts) else { throw Failure("no list") }
        #expect(list.map { $0["id"].string } == ["form-0", "form-1", "form-2"])
    }

    @Test func aServiceWorker() throws {
        let platform = try Platform()
        var form = Form()
        let bindings = #"[{"type":"plain_text","name":"WORD","text":"classic"}]"#
        form.add("metadata", #"{"body_part":"script","bindings":\#(bindings)}"#, type: "application/json")
        form.add(
            "script", "addEventListener('fetch', (event) => event.respondWith(new Response(WORD)));",
            type: "application/javascript")
        let envelope = try platform.call(
            "PUT", Self.scripts + "/classic", fields: [form.contentType], body: form.bytes)
        #expect(envelope.status == 200, "\(envelope.summary)")
        try platform.done("POST", Self.scripts + "/classic/subdomain", json: #"{"enabled":true}"#)
        #expect(try platform.get("classic").text == "classic")
        let source = try platform.raw("GET", Self.scripts + "/classic")
        #expect(source["content-type"] == "application/javascript")
        #expect(source.text.hasPrefix("addEventListener"))
    }

    @Test func whatCannotStartIsRefusedAndTheOldVersionStays() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("old"), as: "hello")
        let cases: [(code: String, number: Int, words: String)] = [
            ("export default {\n  fetch( {\n", 10021, "SyntaxError"),
            ("throw new Error('at its top');", 10021, "at its top"),
            ("import './gone.js'; export default { fetch() {} };", 10021, "gone.js"),
            ("while (true) {}", 10021, "CPU"),
            ("export default {};", 10068, "No event handlers"),
        ]
        for test in cases {
            let envelope = try platform.upload(test.code, as: "hello")
            #expect(envelope.status == 400)
            #expect(envelope.code == test.number, "\(envelope.summary)")
            #expect(envelope.message.contains(test.words), "\(envelope.summary)")
            #expect(try platform.get("hello").text == "old")
        }
        #expect(try platform.upload("throw 1;", as: "new").code == 10021)
        #expect(try platform.call("GET", Self.scripts + "/new").code == 10007)
    }

    @Test func brokenFormsAreRefused() throws {
        let platform = try Platform()
        func put(_ body: String, type: String = "multipart/form-data; boundary=b") throws -> Platform.Envelope {
            try platform.call(
                "PUT", Self.scripts + "/x", fields: [("Content-Type", type)], body: Array(body.utf8))
        }
        let head = "--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n"
        #expect(try put("", type: "application/json").code == 10001)
        #expect(try put("", type: "multipart/form-data").code == 10006)
        for body in [
            "", "--b", "--b\r\n", "--b--", "nothing", "--b\r\n\r\n--b--", head + "{}", head + "{}\r\n--b",
            "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "--b\r\nno field\r\n\r\nx\r\n--b--\r\n",
            head + "no json\r\n--b--\r\n", head + "[]\r\n--b--\r\n", head + "{}\r\n--b--\r\n",
            head + "{\"main_module\":\"gone.js\"}\r\n--b--\r\n", head + "{\"main_module\":7}\r\n--b--\r\n",
        ] {
            let envelope = try put(body)
            #expect(envelope.status == 400, "\(body): \(envelope.summary)")
            #expect([10006, 10021, 10026].contains(envelope.code ?? 0), "\(body): \(envelope.summary)")
        }
        for name in ["../up.js", "a/../../b.js", "/etc/passwd"] {
            var form = Form()
            form.add("metadata", #"{"main_module":"index.js"}"#)
            form.add("index.js", Platform.answering("x"), filename: "index.js", type: "application/javascript+module")
            form.add("files", "x", filename: name, type: "text/plain")
            let envelope = try platform.call("PUT", Self.scripts + "/x", fields: [form.contentType], body: form.bytes)
            #expect(envelope.code == 10016, "\(name): \(envelope.summary)")
        }
        for name in ["A", "-a", "a.b", "%2e%2e", "a%2Fb", String(repeating: "a", count: 64)] {
            #expect(try platform.upload(Platform.answering("x"), as: name).code == 10016, "\(name)")
        }
        #expect(try platform.upload("x", as: "x", metadata: #","bindings":[{"type":"d1","name":"D"}]"#).code == 10021)
        #expect(
            try platform.upload("x", as: "x", metadata: #","bindings":[{"type":"inherit","name":"D"}]"#).code == 10057)
        for metadata in [
            #","compatibility_date":"2026-13-01""#, #","compatibility_date":7"#, #","compatibility_flags":"x""#,
            #","compatibility_flags":["nodejs_compat","no_nodejs_compat"]"#,
        ] {
            let envelope = try platform.upload(Platform.answering("x"), as: "x", metadata: metadata)
            #expect(envelope.status == 400, "\(metadata): \(envelope.summary)")
        }
    }

    @Test func contentAndSettings() throws {
        let platform = try Platform()
        let variables = #","bindings":[{"type":"plain_text","name":"V","text":"one"}],"limits":{"cpu_ms":20}"#
        let code = "export default { fetch: (r, env) => new Response('code ' + env.V) };"
        try platform.deploy(code, as: "hello", metadata: variables)
        let path = Self.scripts + "/hello"
        let content = try platform.raw("GET", path + "/content/v2")
        #expect(content["cf-entrypoint"] == "index.js")
        #expect(content["content-type"]?.hasPrefix("multipart/form-data; boundary=") == true)
        #expect(content.text.contains(code))
        var settings = try platform.done("GET", path + "/settings")
        #expect(settings["limits"]["cpu_ms"].int == 20)
        var form = Form()
        form.add("metadata", #"{"main_module":"m.js"}"#)
        form.add(
            "files[]", code.replacing("code", with: "other"), filename: "m.js", type: "application/javascript+module")
        #expect(try platform.call("PUT", path + "/content", fields: [form.contentType], body: form.bytes).status == 200)
        #expect(try platform.get("hello").text == "other one")
        var patch = Form()
        patch.add(
            "settings", #"{"bindings":[{"type":"plain_text","name":"V","text":"two"}],"tags":["a"]}"#,
            type: "application/json")
        #expect(
            try platform.call("PATCH", path + "/settings", fields: [patch.contentType], body: patch.bytes).status == 200
        )
        #expect(try platform.get("hello").text == "other two")
        settings = try platform.done("GET", path + "/settings")
        #expect(settings["limits"]["cpu_ms"].int == 20)
        #expect(settings["tags"] == .array([.string("a")]))
        let merged = try platform.done("PATCH", path + "/script-settings", json: #"{"logpush":true}"#)
        #expect(merged["tags"] == .array([.string("a")]))
        #expect(merged["logpush"] == .bool(true))
        try platform.done("DELETE", path)
        #expect(try platform.get("hello").status == 404)
        #expect(try platform.call("GET", path + "/settings").code == 10007)
    }

    // MARK: Versions

    @Test func versionsAndDeployments() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("one"), as: "hello")
        let path = Self.scripts + "/hello"
        let second = try platform.upload(Platform.answering("two"), as: "hello", method: "POST", path: "/versions")
        #expect(second.result["number"].int == 2)
        #expect(try platform.get("hello").text == "one")
        guard case .array(let versions) = try platform.done("GET", path + "/versions")["items"] else {
            throw Failure("no versions")
        }
        #expect(versions.map { $0["number"].int } == [2, 1])
        let ids = versions.compactMap { $0["id"].string }
        #expect(try platform.done("GET", path + "/versions?page=2&per_page=2")["items"] == .array([]))
        func deploy(_ shares: [(Int, Double)]) throws -> Platform.Envelope {
            let list = shares.map { #"{"version_id":"\#(ids[$0.0])","percentage":\#($0.1)}"# }.joined(separator: ",")
            return try platform.call(
                "POST", path + "/deployments", json: #"{"strategy":"percentage","versions":[\#(list)]}"#)
        }
        #expect(try deploy([(0, 100)]).status == 200)
        #expect(try platform.get("hello").text == "two")
        for bad in [[], [(0, 50.0)], [(0, 50), (1, 60)], [(0, 50), (0, 50)], [(0, -1), (1, 101)]] {
            #expect(try deploy(bad).code == 10026)
        }
        let unknown = #"{"strategy":"percentage","versions":[{"version_id":"none","percentage":100}]}"#
        #expect(try platform.call("POST", path + "/deployments", json: unknown).code == 100146)
        #expect(try deploy([(0, 50), (1, 50)]).status == 200)
        try Self.checkSplit(platform, ids)
        #expect(try deploy([(1, 100)]).status == 200)
        #expect(try platform.get("hello").text == "one")
        guard case .array(let deployments) = try platform.done("GET", path + "/deployments")["deployments"] else {
            throw Failure("no deployments")
        }
        #expect(deployments.count == 4)
        #expect(
            deployments.first?["versions"]
                == .array([
                    .object(["version_id": .string(ids[1]), "percentage": .number(100)])
                ]))
        let id = deployments[1]["id"].string ?? ""
        #expect(try platform.done("GET", path + "/deployments/\(id)")["id"].string == id)
        #expect(try platform.call("GET", path + "/deployments/none").code == 10336)
        #expect(try platform.call("GET", path + "/versions/none").code == 10071)
    }

    /// Half and half: a key keeps its version, an override picks one, and both versions answer.
    private static func checkSplit(_ platform: Platform, _ ids: [String]) throws {
        var seen: Set<String> = []
        for key in 0..<40 {
            let field = [("Cloudflare-Workers-Version-Key", "key-\(key)")]
            let texts = try (0..<2).map { _ in try platform.get("hello", fields: field).text }
            #expect(texts[0] == texts[1])
            seen.insert(texts[0])
        }
        #expect(seen == ["one", "two"])
        for (id, text) in zip(ids, ["two", "one"]) {
            let field = [("Cloudflare-Workers-Version-Overrides", #"other="x", hello="\#(id)""#)]
            for _ in 0..<5 { #expect(try platform.get("hello", fields: field).text == text) }
        }
    }

    // MARK: Secrets

    @Test func secretsAreLiveAndNeverShown() throws {
        let platform = try Platform()
        let path = Self.scripts + "/hello"
        let put = { (text: String) in
            try platform.call("PUT", path + "/secrets", json: #"{"name":"S","text":"\#(text)","type":"secret_text"}"#)
        }
        #expect(try put("first-secret").code == 10007)
        let code = "export default { fetch: (r, env) => new Response(`${env.S} ${env.V}`) };"
        try platform.deploy(code, as: "hello", metadata: #","bindings":[{"type":"plain_text","name":"V","text":"v"}]"#)
        #expect(try put("first-secret").status == 200)
        #expect(try platform.get("hello").text == "first-secret v")
        #expect(
            try platform.done("GET", path + "/secrets")
                == .array([.object(["name": .string("S"), "type": .string("secret_text")])]))
        // An upload that does not mention it keeps it, and drops the variable.
        try platform.deploy(code, as: "hello")
        #expect(try platform.get("hello").text == "first-secret undefined")
        #expect(try put("second-secret").status == 200)
        #expect(try platform.get("hello").text == "second-secret undefined")
        let versions = try platform.raw("GET", path + "/versions")
        let settings = try platform.raw("GET", path + "/settings")
        for answer in [versions, settings, try platform.raw("GET", path + "/secrets/S")] {
            #expect(answer.status == 200)
            #expect(!answer.text.contains("-secret"))
        }
        guard case .array(let items) = try versions.json()["result"]["items"], let old = items.last?["id"].string else {
            throw Failure("no versions")
        }
        let back = #"{"strategy":"percentage","versions":[{"version_id":"\#(old)","percentage":100}]}"#
        #expect(try platform.call("POST", path + "/deployments", json: back).code == 10220)
        #expect(try platform.call("POST", path + "/deployments?force=true", json: back).status == 200)
        #expect(try platform.get("hello").text == "undefined v")
        #expect(try put("third").code == 10215)
        #expect(try platform.call("GET", path + "/secrets/none").code == 10056)
    }

    @Test func secretsInBulkAndDeleted() throws {
        let platform = try Platform()
        let path = Self.scripts + "/hello"
        try platform.deploy(
            "export default { fetch: (r, env) => new Response(`${env.A} ${env.B}`) };", as: "hello")
        let bulk = #"{"secrets":{"A":{"name":"A","text":"a","type":"secret_text"},"B":{"text":"b"}}}"#
        #expect(try platform.call("PATCH", path + "/secrets-bulk", json: bulk).status == 200)
        #expect(try platform.get("hello").text == "a b")
        #expect(try platform.call("PATCH", path + "/secrets-bulk", json: #"{"secrets":{"A":null}}"#).status == 200)
        #expect(try platform.get("hello").text == "undefined b")
        try platform.done("DELETE", path + "/secrets/B?url_encoded=true")
        #expect(try platform.get("hello").text == "undefined undefined")
        #expect(try platform.call("DELETE", path + "/secrets/B").code == 10056)
    }

    // MARK: wrangler

    @Test func whatWranglerAsks() throws {
        let platform = try Platform()
        let service = "/accounts/{A}/workers/services/hello"
        #expect(try platform.call("GET", service).code == 10090)
        #expect(try platform.call("GET", Self.scripts + "/hello/secrets").code == 10007)
        try platform.deploy(Platform.answering("x"), as: "hello")
        let bound = #","bindings":[{"type":"service","name":"H","service":"hello"}]"#
        try platform.deploy(Platform.answering("x"), as: "caller", metadata: bound)
        let shown = try platform.done("GET", service)
        #expect(shown["default_environment"]["script"]["id"].string == "hello")
        #expect(shown["default_environment"]["script"]["last_deployed_from"].string == "api")
        let references = try platform.done("GET", Self.scripts + "/hello/references")
        guard case .array(let incoming) = references["services"]["incoming"] else { throw Failure("no references") }
        #expect(incoming.map { $0["service"].string } == ["caller"])
        #expect(try platform.done("GET", "/accounts/{A}/workers/tails/by-consumer/hello") == .array([]))
        #expect(try platform.call("DELETE", service).status == 400)
        try platform.done("DELETE", service + "?force=true")
        #expect(try platform.call("GET", service).code == 10090)
    }
}
