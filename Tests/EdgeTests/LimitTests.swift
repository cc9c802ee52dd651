import Edge
import Model
import Testing

/// Requests that are refused, times that run out, and connections that are too many.
@Suite struct LimitTests {
    // MARK: Refusals on the wire

    /// What would be two requests to one party and one to another: refused, and nothing behind it is read as a request.
    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 44\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\r\n: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabGET /smuggled",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;\n\r\na\r\n0\r\n\r\n",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000001\r\na\r\n0\r\n\r\n",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
    ]) func smuggling(_ request: String) throws {
        let server = try TestServer()
        let text = try server.ask(request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(text.contains("Connection: close\r\n"))
        #expect(text.contains("Martlet-Outcome: rejected\r\n"))
        #expect(text.components(of: "HTTP/1.1 ") == 1)
        #expect(!text.contains("smuggled"))
    }

    @Test(arguments: [
        ("GET /\(String(repeating: "a", count: 16_384)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 131_072))\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 100))\r\n", 431),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 104857601\r\n\r\n", 413),
        ("<script>alert(1)</script> / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ]) func refusals(_ request: String, _ status: Int) throws {
        let server = try TestServer()
        let text = try server.ask(request)
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(!text.contains("script"))
    }

    /// Each size, at a setting that is easily reached: just within it, and one more.
    @Test(arguments: [
        Size(status: 414) { "GET /\(text($0 - 1)) HTTP/1.1\r\nHost: a\r\n\r\n" },
        Size(status: 431) { "GET / HTTP/1.1\r\nHost: a\r\nX: \(text($0 - 14))\r\n\r\n" },
        Size(status: 413) { "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: \($0)\r\n\r\n\(text($0))" },
        Size(status: 413) { chunked("\(String($0, radix: 16))\r\n\(text($0))\r\n0\r\n\r\n") },
        Size(status: 400) { chunked("1;\(text($0 - 1))\r\na\r\n0\r\n\r\n") },
        Size(status: 431) { chunked("0\r\nX: \(text($0 - 5))\r\n\r\n") },
    ]) func sizes(_ size: Size) throws {
        var limits = IngressLimits()
        limits.urlBytes = 64
        limits.headerBytes = 64
        limits.bodyBytes = 64
        limits.chunkExtensionBytes = 64
        limits.trailerBytes = 64
        let server = try TestServer(limits: limits)
        let client = try server.connect()
        try client.send(size.request(64))
        #expect(try client.receiveAnswer().status == 200)
        try client.send(size.request(65))
        let answer = try client.receiveAnswer()
        #expect(answer.status == size.status)
        #expect(answer.fields["connection"] == "close")
        #expect(client.isEnded())
    }

    /// A request some part of which has a size, and the status if that is too much.
    struct Size: Sendable, CustomTestStringConvertible {
        let status: Int
        let request: @Sendable (Int) -> String
        var testDescription: String { "\(status): \(request(16).debugDescription)" }

        init(status: Int, _ request: @escaping @Sendable (Int) -> String) {
            self.status = status
            self.request = request
        }
    }

    private static func text(_ count: Int) -> String { String(repeating: "a", count: count) }

    private static func chunked(_ body: String) -> String {
        "POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    @Test func aLargeHeaderWithinTheLimits() throws {
        let server = try TestServer()
        let client = try server.connect()
        let value = String(repeating: "a", count: 64_000)
        let path = "/" + String(repeating: "b", count: 16_000)
        try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nX: \(value)\r\nY: \(value)\r\n\r\n")
        #expect(try client.receiveAnswer().text == path)
    }

    /// Answers before the refusal still arrive, in order.
    @Test func aRefusalBehindGoodRequests() throws {
        let server = try TestServer()
        let text = try server.ask(
            "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\n\r\n")
        let places = ["/later/1", "/2", "400 Bad Request"].compactMap { text.firstRange(of: $0)?.lowerBound }
        #expect(places.count == 3 && places == places.sorted())
    }

    // MARK: Times

    private static var impatient: IngressLimits {
        var limits = IngressLimits()
        limits.headerMilliseconds = 150
        limits.idleMilliseconds = 150
        limits.bodyMilliseconds = 150
        limits.writeStallMilliseconds = 150
        limits.lingerMilliseconds = 150
        return limits
    }

    @Test(arguments: ["", "G", "GET / HTTP/1.1\r\nHost: a\r\nX: "]) func aHeaderThatDoesNotCome(start: String) throws {
        let server = try TestServer(limits: Self.impatient)
        let text = try server.ask(start)
        #expect(text.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(text.contains("Connection: close\r\n"))
    }

    /// Byte after byte does not buy time.
    @Test func slowloris() throws {
        let server = try TestServer(limits: Self.impatient)
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n")
        var fields = 0
        while fields < 100_000, client.sendWithoutWaiting("X: y\r\n".latin1) > 0 {
            fields += 1
            if client.hasInput(within: 5) { break }
        }
        #expect(fields < 90)
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 408 "))
    }

    @Test func anIdleConnection() throws {
        let server = try TestServer(limits: Self.impatient)
        let client = try server.connect()
        try client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receiveAnswer().text == "/x")
        #expect(client.isEnded())
        #expect(server.connectionCount == 0)
    }

    @Test func aBodyThatDoesNotCome() throws {
        let server = try TestServer(limits: Self.impatient)
        let text = try server.ask("POST /gather HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        #expect(text.hasPrefix("HTTP/1.1 408 "))
        #expect(server.log.wait(for: "closed /gather"))
    }

    /// Bytes that come one by one do not buy more time than they are worth.
    @Test func aBodyThatTrickles() throws {
        let server = try TestServer(limits: Self.impatient)
        let client = try server.connect()
        try client.send("POST /gather HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        var sent = 0
        while sent < 1_000, client.sendWithoutWaiting([0]) > 0, !client.hasInput(within: 5) { sent += 1 }
        #expect(sent < 1_000)
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 408 "))
    }

    /// A handler may take its time: no deadline runs while the client has nothing to do.
    @Test func aSlowAnswer() throws {
        var limits = Self.impatient
        limits.idleMilliseconds = 60_000
        let server = try TestServer(limits: limits)
        let client = try server.connect()
        try client.send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        #expect(server.log.wait(for: "held /hold"))
        // Another client's deadline passes in the meantime.
        #expect(try server.ask("G").hasPrefix("HTTP/1.1 408 "))
        #expect(try server.ask("GET /release HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasSuffix("release"))
        #expect(try client.receiveAnswer().text == "released")
    }

    @Test func aClientThatStopsReading() throws {
        let server = try TestServer(limits: Self.impatient)
        let client = try RawClient(port: server.listener.port, receiveBuffer: 4_096)
        try client.send("GET /flood?20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.log.wait(for: "closed /flood"))
        #expect(server.connectionCount == 0)
    }

    // MARK: Connections

    @Test func tooManyConnections() throws {
        var limits = IngressLimits()
        limits.connections = 2
        let server = try TestServer(limits: limits)
        let first = try server.connect()
        var second: RawClient? = try server.connect()
        try second?.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try second?.receiveAnswer().status == 200)
        let third = try server.connect()
        let answer = try third.receiveAnswer()
        #expect(answer.status == 503)
        #expect(answer.fields["retry-after"] == "1")
        #expect(answer.fields["martlet-outcome"] == "loadShed")
        #expect(third.isEnded())
        // There is room again when one has gone.
        second = nil
        #expect(server.wait(forConnections: 1))
        #expect(try server.ask("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        _ = first
    }

    @Test func tooManyConnectionsFromOneAddress() throws {
        var limits = IngressLimits()
        limits.connectionsPerAddress = 1
        let lenient = try TestServer(limits: limits)
        let first = try lenient.connect()
        let second = try lenient.connect()
        try second.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try second.receiveAnswer().status == 200)
        limits.countsLoopback = true
        let strict = try TestServer(limits: limits)
        let third = try strict.connect()
        let fourth = try strict.connect()
        #expect(try fourth.receiveAnswer().status == 429)
        _ = (first, third)
    }
}

extension String {
    fileprivate func components(of separator: String) -> Int { ranges(of: separator).count }
}
