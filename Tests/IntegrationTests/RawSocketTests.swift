import Testing

/// What clients send over HTTP/1.1 that keep to no rule, and what a server with Workers answers them, with and without
/// TLS: docs/limits.md has the table. (HTTP/2's is in HTTP2AbuseTests; the parser's, byte by byte, in EdgeTests.)
@Suite("Raw sockets") struct RawSocketTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let wire: String
        /// The statuses that come back, in order; then the connection ends.
        let answer: [Int]
        var testDescription: String { name }

        init(_ name: String, _ answer: Int..., wire: String) {
            self.name = name
            self.wire = wire
            self.answer = answer
        }

        /// A request with these lines behind the Host field, and a body.
        init(_ name: String, _ answer: Int..., lines: String, body: String = "") {
            self.name = name
            self.answer = answer
            wire = "POST /first HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n\(body)"
        }
    }

    /// Two parties could see different requests.
    static let smuggling = [
        Case("CL.TE", 400, lines: "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\nG"),
        Case("TE.CL", 400, lines: "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", body: "5c\r\nGPOST"),
        Case("TE.TE, one obscured", 400, lines: "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n"),
        Case("CL.0", 400, lines: "Content-Length: 0\r\nContent-Length: 30\r\n"),
        Case("lengths in a list", 400, lines: "Content-Length: 3, 3\r\n", body: "abc"),
        Case("a length with a sign", 400, lines: "Content-Length: +3\r\n", body: "abc"),
        Case("a coding that is none", 400, lines: "Transfer-Encoding: xchunked\r\n", body: "0\r\n\r\n"),
        Case("a coding behind a control character", 400, lines: "Transfer-Encoding: \u{b}chunked\r\n"),
        Case("chunked is not last", 400, lines: "Transfer-Encoding: chunked, identity\r\n", body: "0\r\n\r\n"),
        Case("a blank before the colon", 400, lines: "Transfer-Encoding : chunked\r\n", body: "0\r\n\r\n"),
        Case("a folded field", 400, lines: "X: y\r\n Transfer-Encoding: chunked\r\n"),
        Case("a bare line feed", 400, lines: "X: y\nTransfer-Encoding: chunked\r\n"),
        Case("a bare carriage return", 400, lines: "X: y\rTransfer-Encoding: chunked\r\n"),
        Case(
            "a chunk's size that overflows", 413, lines: "Transfer-Encoding: chunked\r\n", body: "FFFFFFFFFFFFFFFF\r\nx"
        ),
        Case(
            "a size of 17 digits", 400, lines: "Transfer-Encoding: chunked\r\n", body: "00000000000000001\r\nx"),
        Case("a chunk that ends elsewhere", 400, lines: "Transfer-Encoding: chunked\r\n", body: "1\r\nabX"),
        Case("a line feed in a chunk's extension", 400, lines: "Transfer-Encoding: chunked\r\n", body: "1;\n\r\na\r\n"),
        Case(
            "chunked in HTTP/1.0", 400,
            wire: "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case("two hosts", 400, wire: "GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n"),
        Case("no host", 400, wire: "GET / HTTP/1.1\r\n\r\n"),
        Case("a host with a path", 400, wire: "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n"),
        Case(
            "behind a good request", 200, 400,
            wire: "GET /good HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    ]

    static let malformed = [
        Case("NUL in a field", 400, lines: "X: a\u{0}b\r\n"),
        Case("NUL in the target", 400, wire: "GET /\u{0} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case("no version", 400, wire: "GET /\r\n\r\n"),
        Case("a version that is none", 505, wire: "GET / HTTP/7.7\r\nHost: localhost\r\n\r\n"),
        Case("two blanks", 400, wire: "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case("a method that is no token", 400, wire: "G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case("a tunnel", 501, wire: "CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n"),
        Case("HTTP/2 without TLS", 400, wire: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Case("an expectation", 417, lines: "Content-Length: 1\r\nExpect: wonders\r\n"),
        Case("bytes at random", 400, wire: "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n"),
    ]

    static let oversize = [
        Case("a target of 17 KB", 414, wire: "GET /\(text(17_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case("a field of 132 KB", 431, lines: "X: \(text(132_000))\r\n"),
        Case("101 fields", 431, lines: String(repeating: "X: y\r\n", count: 101)),
        Case("a body of 2 MB, by its length", 413, lines: "Content-Length: 2000000\r\n"),
        Case("a body of 2 MB, by its chunks", 413, lines: "Transfer-Encoding: chunked\r\n", body: "1e8480\r\n"),
        Case("a trailer of 9 KB", 431, lines: "Transfer-Encoding: chunked\r\n", body: "0\r\nX: \(text(9_000))\r\n"),
        Case(
            "chunk extensions of 5 KB", 400, lines: "Transfer-Encoding: chunked\r\n", body: "1;\(text(5_000))\r\n"),
    ]

    /// A second and a half is all they get.
    static let slow = [
        Case("nothing", 408, wire: ""),
        Case("half a request line", 408, wire: "GET /fir"),
        Case("half a header", 408, wire: "GET /first HTTP/1.1\r\nHost: localhost\r\nX: "),
        Case("half a body", 408, lines: "Content-Length: 10\r\n", body: "abc"),
        Case("half a chunk", 408, lines: "Transfer-Encoding: chunked\r\n", body: "a\r\nabc"),
    ]

    private static func text(_ count: Int) -> String { String(repeating: "a", count: count) }

    private static let worker = """
        export default { async fetch(request) {
          const { pathname } = new URL(request.url);
          if (pathname !== "/first") console.log("saw " + pathname);
          try { return new Response(await request.text()); } catch { return new Response("broken", { status: 599 }); }
        } };
        """

    private static func serve(_ flags: [String] = []) throws -> SecureMartlet {
        try SecureMartlet(worker, nil, ["--body-mb", "1"] + flags)
    }

    /// The statuses of what comes back until the connection ends.
    private static func statuses(_ text: String) -> [Int] {
        text.ranges(of: "HTTP/1.1 ").compactMap { Int(text[$0.upperBound...].prefix(3)) }
    }

    private static func plain(_ each: Case, _ suffix: String, _ server: SecureMartlet) throws -> [Int] {
        let socket = try Socket(port: server.martlet.port)
        // What is refused early may not be read to its end.
        try? socket.sendAll(Array((each.wire + suffix).unicodeScalars.map { UInt8($0.value) }))
        var bytes: [UInt8] = []
        while let more = try socket.receive(by: .patient) { bytes += more }
        return statuses(String(decoding: bytes, as: UTF8.self))
    }

    private static func secure(_ each: Case, _ suffix: String, _ server: SecureMartlet) throws -> [Int] {
        let client = try server.client()
        client.send((each.wire + suffix).unicodeScalars.map { UInt8($0.value) })
        return statuses(String(decoding: try client.receiveAll(by: .patient), as: UTF8.self))
    }

    private func check(_ cases: [Case], smuggled: Bool = true, _ server: SecureMartlet) throws {
        let suffix = smuggled ? "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n" : ""
        for each in cases {
            #expect(try Self.plain(each, suffix, server) == each.answer, "\(each.name)")
            #expect(try Self.secure(each, suffix, server) == each.answer, "\(each.name), over TLS")
        }
        #expect(try server.martlet.get("/good").status == 200)
        #expect(!server.martlet.logSoFar().contains { $0.contains("saw /smuggled") })
    }

    @Test func smugglingIsRefused() throws { try check(Self.smuggling, try Self.serve()) }
    @Test func theMalformedIsRefused() throws { try check(Self.malformed, try Self.serve()) }
    @Test func theOversizedIsRefused() throws { try check(Self.oversize, try Self.serve()) }

    @Test func theSlowAreNotWaitedFor() throws {
        let times = ["--header-timeout-ms", "1500", "--body-timeout-ms", "1500"]
        try check(Self.slow, smuggled: false, try Self.serve(times))
    }
}
