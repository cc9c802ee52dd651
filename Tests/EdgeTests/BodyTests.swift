import Edge
import Model
import Testing

/// Bodies in both directions, and what happens when one side is slow.
@Suite struct BodyTests {
    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    private static func chunks(_ body: [UInt8], of size: Int) -> [UInt8] {
        var wire: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(size)
            wire += Array((String(chunk.count, radix: 16) + "\r\n").utf8) + chunk + Array("\r\n".utf8)
            rest = rest.dropFirst(size)
        }
        return wire + Array("0\r\n\r\n".utf8)
    }

    private func post(_ path: String, _ fields: String) -> [UInt8] {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n".latin1
    }

    @Test(arguments: ["/gather", "/pump"], [1, 1_000, 100_000, 3_000_000]) func echo(path: String, size: Int) throws {
        let server = try TestServer()
        let client = try server.connect()
        let body = Self.noise(size)
        for chunk in [nil, 7_000, 200_000] {
            // Answers to "/pump" come while the body is still being sent: reading and sending go hand in hand.
            let wire =
                chunk.map { post(path, "Transfer-Encoding: chunked") + Self.chunks(body, of: $0) }
                ?? post(path, "Content-Length: \(size)") + body
            let answer = try client.exchange(wire)
            #expect(answer.body == body)
        }
    }

    @Test func anEmptyBody() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(post("/gather", "Content-Length: 0"))
        try client.send(post("/gather", "Transfer-Encoding: chunked") + "0\r\n\r\n".latin1)
        #expect(try client.receiveAnswer().text == "")
        #expect(try client.receiveAnswer().text == "")
    }

    // MARK: Backpressure

    @Test func aClientThatDoesNotRead() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port, receiveBuffer: 4_096)
        let size = 20_000_000
        try client.send("GET /flood?\(size) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.log.wait(for: "full"))
        // Nothing moves any more, but other connections do.
        #expect(try server.ask("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasSuffix("/x"))
        #expect(!server.log.all.contains("flooded"))
        let answer = try client.receiveAnswer()
        #expect(answer.body.count == size)
        #expect(answer.body.allSatisfy { $0 == UInt8(ascii: "x") })
        #expect(server.log.wait(for: "flooded"))
    }

    @Test func aHandlerThatDoesNotRead() throws {
        let server = try TestServer()
        let client = try server.connect()
        let size = 50_000_000
        try client.send(post("/hold", "Content-Length: \(size)"))
        #expect(server.log.wait(for: "held /hold"))
        // The kernel's buffers and ours fill up; then no more is taken.
        #expect(server.fill(client, with: [UInt8](repeating: 0, count: 65_536), upTo: size) < size / 2)
    }

    /// A client that sends and sends but never reads an answer is not read from either.
    @Test func aClientThatOnlyAsks() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port, receiveBuffer: 4_096)
        let requests = String(repeating: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", count: 1_000).latin1
        #expect(server.fill(client, with: requests, upTo: 40_000_000) < 40_000_000)
    }

    // MARK: 100

    @Test func continueIsSentWhenTheBodyIsRead() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(post("/gather", "Content-Length: 3\r\nExpect: 100-continue"))
        #expect(try client.receive(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try client.send("abc")
        #expect(try client.receiveAnswer().text == "abc")
        try client.send("GET /end HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receiveAnswer().text == "/end")
    }

    @Test func continueIsNotSentWhenNobodyReads() throws {
        let server = try TestServer()
        let text = try server.ask(String(latin1: post("/ignore", "Content-Length: 3\r\nExpect: 100-continue")))
        #expect(text.hasPrefix("HTTP/1.1 200 OK"))
        #expect(text.contains("Connection: close"))
    }

    @Test func continueIsNotSentWhenTheBodyIsThere() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(post("/gather", "Content-Length: 3\r\nExpect: 100-continue") + "abc".latin1)
        #expect(try client.receiveAnswer().text == "abc")
        let old = "POST /gather HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na"
        #expect(try server.ask(old).contains("200 OK"))
        #expect(!(try server.ask(old).contains("100 Continue")))
    }

    // MARK: Bodies nobody wants

    @Test(arguments: ["/ignore", "/cancel"]) func anUnwantedBody(path: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        let body = Self.noise(100_000)
        for wire in [
            post(path, "Content-Length: \(body.count)") + body,
            post(path, "Transfer-Encoding: chunked") + Self.chunks(body, of: 9_999),
        ] {
            #expect(try client.exchange(wire).status == 200)
        }
        try client.send("GET /end HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receiveAnswer().text == "/end")
    }

    @Test func anUnwantedBodyThatIsTooLargeToRead() throws {
        let server = try TestServer()
        let known = try server.connect()
        try known.send(post("/ignore", "Content-Length: 1000000"))
        #expect(try known.receiveAnswer().fields["connection"] == "close")
        #expect(known.isEnded())
        let unknown = try server.connect()
        let wire = post("/ignore", "Transfer-Encoding: chunked") + Self.chunks(Self.noise(1_000_000), of: 50_000)
        _ = unknown.sendWithoutWaiting(wire)
        #expect(try unknown.receiveAnswer().text == "ignored")
    }

    // MARK: Limits

    @Test func aBodyThatIsTooLarge() throws {
        var limits = IngressLimits()
        limits.bodyBytes = 1_000
        let server = try TestServer(limits: limits)
        let announced = try server.ask(String(latin1: post("/gather", "Content-Length: 1001")))
        #expect(announced.hasPrefix("HTTP/1.1 413 "))
        let wire = post("/gather", "Transfer-Encoding: chunked") + Self.chunks(Self.noise(1_001), of: 100)
        let chunked = try server.ask(String(latin1: wire))
        #expect(chunked.hasPrefix("HTTP/1.1 413 "))
        #expect(chunked.contains("Martlet-Outcome: rejected\r\n"))
        // The handler hears of it while it streams.
        let client = try server.connect()
        try client.send(post("/gather", "Transfer-Encoding: chunked") + "3e8\r\n".latin1)
        #expect(server.log.wait(for: "began /gather"))
        try client.send(Self.noise(1_000) + "\r\n1\r\n".latin1)
        #expect(try client.receiveAnswer().status == 413)
        #expect(client.isEnded())
        #expect(server.log.wait(for: "closed /gather"))
    }

    @Test func anAnswerUnderWayIsBrokenOffByABadBody() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(post("/pump", "Transfer-Encoding: chunked") + "3\r\nabc\r\n".latin1)
        #expect(try client.receive(upTo: "abc\r\n").hasPrefix("HTTP/1.1 200"))
        try client.send("zzz\r\n")
        #expect(client.isEnded())
        #expect(server.log.wait(for: "closed /pump"))
    }
}

extension RawClient {
    /// Sends a request and reads its answer, both as they go.
    func exchange(_ wire: [UInt8]) throws -> Answer {
        var rest = wire[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(sendWithoutWaiting(Array(rest.prefix(1 << 16))))
            guard receiveWithoutWaiting() else { break }
        }
        return try receiveAnswer()
    }
}
