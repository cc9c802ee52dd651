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
        let path = script.map { "/accounts/{A}/workers/scripts/\($0)/cordon" } ?? "/accounts/{A}/cordon"
        try platform.done("PUT", path, json: #"{"cordon":\#(cordon.map { "\"\($0)\"" } ?? "null")}"#)
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
}
