import Foundation
import Testing

/// Connections whose requests are for Workers of several cordons: in the clear they go from host to host.
@Suite("Connections between cordons") struct HandBackTests {
    private let platform: Platform

    /// `a` and `b`, in cordons of their own.
    init() throws {
        platform = try Platform()
        for name in ["a", "b"] {
            let code = """
                export default { async fetch(request) {
                  if (request.url.endsWith("/early")) return new Response("\(name) early");
                  const body = await request.text();
                  const big = request.url.endsWith("/big") ? "x".repeat(1_000_000) : "";
                  return new Response(`\(name) ${new URL(request.url).pathname} ${body}${big}`);
                } };
                """
            try platform.deploy(code, as: name)
        }
        try platform.setCordon("paid", of: "b")
        // Both answer, and so the hosts know that they are two.
        for name in ["a", "b"] {
            let client = try platform.martlet.client("\(name).main.localhost")
            #expect(try client.get("/", by: .patient).text == "\(name) / ")
        }
    }

    private static func host(_ name: String) -> [(String, String)] { [("Host", "\(name).main.localhost")] }

    private static func head(_ name: String, _ path: String, _ fields: [(String, String)] = []) -> [UInt8] {
        Client.head(fields.isEmpty ? "GET" : "POST", path, host: "\(name).main.localhost", fields: fields)
    }

    private func client() throws -> Client { try platform.martlet.client("a.main.localhost") }

    @Test func requestsGoWhereTheyBelong() throws {
        let client = try client()
        for (index, name) in ["a", "b", "b", "a", "b", "a", "a"].enumerated() {
            let answer = try client.get("/\(index)", fields: Self.host(name), by: .patient)
            #expect(answer.text == "\(name) /\(index) ")
        }
        // A name that nobody has gets its answer, and the connection goes on.
        let nobody = try client.get(fields: [("Host", "nobody.example")], by: .patient)
        #expect([404, 421].contains(nobody.status))
        #expect(try client.get("/on", fields: Self.host("b"), by: .patient).text == "b /on ")
    }

    /// All at once; what waits to be sent of one answer is sent before the next host answers.
    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let client = try client()
        let names = ["a", "a", "b", "a", "b", "b", "a"]
        let requests = names.enumerated().flatMap { index, name in Self.head(name, index == 1 ? "/big" : "/\(index)") }
        try client.socket.sendAll(requests)
        for (index, name) in names.enumerated() {
            try client.expectAnswer(to: "GET")
            let text = try client.answer(by: .patient).text
            #expect(text.hasPrefix(index == 1 ? "\(name) /big x" : "\(name) /\(index) "), "\(text.prefix(80))")
        }
    }

    /// A body comes in part with its head, and the rest when another host has the connection.
    @Test(arguments: [false, true]) func bodiesFollow(_ isChunked: Bool) throws {
        let client = try client()
        #expect(try client.get("/", by: .patient).text == "a / ")
        let framing = isChunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", "10")
        let (first, second) =
            isChunked ? ("5\r\nfirst\r\n5\r\nse", "con\r\n0\r\n\r\n") : ("first", "secon")
        try client.socket.sendAll(Self.head("b", "/body", [framing]) + Array(first.utf8))
        try client.socket.sendAll(Array(second.utf8) + Self.head("a", "/after"))
        for expected in ["b /body firstsecon", "a /after "] {
            try client.expectAnswer(to: "POST")
            #expect(try client.answer(by: .patient).text == expected)
        }
    }

    /// The answer came before the body did: the next request stands behind the rest of it.
    @Test func aBodyThatNobodyReads() throws {
        let client = try client()
        try client.socket.sendAll(Self.head("a", "/early", [("Content-Length", "6")]) + Array("abc".utf8))
        try client.expectAnswer(to: "POST")
        #expect(try client.answer(by: .patient).text == "a early")
        try client.socket.sendAll(Array("def".utf8) + Self.head("b", "/next"))
        try client.expectAnswer(to: "GET")
        #expect(try client.answer(by: .patient).text == "b /next ")
    }

    @Test func whatIsNoRequestIsRefusedWhereItIs() throws {
        for (text, status) in [
            ("GET / HTTP/1.1\r\nHost: b.main.localhost\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: b.main.localhost\r\nHost: a.main.localhost\r\n\r\n", 400),
        ] {
            let client = try client()
            #expect(try client.get("/", by: .patient).text == "a / ")
            _ = try? client.socket.sendAll(Array(text.utf8))
            try client.expectAnswer(to: "GET")
            #expect(try client.answer(by: .patient).status == status)
        }
    }

    /// A head that is nearly as long as it may be goes along.
    @Test func aLongHead() throws {
        let client = try client()
        #expect(try client.get("/", by: .patient).text == "a / ")
        let fields = Self.host("b") + [("X", String(repeating: "x", count: 60_000))]
        #expect(try client.get("/long", fields: fields, by: .patient).text == "b /long ")
    }

    /// While the other host is on its way, a connection waits for it.
    @Test func aHostThatCrashes() throws {
        let client = try client()
        #expect(try client.get("/", by: .patient).text == "a / ")
        let rows = try platform.martlet.serverStatus()["hosts"].array ?? []
        let paid = try #require(rows.first { $0["cordon"].string == "paid" }?["pid"].int)
        kill(pid_t(paid), SIGKILL)
        #expect(try client.get("/again", fields: Self.host("b"), by: .patient).text == "b /again ")
    }

    /// What TLS knows of a connection cannot be moved.
    @Test func encryptedConnectionsStay() throws {
        let certificates = try CertificateFolder()
        try certificates.make("default", names: ["*.main.localhost"])
        let platform = try Platform(["--tls-port", "0", "--tls-dir", certificates.path])
        for name in ["a", "b"] { try platform.deploy(Platform.answering(name), as: name) }
        try platform.setCordon("paid", of: "b")
        try wait(until: "b is elsewhere", by: .patient) {
            let client = try SecureClient(port: platform.martlet.ports[1], name: "a.main.localhost", by: .patient)
            for name in ["a", "b"] {
                client.send("GET / HTTP/1.1\r\nHost: \(name).main.localhost\r\n\r\n")
            }
            client.send("GET / HTTP/1.1\r\nHost: a.main.localhost\r\nConnection: close\r\n\r\n")
            let text = String(decoding: try client.receiveAll(by: .patient), as: UTF8.self)
            return text.components(separatedBy: "HTTP/1.1 421").count == 2 && text.hasSuffix("\r\na")
        }
    }
}
