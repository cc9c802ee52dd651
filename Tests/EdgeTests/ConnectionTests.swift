import Edge
import Model
import Runtime
import Testing

/// Requests and answers over real sockets.
@Suite struct ConnectionTests {
    private static let get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

    private func get(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    // MARK: Keep-alive and order

    @Test func anAnswer() throws {
        let server = try TestServer()
        let client = try server.connect()
        for path in ["/one", "/two", "/three"] {
            try client.send(get(path))
            let answer = try client.receiveAnswer()
            #expect(answer.status == 200)
            #expect(answer.text == path)
            #expect(answer.fields["server"] == "martlet")
            #expect(answer.fields["connection"] == nil)
            #expect(answer.fields["martlet-outcome"] == nil)
            let date = try #require(answer.fields["date"])
            #expect(date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT/) != nil)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let server = try TestServer()
        let client = try server.connect()
        let paths = (0..<100).map { $0 % 3 == 0 ? "/later/\($0)" : "/now/\($0)" }
        try client.send(paths.map { get($0) }.joined())
        for path in paths { #expect(try client.receiveAnswer().text == path) }
    }

    @Test func pipelinedRequestsInAnyPieces() throws {
        let server = try TestServer()
        let requests =
            get("/a") + "POST /gather HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get("/b")
            + "POST /pump HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
            + get("/c")
        for size in [1, 2, 3, 5, 17, 64] {
            let client = try server.connect()
            var rest = requests.latin1[...]
            while !rest.isEmpty {
                try client.send(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            for text in ["/a", "abc", "/b", "def", "/c"] {
                #expect(try client.receiveAnswer().text == text, "\(size) bytes at a time")
            }
        }
    }

    @Test func connectionClose() throws {
        let server = try TestServer()
        let answer = try server.ask(get("/x", "Connection: close\r\n") + get("/never"))
        #expect(answer.hasSuffix("\r\n\r\n/x"))
        #expect(answer.contains("Connection: close\r\n"))
    }

    @Test func version10() throws {
        let server = try TestServer()
        let answer = try server.ask("GET /x HTTP/1.0\r\nHost: a\r\n\r\n")
        #expect(answer.contains("Connection: close\r\n"))
        let client = try server.connect()
        for _ in 0..<2 {
            try client.send("GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            #expect(try client.receiveAnswer().fields["connection"] == "keep-alive")
        }
        // Without chunks, the end of the connection is the end of the body.
        try client.send("GET /pieces HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        let pieces = try client.receiveAnswer()
        #expect(pieces.text == "onetwothree")
        #expect(pieces.fields["connection"] == "close")
        #expect(pieces.fields["transfer-encoding"] == nil)
    }

    // MARK: What the handler sees

    @Test func theHead() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send("PUT /head?q HTTP/1.1\r\nX-A: 1\r\nConnection: keep-alive\r\nHost: A.b:1\r\nX-a:  2 \r\n\r\n")
        #expect(try client.receiveAnswer().text == "PUT\nhttp://a.b:1/head?q\nx-a: 1\nhost: A.b:1\nx-a: 2\nbody: false")
        try client.send("POST /head HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(try client.receiveAnswer().text == "POST\nhttp://a/head\nhost: a\nbody: true")
    }

    // MARK: Forms of answers

    @Test func head() throws {
        let server = try TestServer()
        let client = try server.connect()
        for (path, length) in [("/x", "2"), ("/pieces", nil), ("/declared", "1234"), ("/status/204", nil)] {
            try client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try client.receiveAnswer(isBodiless: true)
            #expect(answer.fields["content-length"] == length, "\(path)")
            #expect(answer.fields["transfer-encoding"] == nil, "\(path)")
        }
        try client.send(get("/end"))
        #expect(try client.receiveAnswer().text == "/end")
    }

    @Test(arguments: [204, 304]) func statusesWithoutBody(status: Int) throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/status/\(status)") + get("/end"))
        let answer = try client.receiveAnswer()
        #expect(answer.status == status)
        #expect(answer.fields["content-length"] == nil)
        #expect(answer.fields["transfer-encoding"] == nil)
        #expect(try client.receiveAnswer().text == "/end")
    }

    @Test(arguments: [
        (205, "Reset Content"), (200, "OK"), (418, "I'm a teapot"), (599, "Unknown"), (503, "Service Unavailable"),
    ]) func statuses(status: Int, phrase: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/status/\(status)"))
        let answer = try client.receiveAnswer()
        #expect(answer.head.hasPrefix("HTTP/1.1 \(status) \(phrase)\r\n"))
        #expect(answer.text == "body")
    }

    @Test(arguments: [0, 100, 101, 199, 1_000]) func statusesThatAreNoAnswer(status: Int) throws {
        let server = try TestServer()
        let text = try server.ask(get("/status/\(status)"))
        #expect(text.hasPrefix("HTTP/1.1 500 "))
        #expect(text.contains("Martlet-Outcome: internalError\r\n"))
    }

    @Test func textInUTF8() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/latin1") + get("/utf16"))
        #expect(String(decoding: try client.receiveAnswer().body, as: UTF8.self) == "Gr\u{fc}\u{df}e")
        #expect(
            String(decoding: try client.receiveAnswer().body, as: UTF8.self)
                == "a\u{e9}\u{20ac}\u{1f426}\u{fffd}b\u{fffd}")
    }

    @Test func anAnswerInPieces() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/pieces") + get("/end"))
        let answer = try client.receiveAnswer()
        #expect(answer.fields["transfer-encoding"] == "chunked")
        #expect(answer.fields["content-length"] == nil)
        #expect(answer.text == "onetwothree")
        #expect(try client.receiveAnswer().text == "/end")
    }

    @Test func aLargeAnswer() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/x") + get("/large") + get("/end"))
        #expect(try client.receiveAnswer().text == "/x")
        let answer = try client.receiveAnswer()
        #expect(answer.body.count == 2_000_000)
        #expect(answer.body.enumerated().allSatisfy { Int($1) == 0x30 + $0 % 10 })
        #expect(try client.receiveAnswer().text == "/end")
    }

    /// More or less than was promised must not look like an answer.
    @Test(arguments: ["/short", "/long", "/break"]) func aBrokenAnswer(path: String) throws {
        let server = try TestServer()
        let text = try server.ask(get(path) + get("/never"))
        #expect(!text.hasSuffix("\r\n0\r\n\r\n"))
        #expect(!text.contains("1234567890"))
        #expect(!text.contains("never"))
        #expect(text.contains("HTTP/1.1 200 OK"))
    }

    @Test func anAbortedAnswer() throws {
        let server = try TestServer()
        #expect(try server.ask(get("/abort") + get("/never")).isEmpty)
    }

    // MARK: Fields of answers

    @Test func fieldsThatAreTheConnectionsOwn() throws {
        let server = try TestServer()
        let own = [
            "Connection: close", "keep-alive: 1", "Transfer-Encoding: gzip", "CONTENT-LENGTH: 1", "te: x", "Trailer: x",
            "upgrade: h2c", "proxy-connection: x", "martlet-outcome: fine",
        ]
        let client = try server.connect()
        try client.send(get("/fields?x-a:1|\(own.joined(separator: "|").replacing(" ", with: ""))|X-B:2"))
        let answer = try client.receiveAnswer()
        #expect(answer.text == "fields")
        #expect(Set(answer.fields.keys) == ["x-a", "x-b", "date", "server", "content-length"])
        #expect(answer.fields["content-length"] == "6")
    }

    @Test func theWorkersDateAndServer() throws {
        let server = try TestServer()
        let text = try server.ask(get("/fields?date:then|server:mine", "Connection: close\r\n"))
        #expect(text.contains("date:then\r\n") && text.contains("server:mine\r\n"))
        #expect(!text.contains("Date:") && !text.contains("Server:"))
    }

    @Test func noFieldBreaksOutOfItsLine() throws {
        let server = try TestServer()
        let client = try server.connect()
        // An empty line, no colon, a blank in the name, an empty name.
        try client.send(get("/fields?a:1||<script>|b:2|nocolon|:empty|c(:3|d:4"))
        let answer = try client.receiveAnswer()
        #expect(Set(answer.fields.keys) == ["a", "b", "d", "date", "server", "content-length"])
        #expect(answer.text == "fields")
        try client.send(get("/end"))
        #expect(try client.receiveAnswer().text == "/end")
    }

    // MARK: Outcomes and error pages

    @Test func outcomes() throws {
        let quiet = try TestServer()
        let client = try quiet.connect()
        try client.send(get("/outcome?ok") + get("/outcome?exception"))
        #expect(try client.receiveAnswer().fields["martlet-outcome"] == nil)
        #expect(try client.receiveAnswer().fields["martlet-outcome"] == "exception")
        let talkative = try TestServer(showsEveryOutcome: true)
        #expect(try talkative.ask(get("/x", "Connection: close\r\n")).contains("Martlet-Outcome: ok\r\n"))
    }

    static let pages: [(Outcome, Int, String?)] = [
        (.exception, 500, "1101"), (.hang, 500, "1101"), (.exceededCpu, 503, "1102"),
        (.exceededMemory, 503, "1102"), (.loadShed, 503, nil), (.scriptNotFound, 404, nil),
    ]

    @Test(arguments: pages) func errorPages(outcome: Outcome, status: Int, number: String?) throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/page?\(outcome)", "Accept: text/html,application/json\r\n"))
        let html = try client.receiveAnswer()
        #expect(html.status == status)
        #expect(html.fields["martlet-outcome"] == "\(outcome)")
        #expect(html.fields["content-type"] == "text/html; charset=utf-8")
        #expect(html.fields["retry-after"] == (outcome == .loadShed ? "1" : nil))
        if let number { #expect(html.text.contains("Error \(number):")) }
        try client.send(get("/page?\(outcome)", "Accept: Application/JSON\r\n"))
        let json = try client.receiveAnswer()
        #expect(json.fields["content-type"] == "application/json")
        #expect(json.text.contains(number.map { "\"code\":\($0)," } ?? "\"status\":\(status),"))
    }

    // MARK: The client leaves

    @Test func aClientThatResets() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/hold"))
        #expect(server.log.wait(for: "held /hold"))
        client.reset()
        #expect(server.log.wait(for: "closed /hold"))
        #expect(server.connectionCount == 0)
    }

    @Test func aClientThatCloses() throws {
        let server = try TestServer()
        var client: RawClient? = try server.connect()
        // What it has sent besides is not looked at.
        try client?.send(get("/hold") + get("/never"))
        #expect(server.log.wait(for: "held /hold"))
        client = nil
        #expect(server.log.wait(for: "closed /hold"))
        #expect(server.connectionCount == 0)
        // Answering now does nothing.
        #expect(try server.ask(get("/release", "Connection: close\r\n")).hasSuffix("release"))
    }

    @Test func aClientThatClosesItsHalf() throws {
        let server = try TestServer()
        let waiting = try server.connect()
        try waiting.send(get("/hold"))
        #expect(server.log.wait(for: "held /hold"))
        waiting.finishSending()
        #expect(server.log.wait(for: "closed /hold"))
        #expect(waiting.isEnded())
        // What can be answered before the end is noticed is answered.
        let quick = try server.connect()
        try quick.send(get("/a") + get("/b"))
        quick.finishSending()
        let text = try quick.receiveAll()
        #expect(text.contains("/a") && text.hasSuffix("/b"))
    }

    @Test func aClientThatLeavesInTheMiddle() throws {
        let server = try TestServer()
        for text in ["GET / HT", "POST /gather HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"] {
            let client = try server.connect()
            try client.send(text)
            client.finishSending()
            #expect(client.isEnded())
        }
        #expect(server.log.wait(for: "closed /gather"))
        #expect(server.connectionCount == 0)
    }

    @Test func aLostLanesSocketsAreShutDown() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/hold"))
        #expect(server.log.wait(for: "held /hold"))
        #expect(server.loop.acceptedSockets.count == 1)
        server.loop.acceptedSockets.shutdownAll()
        #expect(client.isEnded())
        #expect(server.log.wait(for: "closed /hold"))
        #expect(server.loop.acceptedSockets.count == 0)
    }
}
