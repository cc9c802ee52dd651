import Foundation
import Testing

/// Cordons: tenants of different trust in hosts of their own.
@Suite("Cordons") struct CordonTests {
    private static let hello = "export default { fetch: () => new Response('hello') };"

    /// Processes by cordon.
    private static func hosts(_ platform: Platform) throws -> [String: Int] {
        let rows = try platform.martlet.serverStatus()["hosts"].array ?? []
        let pairs = rows.compactMap { row in row["cordon"].string.flatMap { name in row["pid"].int.map { (name, $0) } }
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// Waits until those cordons have hosts, and no others.
    private static func hosts(_ platform: Platform, _ cordons: [String]) throws -> [String: Int] {
        try eventually("hosts of \(cordons)", by: .patient) {
            let found = try hosts(platform)
            return Set(found.keys) == Set(cordons) ? found : nil
        }
    }

    private static func set(_ cordon: String?, _ platform: Platform, script: String? = nil) throws {
        try platform.setCordon(cordon, of: script)
    }

    @Test func eachCordonHasAHost() throws {
        let platform = try Platform()
        try platform.deploy(Self.hello, as: "a")
        try platform.deploy(Self.hello.replacing("hello", with: "paid"), as: "b")
        let before = try Self.hosts(platform, ["free"])
        #expect(try platform.get("a").text == "hello")
        try Self.set("paid", platform, script: "b")
        let two = try Self.hosts(platform, ["free", "paid"])
        #expect(two["free"] == before["free"])
        #expect(try platform.get("a").text == "hello")
        #expect(try platform.get("b").text == "paid")
        // A crash is the cordon's own.
        let neighbour = try platform.martlet.client("a.main.localhost")
        #expect(try neighbour.get().text == "hello")
        kill(pid_t(two["paid"]!), SIGKILL)
        #expect(try platform.martlet.client("b.main.localhost").get(by: .patient).text == "paid")
        #expect(try neighbour.get().text == "hello")
        // A later request on a connection that went to another cordon.
        let client = try platform.martlet.client("a.main.localhost")
        #expect(try client.get().text == "hello")
        try client.send("GET", "/", fields: [("Host", "b.main.localhost")])
        // Back in one.
        try Self.set(nil, platform, script: "b")
        #expect(try Self.hosts(platform, ["free"])["free"] == before["free"])
        try wait(until: "b answers", by: .patient) { try platform.get("b").text == "paid" }
        #expect(try platform.get("a").text == "hello")
    }

    @Test func privateMeansAlone() throws {
        let platform = try Platform()
        for name in ["a", "b", "c"] { try platform.deploy(Self.hello, as: name) }
        try Self.set("private", platform)
        let account = platform.account
        _ = try Self.hosts(platform, ["free", "private:\(account)"])
        try Self.set("private", platform, script: "b")
        try Self.set("free", platform, script: "c")
        _ = try Self.hosts(platform, ["free", "private:\(account)", "private:\(account)/b"])
        for name in ["a", "b", "c"] { #expect(try platform.get(name).text == "hello") }
        #expect(try platform.done("GET", "/accounts/{A}/cordon")["cordon"] == .string("private"))
        // What is deleted leaves no host behind.
        try platform.done("DELETE", "/accounts/{A}/workers/scripts/b")
        _ = try Self.hosts(platform, ["free", "private:\(account)"])
    }

    private static func calling(_ service: String) -> String {
        #","bindings":[{"type":"service","name":"S","service":"\#(service)"}]"#
    }

    /// Two that call each other through their supervisor.
    @Test func circlesThroughHostsEnd() throws {
        let platform = try Platform()
        try platform.deploy(Self.hello, as: "b")
        let code = """
            export default { async fetch(request, { S }) {
              const answers = [];
              for (const way of ["l", "r"]) {
                try { answers.push(await (await S.fetch(request.url + way)).text()); } catch (e) { answers.push("x"); }
                if (answers.at(-1).startsWith("x")) break;
              }
              return new Response(answers.join(""));
            } };
            """
        try platform.deploy(code, as: "a", metadata: Self.calling("b"))
        try platform.deploy(code, as: "b", metadata: Self.calling("a"))
        try Self.set("paid", platform, script: "b")
        let client = try platform.martlet.client("a.main.localhost")
        #expect(try client.get("/", by: .patient).text.hasPrefix("x"))
        #expect(try Self.hosts(platform, ["free", "paid"]).count == 2)
    }

    /// The one who calls hears of it, and the next call finds the next host.
    @Test func aCalledHostThatCrashes() throws {
        let platform = try Platform()
        try platform.deploy(
            """
            let waiting = 0;
            export default { async fetch(request) {
              if (request.url.endsWith("/waiting")) return new Response(waiting);
              if (request.url.endsWith("/wait")) {
                waiting++;
                await new Promise((done) => setTimeout(done, 600000));
              }
              return new Response("called");
            } };
            """, as: "b")
        try Self.set("paid", platform, script: "b")
        let code = """
            export default { async fetch(request, { S }) {
              try { return await S.fetch(request.url); } catch (e) { return new Response(`${e.name}: ${e.message}`); }
            } };
            """
        try platform.deploy(code, as: "a", metadata: Self.calling("b"))
        let paid = try Self.hosts(platform, ["free", "paid"])["paid"]!
        #expect(try platform.get("a").text == "called")
        let waiting = try platform.martlet.client("a.main.localhost")
        try waiting.send("GET", "/wait")
        try wait(until: "the call is under way", by: .patient) { try platform.get("a", "/waiting").text == "1" }
        kill(pid_t(paid), SIGKILL)
        #expect(try waiting.answer(by: .patient).text == "TypeError: Network connection lost.")
        let client = try platform.martlet.client("a.main.localhost")
        #expect(try client.get(by: .patient).text == "called")
        // Moved back, it is called where it is.
        try Self.set(nil, platform, script: "b")
        #expect(try platform.get("a").text == "called")
        try platform.done("DELETE", "/accounts/{A}/workers/scripts/b?force=true")
        #expect(try platform.get("a").text.contains("'b' cannot be called"))
    }

    /// A Worker may try to send what no frame holds: that ends no host.
    @Test func headersThatAreTooLarge() throws {
        let platform = try Platform()
        let size = 2 << 20
        try platform.deploy(
            """
            export default { fetch(request) {
              return new Response("", { headers: { x: "x".repeat(request.method === "PUT" ? \(size) : 1) } });
            } };
            """, as: "b")
        try Self.set("paid", platform, script: "b")
        let code = """
            export default { async fetch(request, { S }) {
              const large = { headers: { x: "x".repeat(\(size)) } };
              const calls = [S.fetch("http://a/", { method: "PUT" }), S.fetch("http://a/", large),
                fetch("http://a.example/", large)];
              const results = await Promise.allSettled(calls);
              return Response.json(results.map(({ reason }) => `${reason}`));
            } };
            """
        try platform.deploy(code, as: "a", metadata: Self.calling("b"))
        let before = try Self.hosts(platform, ["free", "paid"])
        let answer = try platform.martlet.client("a.main.localhost").get("/", by: .patient)
        #expect(answer.text.components(separatedBy: "header").count == 4, "\(answer.text)")
        #expect(try Self.hosts(platform, ["free", "paid"]) == before)
    }

    @Test func onlyTheOperatorSetsThem() throws {
        let platform = try Platform()
        try platform.deploy(Self.hello, as: "a")
        let token = try platform.done("POST", "/accounts/{A}/tokens", json: #"{"name":"t","scope":"admin"}"#)["value"]
        for path in ["/accounts/{A}/cordon", "/accounts/{A}/workers/scripts/a/cordon"] {
            let refused = try platform.call("PUT", path, token: token.string, json: #"{"cordon":"paid"}"#)
            #expect(refused.status == 403)
            #expect(try platform.call("GET", path, token: token.string).status == 200)
            for wrong in [#"{"cordon":"No Name"}"#, #"{"cordon":7}"#, "{}", #"{"cordon":""}"#] {
                #expect(try platform.call("PUT", path, json: wrong).code == 10026, "\(wrong)")
            }
        }
    }

    /// A connection says whom it is for within its limits, or is closed.
    @Test func whoSaysNothingIsNotLetIn() throws {
        let platform = try Platform()
        try platform.deploy(Self.hello, as: "a")
        try Self.set("paid", platform, script: "a")
        _ = try Self.hosts(platform, ["free", "paid"])
        let long = try Socket(port: platform.martlet.port)
        try long.sendAll(Array("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 17_000))".utf8))
        #expect(try long.receive(by: .patient) == nil)
        // Piece by piece is well.
        let slow = try Client(port: platform.martlet.port, host: "a.main.localhost")
        for piece in ["GET / HT", "TP/1.1\r\nAccept: */*\r\nHo", "st: a.main.local", "host\r\n"] {
            try slow.socket.sendAll(Array(piece.utf8))
        }
        try slow.socket.sendAll(Array("\r\n".utf8))
        try slow.expectAnswer(to: "GET")
        #expect(try slow.answer(by: .patient).text == "hello")
        // A host that nobody has.
        #expect(try platform.martlet.get(host: "nobody.example").status == 421)
    }

    /// What is used in one host counts in the others, some seconds later.
    @Test func dailyLimitsHoldOverHosts() throws {
        let platform = try Platform()
        for name in ["a", "b"] { try platform.deploy(Self.hello, as: name) }
        try Self.set("paid", platform, script: "b")
        _ = try Self.hosts(platform, ["free", "paid"])
        try platform.done("PATCH", "/accounts/{A}/limits", json: #"{"requests_per_day":20}"#)
        #expect(try platform.martlet.client("b.main.localhost").get("/", by: .patient).status == 200)
        try wait(until: "a has used it up", by: .patient) { try platform.get("a").status == 429 }
        try wait(until: "b hears of it", by: .patient) { try platform.get("b").status == 429 }
    }

    @Test func cordonsWithoutMachineCode() throws {
        let platform = try Platform(["--jitless", "strict"])
        let code = """
            export default { fetch() {
              let sum = 0; for (let i = 0; i < 1000; i++) sum += i;
              return Response.json({ sum, wasm: typeof WebAssembly });
            } };
            """
        try platform.deploy(code, as: "a")
        #expect(try platform.get("a").json()["wasm"] == .string("object"))
        try Self.set("strict", platform, script: "a")
        _ = try Self.hosts(platform, ["free", "strict"])
        try wait(until: "no WebAssembly", by: .patient) { try platform.get("a").json()["wasm"] == .string("undefined") }
        #expect(try platform.get("a").json()["sum"] == .number(499_500))
    }

    /// What would not run there does not get there, whichever way.
    @Test func webAssemblyStaysOutOfThem() throws {
        let platform = try Platform(["--jitless", "strict"])
        func upload(_ name: String) throws -> Platform.Envelope {
            var form = Form()
            form.add("metadata", #"{"main_module":"index.js"}"#, type: "application/json")
            let code = "import m from './m.wasm'; export default { fetch: () => new Response(typeof m) };"
            form.add("index.js", code, filename: "index.js", type: "application/javascript+module")
            form.add("m.wasm", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], filename: "m.wasm", type: "application/wasm")
            return try platform.call(
                "PUT", "/accounts/{A}/workers/scripts/\(name)", fields: [form.contentType], body: form.bytes)
        }
        func refusal(_ path: String) throws -> Platform.Envelope {
            try platform.call("PUT", "/accounts/{A}\(path)/cordon", json: #"{"cordon":"strict"}"#)
        }
        #expect(try upload("a").status == 200)
        for path in ["", "/workers/scripts/a"] {
            let refused = try refusal(path)
            #expect(refused.code == 10021, "\(refused.summary)")
            #expect(refused.message.contains("'m.wasm' is WebAssembly"))
        }
        // One that stays elsewhere by itself keeps nobody.
        try Self.set("free", platform, script: "a")
        try Self.set("strict", platform)
        let other = try upload("b")
        #expect(other.code == 10021 && other.message.contains("'strict'"), "\(other.summary)")
        // Nor by an older version.
        try platform.deploy(Self.hello, as: "a")
        try Self.set("strict", platform, script: "a")
        let versions = try platform.done("GET", "/accounts/{A}/workers/scripts/a/versions")["items"].array ?? []
        let oldest = try #require(versions.last?["id"].string)
        let back = try platform.call(
            "POST", "/accounts/{A}/workers/scripts/a/deployments",
            json: #"{"strategy":"percentage","versions":[{"version_id":"\#(oldest)","percentage":100}]}"#)
        #expect(back.code == 10021, "\(back.summary)")
        #expect(try platform.martlet.client("a.main.localhost").get("/", by: .patient).text == "hello")
    }
}
