import Testing

/// Zones with a server behind them: what no Worker takes goes there.
@Suite("What stands behind a zone") struct ZoneOriginTests {
    private static func zone(
        _ platform: Platform, origin: String?, token: String? = nil
    ) throws -> String {
        let origin = origin.map { ",\"origin\":\"\($0)\"" } ?? ""
        let body = #"{"name":"example.com","account":{"id":"\#(platform.account)"},"type":"full"\#(origin)}"#
        return try #require(try platform.done("POST", "/zones", json: body, token: token)["id"].string)
    }

    private static func route(_ platform: Platform, _ zone: String, _ pattern: String, _ script: String?) throws {
        let script = script.map { ",\"script\":\"\($0)\"" } ?? ""
        try platform.done("POST", "/zones/\(zone)/workers/routes", json: "{\"pattern\":\"\(pattern)\"\(script)}")
    }

    @Test func whatNoWorkerTakesGoesThere() throws {
        let platform = try Platform()
        let origin = try Origin.echoing()
        let zone = try Self.zone(platform, origin: origin.url)
        #expect(try platform.upload(Platform.answering("worker"), as: "w").status == 200)
        try Self.route(platform, zone, "example.com/w/*", "w")
        try Self.route(platform, zone, "example.com/w/not/*", nil)
        #expect(try platform.martlet.get("/w/x", host: "example.com").text == "worker")
        for path in ["/", "/w/not/x"] {
            let answer = try platform.martlet.get(path, host: "example.com")
            #expect(answer.status == 200, "\(answer.summary)")
            #expect(try answer.json()["target"].string == path)
        }
        let client = try platform.martlet.client("www.example.com:8080")
        try client.send(
            "POST", "/a%2Fb/../c?x=%20&y",
            fields: [
                ("X-Own", "1"), ("Connection", "keep-alive, X-Hop"), ("X-Hop", "no"), ("TE", "trailers"),
                ("CF-Connecting-IP", "6.6.6.6"), ("Accept-Encoding", "zstd"), ("Cookie", "a=b"),
            ], body: Array("body".utf8))
        let seen = try client.answer(by: .patient).json()
        let headers = seen["headers"]
        #expect(seen["method"].string == "POST")
        #expect(seen["target"].string == "/a%2Fb/../c?x=%20&y")
        #expect(seen["body"].string == "body")
        #expect(headers["host"].string == "www.example.com:8080")
        #expect(headers["x-own"].string == "1")
        #expect(headers["cookie"].string == "a=b")
        #expect(headers["accept-encoding"].string == "zstd")
        #expect(headers["cf-connecting-ip"].string == "127.0.0.1")
        #expect(headers["x-forwarded-for"].string == "127.0.0.1")
        #expect(headers["cdn-loop"].string == "martlet; loops=1")
        #expect(headers["cf-ray"] != .null)
        for name in ["x-hop", "te"] { #expect(headers[name] == .null, "\(name)") }
        // Another host is none of the zone's.
        #expect(try platform.martlet.get(host: "example.org").status == 404)
        let shown = try platform.done("GET", "/zones/\(zone)")
        #expect(shown["origin"].string == origin.url)
        try platform.killAndStart()
        #expect(try platform.martlet.get(host: "example.com").status == 200)
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":null}"#)
        #expect(try platform.martlet.get(host: "example.com").status == 404)
    }

    @Test func answersComeAsTheyAre() throws {
        let platform = try Platform()
        let origin = try Origin.answering { request in
            switch request.target {
            case "/304": OriginAnswer(status: 304, fields: [("ETag", "\"x\"")])
            case "/hop":
                .text("x", [("Connection", "X-Hop"), ("X-Hop", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")])
            case "/gzip": .text("not really", [("Content-Encoding", "gzip")])
            default: .text("no", status: 404, [("X-Kept", "yes")])
            }
        }
        _ = try Self.zone(platform, origin: origin.url)
        func get(_ path: String) throws -> Answer { try platform.martlet.get(path, host: "example.com") }
        #expect(try get("/304").status == 304)
        let hop = try get("/hop")
        #expect(hop["X-Hop"] == nil)
        #expect(hop.values(of: "Set-Cookie") == ["a", "b"])
        #expect(try get("/gzip").text == "not really")
        let missing = try get("/none")
        #expect(missing.status == 404)
        #expect(missing["X-Kept"] == "yes")
        #expect(missing.text == "no")
        let client = try platform.martlet.client("example.com")
        try client.send("HEAD", "/none")
        #expect(try client.answer(by: .patient)["Content-Length"] == "2")
        #expect(try client.get("/none").text == "no")
    }

    @Test func bodiesStreamBothWays() throws {
        let platform = try Platform()
        let origin = try Origin { connection in
            while let request = try connection.head() {
                connection.began(request)
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                var received = 0
                // Each piece comes back before the next is read.
                while let piece = try connection.piece(of: request, after: received) {
                    received += piece.count
                    try connection.send("\(String(piece.count, radix: 16))\r\n")
                    try connection.send(piece)
                    try connection.send("\r\n")
                }
                try connection.send("0\r\n\r\n")
            }
        }
        _ = try Self.zone(platform, origin: origin.url)
        let client = try platform.martlet.client("example.com")
        try client.sendHead("POST", "/")
        for text in ["one", "two", "three"] {
            try client.sendChunk(Array(text.utf8))
            #expect(try client.piece(by: .patient) == Array(text.utf8))
        }
        try client.sendChunk([])
        #expect(try client.piece(by: .patient) == nil)
        for isChunked in [false, true] {
            var upload = Upload(total: 20 << 20, isChunked: isChunked)
            let socket = try platform.martlet.client("example.com").socket
            try socket.sendAll(Client.head("POST", "/", host: "example.com", fields: [upload.framing]))
            let echo = try upload.exchange(on: socket)
            #expect(echo.received == 20 << 20)
            #expect(echo.isSame)
        }
    }

    @Test func webSocketsPassThrough() throws {
        let platform = try Platform()
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            try socket.send("hello")
            try socket.echo()
        }
        _ = try Self.zone(platform, origin: origin.url)
        let client = try SocketClient(
            platform.martlet, "/chat",
            fields: [
                ("Host", "example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ])
        #expect(client.answer.hasPrefix("HTTP/1.1 101 "))
        #expect(client.answer.lowercased().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="))
        #expect(try client.next() == .text("hello"))
        let bytes = [UInt8](repeating: 7, count: 1_000_000)
        try client.send(SocketClient.frame(2, bytes))
        #expect(try client.next() == .binary(bytes))
        try client.send(SocketClient.frame(8, [3, 232]))
        #expect(try client.next() == .close(1000, ""))
    }

    @Test func aWorkerReachesWhatIsBehindIt() throws {
        let platform = try Platform()
        let origin = try Origin.echoing()
        let zone = try Self.zone(platform, origin: origin.url)
        let code = """
            export default { async fetch(request, env, ctx) {
              const { pathname } = new URL(request.url);
              if (pathname.startsWith("/throw")) {
                ctx.passThroughOnException();
                if (pathname === "/throw-late") await request.text();
                throw new Error("broken");
              }
              const answer = await fetch(pathname === "/other" ? "http://api.example.com/x" : request);
              const seen = await answer.json();
              return Response.json({ ...seen, passed: true });
            } };
            """
        #expect(try platform.upload(code, as: "w").status == 200)
        try Self.route(platform, zone, "*example.com/*", "w")
        let answer = try platform.martlet.get("/page?q", host: "example.com").json()
        #expect(answer["passed"] == .bool(true))
        #expect(answer["target"].string == "/page?q")
        #expect(answer["headers"]["host"].string == "example.com")
        #expect(answer["headers"]["cf-worker"].string == "example.com")
        #expect(
            try platform.martlet.get("/other", host: "example.com").json()["headers"]["host"].string
                == "api.example.com")
        func post(_ path: String) throws -> Answer {
            let client = try platform.martlet.client("example.com")
            try client.send("POST", path, body: Array("the body".utf8))
            return try client.answer(by: .patient)
        }
        let thrown = try post("/throw")
        #expect(thrown.status == 200, "\(thrown.summary)")
        #expect(try thrown.json()["body"].string == "the body")
        // What the Worker has read cannot be sent again.
        #expect(try post("/throw-late").errorNumber == 1101)
        // Without anything behind it an exception is one, and the zone is no more than a name.
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":null}"#)
        #expect(try post("/throw").errorNumber == 1101)
        // With the flag a fetch goes out as any other.
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(origin.url)"}"#)
        let flag = #","compatibility_flags":["global_fetch_strictly_public"]"#
        #expect(try platform.upload(code, as: "w", metadata: flag).status == 200)
        #expect(try platform.martlet.get("/page", host: "example.com").errorNumber == 1101)
    }

    @Test func onlyTheOperatorReachesInside() throws {
        let platform = try Platform()
        let origin = try Origin.echoing()
        try platform.done("POST", "/accounts/{A}/allowed-zones", json: #"{"name":"example.com"}"#)
        let token = try #require(
            try platform.done("POST", "/accounts/{A}/tokens", json: #"{"name":"t","scope":"admin"}"#)["value"].string)
        let zone = try Self.zone(platform, origin: origin.url, token: token)
        func get() throws -> Answer { try platform.martlet.get(host: "example.com") }
        #expect(try get().status == 502)
        // Nor does a Worker, by its own zone.
        let code = """
            export default { fetch: (request) => fetch(request).catch((error) => new Response(error.message)) };
            """
        #expect(try platform.upload(code, as: "w").status == 200)
        try Self.route(platform, zone, "example.com/w", "w")
        #expect(try platform.martlet.get("/w", host: "example.com").text.contains("may not connect"))
        #expect(origin.connections == 0)
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(origin.url)"}"#)
        #expect(try get().status == 200)
        // Whoever sets it last says whose word it is.
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(origin.url)"}"#, token: token)
        #expect(try get().status == 502)
        for wrong in [
            "ftp://x", "x", "http://", "http://a/b", "http://a?b", "http://u:p@a", "http://a:0", "http://a b",
        ] {
            let refused = try platform.call("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(wrong)"}"#)
            #expect(refused.code == 10026, "\(wrong)")
        }
        #expect(try platform.call("PATCH", "/zones/\(zone)", json: #"{"name":"x"}"#).code == 10026)
        let other = try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string ?? ""
        let foreign = try platform.done("POST", "/accounts/\(other)/tokens", json: #"{"name":"t"}"#)["value"].string
        #expect(try platform.call("PATCH", "/zones/\(zone)", token: foreign, json: "{}").status == 404)
        // A suspended account's site is closed.
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(origin.url)"}"#)
        try platform.done("PUT", "/accounts/{A}", json: #"{"suspended":true}"#)
        #expect(try get().status == 403)
    }

    @Test func circlesAndDeadServersEnd() throws {
        let platform = try Platform()
        let zone = try Self.zone(platform, origin: "http://127.0.0.1:\(platform.martlet.port)")
        let circle = try platform.martlet.get(host: "example.com", by: .patient)
        #expect(circle.status == 508)
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"http://127.0.0.1:1"}"#)
        #expect(try platform.martlet.get(host: "example.com").status == 502)
        let cut = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        }
        try platform.done("PATCH", "/zones/\(zone)", json: #"{"origin":"\#(cut.url)"}"#)
        let client = try platform.martlet.client("example.com")
        try client.send()
        #expect(throws: (any Error).self) { _ = try client.answer(by: .patient) }
    }
}
