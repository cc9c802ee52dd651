import Testing

/// What clients send that keep to no rule, and what they are answered.
@Suite("HTTP/2 abuse") struct HTTP2AbuseTests {
    private static let worker = """
        export default { async fetch(request) {
          if (new URL(request.url).pathname === "/wait") await scheduler.wait(1e6);
          return new Response(await request.text());
        } };
        """

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// What comes back first of: a status, "RST code", "GOAWAY code".
        let answer: String
        /// Sends, on a connection whose preface is sent.
        let act: @Sendable (HTTP2Client) throws -> Void
        var testDescription: String { name }

        init(_ name: String, _ answer: String, _ act: @escaping @Sendable (HTTP2Client) throws -> Void) {
            self.name = name
            self.answer = answer
            self.act = act
        }

        /// A request with these fields.
        init(_ name: String, _ answer: String, fields: [(String, String)]) {
            self.init(name, answer) { $0.send(fields, on: 1) }
        }
    }

    /// A request's fields, one of them as given.
    private static func fields(_ name: String, _ value: String?) -> [(String, String)] {
        HTTP2Client.fields().compactMap { field in
            field.0 == name ? value.map { (name, $0) } : field
        }
    }

    private static func more(_ fields: (String, String)...) -> [(String, String)] {
        HTTP2Client.fields("GET", "/", fields)
    }

    static let frames: [Case] = [
        Case("HEADERS on stream 0", "GOAWAY 1") { $0.send(HTTP2Client.fields(), on: 0) },
        Case("an even stream", "GOAWAY 1") { $0.send(HTTP2Client.fields(), on: 2) },
        Case("a stream behind the last", "GOAWAY 1") {
            $0.send(HTTP2Client.fields("GET", "/wait"), on: 5)
            $0.send(HTTP2Client.fields("GET", "/wait"), on: 3)
        },
        Case("DATA on an idle stream", "GOAWAY 1") { $0.send(.data, flags: 1, on: 1, payload: [1]) },
        Case("DATA on stream 0", "GOAWAY 1") { $0.send(.data, flags: 1, on: 0, payload: [1]) },
        Case("DATA with more padding than bytes", "GOAWAY 1") {
            $0.send(HTTP2Client.fields("POST", "/wait"), on: 1, isEnd: false)
            $0.send(.data, flags: 9, on: 1, payload: [9, 0])
        },
        Case("DATA behind the end", "RST 5") {
            $0.send(HTTP2Client.fields("POST", "/wait"), on: 1)
            $0.send(.data, flags: 1, on: 1, payload: [1])
        },
        Case("a frame that is too long", "GOAWAY 6") {
            $0.send(.ping, payload: [UInt8](repeating: 0, count: 16_385))
        },
        Case("a PING of seven bytes", "GOAWAY 6") { $0.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7]) },
        Case("a PING on a stream", "GOAWAY 1") { $0.send(.ping, on: 1, payload: [1, 2, 3, 4, 5, 6, 7, 8]) },
        Case("SETTINGS of five bytes", "GOAWAY 6") { $0.send(.settings, payload: [0, 3, 0, 0, 1]) },
        Case("SETTINGS on a stream", "GOAWAY 1") { $0.send(.settings, on: 1) },
        Case("an initial window that is too large", "GOAWAY 3") {
            $0.send(.settings, payload: HTTP2Client.setting(4, 1 << 31))
        },
        Case("a frame size that is too small", "GOAWAY 1") { $0.send(.settings, payload: HTTP2Client.setting(5, 1)) },
        Case("a window that grows by nothing", "GOAWAY 1") { $0.send(.windowUpdate, payload: [0, 0, 0, 0]) },
        Case("a window over the limit", "GOAWAY 3") {
            $0.send(.windowUpdate, payload: HTTP2Client.number(1 << 31 - 1))
        },
        Case("a stream's window that grows by nothing", "RST 1") {
            $0.send(HTTP2Client.fields("GET", "/wait"), on: 1)
            $0.send(.windowUpdate, on: 1, payload: [0, 0, 0, 0])
        },
        Case("a stream's window over the limit", "RST 3") {
            $0.send(HTTP2Client.fields("GET", "/wait"), on: 1)
            $0.send(.windowUpdate, on: 1, payload: HTTP2Client.number(1 << 31 - 1))
        },
        Case("more DATA than the window", "RST 3") { client in
            try client.read { client.given[0] != nil }
            client.send(HTTP2Client.fields("POST", "/wait"), on: 1, isEnd: false)
            client.send([UInt8](repeating: 0, count: 300_000), on: 1, isEnd: false)
        },
        Case("CONTINUATION of nothing", "GOAWAY 1") { $0.send(.continuation, flags: 4, on: 1, payload: [0x82]) },
        Case("a header that is interrupted", "GOAWAY 1") {
            $0.send(.headers, flags: 1, on: 1, payload: HTTP2Client.block(HTTP2Client.fields()))
            $0.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8])
        },
        Case("RST_STREAM on an idle stream", "GOAWAY 1") { $0.send(.reset, on: 1, payload: [0, 0, 0, 8]) },
        Case("PUSH_PROMISE", "GOAWAY 1") {
            $0.send(.pushPromise, flags: 4, on: 1, payload: [0, 0, 0, 2] + HTTP2Client.block(HTTP2Client.fields()))
        },
        Case("a header that does not decompress", "GOAWAY 9") {
            $0.send(.headers, flags: 5, on: 1, payload: [0xff, 0xff, 0xff, 0xff, 0xff])
        },
        Case("a stream that depends on itself", "GOAWAY 1") { $0.send(.priority, on: 1, payload: [0, 0, 0, 1, 0]) },
        Case("a frame of an unknown kind", "200") {
            $0.connection.send(HTTP2Client.frame(type: 0xee, on: 1, payload: [1, 2, 3]))
            $0.send(HTTP2Client.fields(), on: 1)
        },
        Case("a header in many pieces", "200") { client in
            let block = HTTP2Client.block(HTTP2Client.fields())
            client.send(.headers, flags: 1, on: 1, payload: Array(block.prefix(9)))
            client.send(.continuation, on: 1, payload: Array(block.dropFirst(9).prefix(9)))
            client.send(.continuation, flags: 4, on: 1, payload: Array(block.dropFirst(18)))
        },
    ]

    static let requests: [Case] = [
        Case("a name in upper case", "RST 1", fields: more(("X-Upper", "1"))),
        Case("an empty name", "GOAWAY 9", fields: more(("", "1"))),
        Case("a name with a blank", "RST 1", fields: more(("a b", "1"))),
        Case("a field of the connection", "RST 1", fields: more(("connection", "close"))),
        Case("a coding", "RST 1", fields: more(("transfer-encoding", "chunked"))),
        Case("TE with more than trailers", "RST 1", fields: more(("te", "gzip"))),
        Case("a line end in a value", "RST 1", fields: more(("x-a", "1\r\nx-b: 2"))),
        Case("NUL in a value", "RST 1", fields: more(("x-a", "1\u{0}"))),
        Case("a control character in a value", "400", fields: more(("x-a", "1\u{1}"))),
        Case("a blank around a value", "400", fields: more(("x-a", " 1"))),
        Case("no method", "RST 1", fields: fields(":method", nil)),
        Case("no scheme", "RST 1", fields: fields(":scheme", nil)),
        Case("no path", "RST 1", fields: fields(":path", nil)),
        Case("an empty path", "RST 1", fields: fields(":path", "")),
        Case("two paths", "RST 1", fields: fields(":path", "/") + [(":path", "/")]),
        Case("a pseudo-header field behind others", "RST 1", fields: [("x-a", "1")] + HTTP2Client.fields()),
        Case("an unknown pseudo-header field", "RST 1", fields: [(":status", "200")] + HTTP2Client.fields()),
        Case("another scheme", "421", fields: fields(":scheme", "http")),
        Case("no host", "400", fields: fields(":authority", nil)),
        Case("a malformed host", "RST 1", fields: fields(":authority", "a b")),
        Case("a host with a user", "400", fields: fields(":authority", "user@localhost")),
        Case("two different hosts", "400", fields: more(("host", "other.test"))),
        Case("two Host fields", "400", fields: more(("host", "localhost"), ("host", "localhost"))),
        Case("the host in its old place", "200", fields: fields(":authority", nil) + [("host", "localhost")]),
        Case("a path without a slash", "400", fields: fields(":path", "path")),
        Case("an absolute path", "400", fields: fields(":path", "https://localhost/")),
        Case("a blank in the path", "RST 1", fields: fields(":path", "/a HTTP/1.1")),
        Case("a fragment in the path", "400", fields: fields(":path", "/#a")),
        Case("a path that is too long", "414", fields: fields(":path", "/" + String(repeating: "a", count: 1_100))),
        Case("a malformed method", "RST 1", fields: fields(":method", "GET /")),
        Case("CONNECT", "501", fields: [(":method", "CONNECT"), (":authority", "localhost")]),
        Case("an unknown expectation", "417", fields: more(("expect", "wonders"))),
        Case("too many fields", "431", fields: more() + (0..<101).map { ("x-\($0)", "1") }),
        Case("a length of no body", "RST 1", fields: more(("content-length", "4"))),
        Case("a malformed length", "RST 1", fields: more(("content-length", "four"))),
        Case("two lengths", "RST 1", fields: more(("content-length", "4"), ("content-length", "5"))),
        Case("a longer body than its length", "RST 1") {
            $0.send(HTTP2Client.fields("POST", "/wait", [("content-length", "2")]), on: 1, isEnd: false)
            $0.send(.data, flags: 1, on: 1, payload: [1, 2, 3])
        },
        Case("a shorter body than its length", "RST 1") {
            $0.send(HTTP2Client.fields("POST", "/wait", [("content-length", "4")]), on: 1, isEnd: false)
            $0.send(.data, flags: 1, on: 1, payload: [1, 2, 3])
        },
        Case("trailers that end nothing", "RST 1") {
            $0.send(HTTP2Client.fields("POST", "/wait"), on: 1, isEnd: false)
            $0.send([("x-a", "1")], on: 1, isEnd: false)
        },
        Case("trailers with a pseudo-header field", "RST 1") {
            $0.send(HTTP2Client.fields("POST", "/wait"), on: 1, isEnd: false)
            $0.send([(":path", "/")], on: 1, isEnd: true)
        },
    ]

    static let floods: [Case] = [
        Case("rapid reset", "GOAWAY 11") { client in
            for number in 0..<400 {
                client.send(HTTP2Client.fields("GET", "/wait"), on: 2 * number + 1)
                client.send(.reset, on: 2 * number + 1, payload: [0, 0, 0, 8])
            }
        },
        Case("CONTINUATION without end", "GOAWAY 11") { client in
            client.send(.headers, on: 1, payload: HTTP2Client.block(HTTP2Client.fields()))
            for _ in 0..<100 { client.send(.continuation, on: 1) }
        },
        Case("a header without end", "GOAWAY 1") { client in
            client.send(.headers, on: 1, payload: HTTP2Client.block(HTTP2Client.fields()))
            let more = HTTP2Client.block([("x-a", String(repeating: "a", count: 16_000))])
            for _ in 0..<10 { client.send(.continuation, on: 1, payload: more) }
        },
        Case("a compressed header that is large", "GOAWAY 9") { client in
            // One entry of the table, and a byte for each time it is meant.
            let entry = HTTP2Client.block([("x-a", String(repeating: "a", count: 3_000))]).dropFirst()
            let block = HTTP2Client.block(HTTP2Client.fields()) + [0x40] + entry
            client.send(.headers, flags: 5, on: 1, payload: block + [UInt8](repeating: 0xbe, count: 10_000))
        },
        Case("PING", "GOAWAY 11") { client in
            for _ in 0..<400 { client.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8]) }
        },
        Case("SETTINGS", "GOAWAY 11") { client in
            for number in 0..<400 { client.send(.settings, payload: HTTP2Client.setting(4, number)) }
        },
        Case("PRIORITY", "GOAWAY 11") { client in
            for number in 0..<400 { client.send(.priority, on: 2 * number + 1, payload: [0, 0, 0, 0, 0]) }
        },
        Case("empty DATA", "GOAWAY 11") { client in
            client.send(HTTP2Client.fields("POST", "/wait"), on: 1, isEnd: false)
            for _ in 0..<100 { client.send(.data, on: 1) }
        },
        Case("windows that open byte by byte", "GOAWAY 11") { client in
            for _ in 0..<3_000 { client.send(.windowUpdate, payload: [0, 0, 0, 1]) }
        },
        Case("errors of streams", "GOAWAY 11") { client in
            for number in 0..<400 { client.send(more(("connection", "close")), on: 2 * number + 1) }
        },
    ]

    /// What comes back first that is an answer, and whether the connection then ends.
    private func outcome(_ client: HTTP2Client) throws -> String {
        var answers: [String] = []
        while let frame = try client.frame() {
            if let code = client.goAway {
                // Our own floods may still be under way.
                _ = try? client.readAll()
                return "GOAWAY \(code)"
            }
            if let reset = client.resets[frame.stream], frame.kind == .reset {
                answers.append("RST \(reset)")
            } else if frame.kind == .headers, let answer = client.partialAnswer(on: frame.stream) {
                answers.append("\(answer.status)")
            }
            // One of many may be answered before the flood is one.
            if !answers.isEmpty, client.floods == false { return answers[0] }
        }
        return answers.first ?? "closed"
    }

    private func check(_ cases: [Case], floods: Bool = false) throws {
        let server = try SecureMartlet(Self.worker, nil, ["--front-lanes", "1", "--url-kb", "1"])
        for each in cases {
            let client = try HTTP2Client(server)
            client.floods = floods
            do {
                try each.act(client)
                #expect(try outcome(client) == each.answer, "\(each.name)")
            } catch {
                Issue.record("\(each.name): \(error)")
            }
            let next = try HTTP2Client(server)
            #expect(try next.get().status == 200, "after \(each.name)")
        }
    }

    @Test func malformedFramesAreRefused() throws { try check(Self.frames) }
    @Test func malformedRequestsAreRefused() throws { try check(Self.requests) }
    @Test func floodsEndTheConnection() throws { try check(Self.floods, floods: true) }

    /// With limits of five, ten are too many.
    @Test(arguments: [
        ("--http2-resets", "rapid reset"), ("--http2-control-frames", "PING"),
        ("--http2-stream-errors", "errors of streams"), ("--http2-window-updates", "windows that open byte by byte"),
    ]) func theirLimitsCanBeSet(flag: String, flood: String) throws {
        for limit in [5, 1_000_000] {
            let server = try SecureMartlet(Self.worker, nil, [flag, String(limit)])
            let client = try HTTP2Client(server)
            for number in 0..<10 {
                switch flag {
                case "--http2-resets":
                    client.send(HTTP2Client.fields("GET", "/wait"), on: 2 * number + 1)
                    client.send(.reset, on: 2 * number + 1, payload: [0, 0, 0, 8])
                case "--http2-control-frames": client.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8])
                case "--http2-stream-errors": client.send(Self.more(("connection", "close")), on: 2 * number + 1)
                default: client.send(.windowUpdate, payload: [0, 0, 0, 1])
                }
            }
            if limit == 5 {
                try client.readAll()
                #expect(client.goAway == 11, "\(flood)")
            } else {
                client.send(HTTP2Client.fields(), on: 99)
                #expect(try client.answer(on: 99).status == 200, "\(flood)")
            }
        }
    }

    @Test func aWrongPrefaceIsRefused() throws {
        let server = try SecureMartlet(Self.worker, nil)
        let client = try HTTP2Client(server, settings: nil)
        client.connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try client.readAll()
        #expect(client.goAway == 1)
    }

    @Test func requestsUnderWayHaveALimit() throws {
        let server = try SecureMartlet(Self.worker, nil, ["--http2-streams", "10"])
        let client = try HTTP2Client(server)
        #expect(try client.get().status == 200)
        #expect(client.settings[3] == 10)
        for _ in 0..<11 { _ = client.request("GET", "/wait") }
        try client.readAll()
        #expect(client.goAway == 1)
    }

    @Test func aLimitThatIsNotAcknowledgedIsKept() throws {
        let server = try SecureMartlet(Self.worker, nil, ["--http2-streams", "10"])
        let client = try HTTP2Client(server)
        client.acknowledges = false
        let streams = (0..<11).map { _ in client.request("GET", "/wait") }
        try client.read { !client.resets.isEmpty }
        #expect(client.resets == [streams[10]: 7])
        for _ in 0..<300 { _ = client.request("GET", "/wait") }
        try client.readAll()
        #expect(client.goAway == 11)
    }

    /// Many large answers that nobody takes: the later requests are not begun.
    @Test func aConnectionThatTakesNothingGetsNoMoreAnswers() throws {
        let worker = """
            export default { fetch() { console.log("begun"); return new Response("x".repeat(400000)); } };
            """
        let server = try SecureMartlet(worker, nil, ["--front-lanes", "1"])
        let client = try HTTP2Client(server, settings: [(4, 0)])
        client.opensWindows = false
        for _ in 0..<50 { _ = client.request() }
        client.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8])
        while try client.frame()?.kind != .ping {}
        let other = try HTTP2Client(server)
        #expect(try other.get().status == 200)
        let begun = server.martlet.logSoFar().filter { $0.contains("begun") }.count
        #expect(begun < 10)
        client.send(.settings, payload: HTTP2Client.setting(4, 1 << 24))
        client.send(.windowUpdate, payload: HTTP2Client.number(1 << 30))
        #expect(try client.answer(on: 99, by: .patient).body.count == 400_000)
    }
}
