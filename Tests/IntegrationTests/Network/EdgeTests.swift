import Foundation
import Testing

/// Locations that follow a control node by the feed of its own.
@Suite("martlet edge") struct EdgeTests {
    @Test func aDeployReachesTheLocations() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("before"), as: "hello")
        let edges = [try EdgeNode("cdg", of: platform), try EdgeNode("nrt", of: platform)]
        for edge in edges { try edge.wait(for: "before", of: "hello") }
        try platform.deploy(Platform.answering("after"), as: "hello")
        for edge in edges { try edge.wait(for: "after", of: "hello") }
        try platform.done("DELETE", "/accounts/{A}/workers/scripts/hello")
        for edge in edges {
            try wait(until: "\(edge.location) has it no more") { try edge.get("hello").status == 404 }
        }
    }

    @Test func aLocationShowsWhereItIs() throws {
        let platform = try Platform()
        try platform.deploy("export default { fetch: (r) => new Response(r.cf.colo) };", as: "where")
        let edge = try EdgeNode("cdg", of: platform)
        let answer = try edge.get("where")
        #expect(answer.text == "CDG")
        #expect(answer["cf-ray"]?.hasSuffix("-CDG") == true)
        let readiness = try edge.readiness()
        #expect(readiness["location"].string == "cdg")
        #expect(readiness["ready"] == .bool(true))
        #expect(readiness["lag"].int == 0)
        let listed = try eventually("its report") { () -> JSON? in
            guard case .array(let list) = try platform.done("GET", "/locations"), let first = list.first,
                first["lag"].int == 0
            else { return nil }
            return first
        }
        #expect(listed["city"].string == "Paris")
        #expect(listed["present"] == .bool(true))
        let table = try platform.command(["locations"])
        #expect(table.output.contains("cdg"))
        #expect(table.output.contains("Paris"))
    }

    @Test func itServesAndStartsWithoutTheControlNode() throws {
        let platform = try Platform()
        let secret = "export default { fetch: (r, env) => new Response(env.S + env.V) };"
        try platform.deploy(
            secret, as: "hello",
            metadata:
                #","bindings":[{"type":"secret_text","name":"S","text":"s"},"#
                + #"{"type":"plain_text","name":"V","text":"v"}]"#
        )
        let edge = try EdgeNode("cdg", of: platform)
        #expect(try edge.get("hello").text == "sv")
        try platform.martlet.kill9()
        try edge.killAndStart()
        #expect(try edge.get("hello").text == "sv")
        try wait(until: "it says that it is alone") { try edge.readiness()["connected"] == .bool(false) }
        #expect(try edge.readiness()["ready"] == .bool(true))
    }

    @Test func itCatchesUpWhenTheControlNodeIsBack() throws {
        let platform = try Platform(["--admin-port", "\(try Self.freePort())"])
        try platform.deploy(Platform.answering("0"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform)
        #expect(try edge.get("hello").text == "0")
        for round in 1...3 {
            edge.martlet.suspend()
            for number in 0...3 {
                try platform.deploy(Platform.answering("\(round * 10 + number)"), as: "hello")
                try platform.deploy(Platform.answering("\(round)"), as: "other\(number)")
            }
            try platform.killAndStart()
            edge.martlet.resume()
            try edge.wait(for: "\(round * 10 + 3)", of: "hello")
            for number in 0...3 { try edge.wait(for: "\(round)", of: "other\(number)") }
        }
        #expect(edge.martlet.logSoFar().filter { $0.contains("made anew") }.count == 1)
    }

    /// A port that was free a moment ago, and that the kernel gives to nobody who asks for any: other tests do.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        for _ in 0..<100 {
            // Below those that Linux chooses from.
            let port = UInt16.random(in: 20_000..<32_000)
            address.sin_port = port.bigEndian
            let isFree = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return Int(port) }
        }
        throw Failure("no port is free")
    }

    @Test func keysAreReadHereAndWrittenThere() throws {
        let platform = try Platform()
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let code = """
            export default { async fetch(request, { KV }) {
              const url = new URL(request.url), key = url.searchParams.get("key");
              if (request.method === "PUT") {
                await KV.put(key, await request.text(), { metadata: { from: request.cf.colo } });
              } else if (request.method === "DELETE") await KV.delete(key);
              else if (url.pathname === "/list") {
                return new Response((await KV.list({ prefix: key })).keys.map((key) => key.name).join());
              }
              const { value, metadata } = await KV.getWithMetadata(key);
              return new Response(value === null ? "none" : `${value.length} ${value.slice(0, 9)} ${metadata?.from}`);
            } };
            """
        try platform.deploy(
            code, as: "kv",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#)
        let edges = [try EdgeNode("cdg", of: platform), try EdgeNode("nrt", of: platform)]
        func ask(_ edge: EdgeNode, _ method: String, _ path: String, _ body: String? = nil) throws -> String {
            let client = try edge.client()
            try client.send(
                method, path, fields: [("Host", "kv.main.localhost")], body: body.map { Array($0.utf8) })
            return try client.answer(by: .patient).text
        }
        // Who writes reads it at once, others within seconds.
        #expect(try ask(edges[0], "PUT", "/?key=a", "hello") == "5 hello CDG")
        try wait(until: "it is there", by: .patient) { try ask(edges[1], "GET", "/?key=a") == "5 hello CDG" }
        // A large value travels as a blob.
        let large = String(repeating: "0123456789", count: 100_000)
        #expect(try ask(edges[1], "PUT", "/?key=large", large) == "1000000 012345678 NRT")
        try wait(until: "it is there", by: .patient) {
            try ask(edges[0], "GET", "/?key=large") == "1000000 012345678 NRT"
        }
        #expect(try ask(edges[0], "GET", "/list?key=l") == "large")
        #expect(try ask(edges[0], "DELETE", "/?key=a") == "none")
        try wait(until: "it is gone", by: .patient) { try ask(edges[1], "GET", "/?key=a") == "none" }
        try platform.done("DELETE", "/accounts/{A}/storage/kv/namespaces/\(namespace)")
        for edge in edges {
            try wait(until: "all are gone", by: .patient) { try ask(edge, "GET", "/?key=large") == "none" }
        }
    }

    @Test func useFlowsBackAndIsCountedOnce() throws {
        let platform = try Platform(["--admin-port", "\(try Self.freePort())"])
        try platform.deploy(Platform.answering("x"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform)
        func counted() throws -> Int { try platform.done("GET", "/accounts/{A}/usage")["totals"]["requests"].int ?? 0 }
        for _ in 1...7 { _ = try edge.get("hello") }
        try wait(until: "they are counted", by: .patient) { try counted() == 7 }
        // Nobody counts while the control node is away; nothing is lost when both were killed.
        try platform.martlet.kill9()
        for _ in 1...5 { _ = try edge.get("hello") }
        edge.martlet.terminate()
        #expect(try edge.martlet.exitCode() == 0)
        try edge.start()
        try platform.start()
        try wait(until: "they are counted", by: .patient) { try counted() == 12 }
    }

    @Test func assetsTravelToo() throws {
        let platform = try Platform()
        let site = ["/index.html": "<p>home</p>", "/big.txt": String(repeating: "0123456789abcdef", count: 20_000)]
        try AssetUpload(platform: platform).deploy(site, as: "site")
        let edge = try EdgeNode("cdg", of: platform)
        #expect(try edge.get("site", "/").text == "<p>home</p>")
        try platform.martlet.kill9()
        try edge.killAndStart()
        #expect(try edge.get("site", "/big.txt").text.utf8.count == 320_000)
    }

    // MARK: Bad input

    @Test func badBeginningsAreToldAndChangeNothing() throws {
        let platform = try Platform()
        let folder = try ScratchFolder()
        try EdgeNode.add("cdg", to: platform, in: folder)
        func failure(_ join: String, _ location: String = "cdg") throws -> String {
            let edge = try EdgeNode(location, folder: folder, join: join)
            #expect(try edge.martlet.exitCode() != 0)
            return edge.martlet.rest().log.joined(separator: "\n")
        }
        #expect(try failure("gopher://x").contains("no address of a feed"))
        #expect(try failure(platform.address, "nrt").contains("cannot be read"))
        let credentials = EdgeNode.credentials("cdg", folder)
        let good = try String(contentsOfFile: credentials, encoding: .utf8)
        try folder.write("cdg.json", "{}")
        #expect(try failure(platform.address).contains("does not hold credentials"))
        // What answers at the requests' port is no control node.
        try folder.write("cdg.json", good)
        #expect(try failure("http://127.0.0.1:\(platform.martlet.ports[0])").contains("no control node"))
        // A location that was removed.
        #expect(try platform.command(["location", "remove", "cdg"]).status == 0)
        #expect(try failure(platform.address).contains("knows no location with this token"))
        // Another installation.
        let other = try Platform()
        try EdgeNode.add("nrt", to: other, in: folder)
        var foreign = try String(contentsOfFile: EdgeNode.credentials("nrt", folder), encoding: .utf8)
        let own = try #require(good.firstMatch(of: #/"installation" : "([0-9a-f]+)"/#)).1
        foreign.replace(#/"installation" : "[0-9a-f]+"/#, with: #""installation" : "\#(own)""#)
        try folder.write("nrt.json", foreign)
        #expect(try failure(other.address, "nrt").contains("another installation"))
        #expect(try platform.command(["location", "add", "x1"]).output.contains("three letters"))
    }

    @Test func aLocationIsServedOnce() throws {
        let platform = try Platform()
        let folder = try ScratchFolder()
        let first = try EdgeNode("cdg", of: platform)
        #expect(
            try platform.command(["location", "add", "cdg", "--out", "\(folder.path)/x"]).output.contains("already"))
        try folder.write("cdg.json", try Data(contentsOf: URL(filePath: EdgeNode.credentials("cdg", first.folder))))
        let second = try EdgeNode("cdg", folder: folder, join: platform.address)
        #expect(try second.martlet.exitCode() != 0)
        #expect(second.martlet.rest().log.joined().contains("served by another node already"))
        #expect(try first.readiness()["connected"] == .bool(true))
    }

    @Test func aLocationOfSomeAccountsHasNothingElse() throws {
        let platform = try Platform()
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(other)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        try platform.deploy(Platform.answering("mine"), as: "hello")
        try platform.deploy(Platform.answering("not to be seen here"), as: "theirs", account: other)
        let edge = try EdgeNode("cdg", of: platform, adding: ["--only", platform.account])
        #expect(try edge.get("hello").text == "mine")
        try platform.deploy(Platform.answering("neither is this to be seen"), as: "theirs", account: other)
        try platform.deploy(Platform.answering("mine too"), as: "hello")
        try edge.wait(for: "mine too", of: "hello")
        try edge.martlet.kill9()
        #expect(throws: Failure.self) { try edge.folder.damageFile(holding: "to be seen") }
        #expect(throws: Failure.self) { try edge.folder.damageFile(holding: other) }
    }

    /// Nobody tells of a change twice.
    @Test func aChangeThatCouldNotBeReadIsServedLater() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("1"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform)
        #expect(try edge.get("hello").text == "1")
        // A Worker whose name is none, newer than all that comes.
        try edge.execute(
            """
            INSERT INTO records (generation, kind, id, account, revision, change)
            SELECT value, 2, x'2e', '', 0, 1000000 FROM meta WHERE name = 'generation'
            """)
        try platform.deploy(Platform.answering("2"), as: "hello")
        try edge.martlet.logLine(containing: "routes cannot be followed", by: .patient)
        #expect(try edge.get("hello").text == "1")
        try edge.execute("DELETE FROM records WHERE change = 1000000")
        try edge.wait(for: "2", of: "hello")
    }
}
