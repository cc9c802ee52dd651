import Testing

@Suite("HTTP/2") struct HTTP2Tests {
    private static let worker = """
        let held;
        export default { async fetch(request) {
          const { pathname, searchParams } = new URL(request.url);
          switch (pathname) {
            case "/echo": return new Response(request.body, { headers: { "x-type": "echo" } });
            case "/text": return new Response(await request.text());
            case "/length": return new Response(String((await request.arrayBuffer()).byteLength));
            case "/ignore": return new Response("ignored");
            case "/large": return new Response("0123456789".repeat(1e6));
            case "/stream": {
              let count = 0;
              return new Response(new ReadableStream({
                pull(controller) {
                  console.log("pulled", count);
                  controller.enqueue(new Uint8Array(65536));
                  if (++count === 100) controller.close();
                },
                cancel() { console.log("canceled"); },
              }));
            }
            case "/break": return new Response(new ReadableStream({
              start(controller) { controller.enqueue(new TextEncoder().encode("some")); },
              async pull(controller) { await scheduler.wait(20); controller.error(new Error("broken")); },
            }));
            case "/hold":
              request.signal.addEventListener("abort", () => console.log("aborted"));
              console.log("held");
              held = true;
              while (held) await scheduler.wait(5);
              return new Response("released");
            case "/release": held = false; return new Response("done");
            case "/headers": return new Response([...request.headers].map(([n, v]) => `${n}=${v}\\n`).join(""));
            case "/answer": return new Response("body", { status: 201, headers: [
              ["X-Upper", "Value"], ["set-cookie", "a=1"], ["set-cookie", "b=2"], ["connection", "x-upper"],
              ["x-text", "\\u00e9"],
            ] });
            case "/empty": return new Response(null, { status: 204 });
            default: return new Response(`${request.method} ${request.url}`);
          }
        } };
        """

    private func serve(_ flags: [String] = []) throws -> (server: SecureMartlet, client: HTTP2Client) {
        let server = try SecureMartlet(Self.worker, nil, ["--front-lanes", "1"] + flags)
        return (server, try HTTP2Client(server))
    }

    // MARK: Requests and answers

    @Test func bothAgreeOnTheNewestVersion() throws {
        let (server, _) = try serve()
        #expect(try server.client(protocols: ["h2", "http/1.1"]).negotiated == "h2")
        #expect(try server.client(protocols: ["http/1.1"]).negotiated == "http/1.1")
        let none = try server.client(protocols: [])
        #expect(none.negotiated == nil)
        #expect(try none.get().status == 200)
    }

    @Test func requestsAreAnswered() throws {
        let (_, client) = try serve()
        let answer = try client.get("/path?a=b", host: "LOCALHOST:8443")
        #expect(answer.status == 200)
        #expect(answer.text == "GET https://localhost:8443/path?a=b")
        #expect(answer["content-length"] == "\(answer.body.count)")
        #expect(answer["date"]?.hasSuffix("GMT") == true)
        #expect(answer.fields.allSatisfy { $0.name == $0.name.lowercased() })
        #expect(try client.answer(on: client.request("OPTIONS", "*")).text == "OPTIONS https://localhost/")
    }

    @Test func answersHaveTheirFields() throws {
        let (_, client) = try serve()
        let answer = try client.get("/answer")
        #expect(answer.status == 201)
        #expect(answer["x-upper"] == "Value")
        #expect(answer.values(of: "set-cookie") == ["a=1", "b=2"])
        #expect(answer["x-text"] == "\u{e9}")
        #expect(answer["connection"] == nil)
        #expect(answer["transfer-encoding"] == nil)
        let head = try client.answer(on: client.request("HEAD", "/answer"))
        #expect(head.status == 201)
        #expect(head.body.isEmpty)
        let empty = try client.get("/empty")
        #expect(empty.status == 204)
        #expect(empty["content-length"] == nil)
    }

    @Test func requestsHaveTheirFields() throws {
        let (_, client) = try serve()
        let fields = [("x-one", "1"), ("cookie", "a=1"), ("x-text", "\u{e9}"), ("te", "trailers"), ("cookie", "b=2")]
        let text = try client.answer(on: client.request("GET", "/headers", fields: fields)).text
        #expect(text.contains("host=localhost\n"))
        #expect(text.contains("x-one=1\n"))
        #expect(text.contains("cookie=a=1; b=2\n"))
        #expect(!text.contains("te="))
    }

    @Test func manyRequestsShareAConnection() throws {
        let (_, client) = try serve()
        let streams = (0..<100).map { client.request("GET", "/\($0)") }
        for (number, stream) in streams.enumerated() {
            #expect(try client.answer(on: stream).text == "GET https://localhost/\(number)")
        }
        for number in 0..<500 { #expect(try client.get("/\(number)").status == 200) }
    }

    @Test func requestsDoNotWaitForOthers() throws {
        let (server, client) = try serve()
        let held = client.request("GET", "/hold")
        try server.martlet.logLine(containing: "held")
        #expect(try client.get("/release").text == "done")
        #expect(try client.answer(on: held).text == "released")
    }

    // MARK: Bodies

    @Test(arguments: [0, 1, 16_384, 300_000, 3_000_000]) func bodiesOfAllSizesArrive(size: Int) throws {
        let (_, client) = try serve()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try client.read { client.settings[4] != nil }
        let stream = client.request("POST", "/echo", isEnd: false)
        var sent = 0
        while sent < size {
            // What the server lets us send, and no more.
            let given = (connection: client.given[0, default: 0], stream: client.given[stream, default: 0])
            let window = min(65_535 + given.connection, client.settings[4]! + given.stream)
            let allowed = min(window, size)
            if allowed > sent {
                client.send(body[sent..<allowed], on: stream, isEnd: false)
                sent = allowed
            } else {
                _ = try client.frame()
            }
        }
        client.send([], on: stream, isEnd: true)
        let answer = try client.answer(on: stream, by: .patient)
        #expect(answer.body == body)
        #expect(answer["x-type"] == "echo")
    }

    @Test func largeAnswersArrive() throws {
        let (_, client) = try serve()
        #expect(try client.get("/large", by: .patient).body.count == 10_000_000)
        #expect(try client.get("/stream", by: .patient).body.count == 6_553_600)
    }

    @Test func trailersEndABody() throws {
        let (_, client) = try serve()
        let stream = client.request("POST", "/text", isEnd: false)
        client.send(Array("text".utf8), on: stream, isEnd: false)
        client.send([("x-trailer", "value")], on: stream, isEnd: true)
        #expect(try client.answer(on: stream).text == "text")
    }

    @Test func aBodyIsAskedFor() throws {
        let (_, client) = try serve()
        let fields = [("expect", "100-continue"), ("content-length", "4")]
        let stream = client.request("POST", "/text", fields: fields, isEnd: false)
        try client.read { client.continues == 1 }
        client.send(Array("text".utf8), on: stream, isEnd: true)
        #expect(try client.answer(on: stream).text == "text")
    }

    @Test func aBodyThatNobodyWantsIsCancelled() throws {
        let (_, client) = try serve()
        let stream = client.request("POST", "/ignore", isEnd: false)
        #expect(try client.answer(on: stream).text == "ignored")
        try client.read { client.resets[stream] != nil }
        #expect(client.resets[stream] == 0)
        let known = client.request("POST", "/ignore", fields: [("content-length", "4")], isEnd: false)
        #expect(try client.answer(on: known).text == "ignored")
        client.send(Array("text".utf8), on: known, isEnd: true)
        #expect(try client.get().status == 200)
        #expect(client.resets[known] == nil)
    }

    @Test func bodiesHaveALimit() throws {
        let (_, client) = try serve(["--body-mb", "0"])
        let declared = client.request("POST", "/text", fields: [("content-length", "1")], isEnd: false)
        #expect(try client.answer(on: declared).status == 413)
        let stream = client.request("POST", "/text", isEnd: false)
        client.send([1], on: stream, isEnd: false)
        #expect(try client.answer(on: stream).status == 413)
        #expect(try client.get().status == 200)
    }

    // MARK: Holding back

    /// A client whose window is closed gets nothing more, and the worker makes no more.
    @Test func aClosedWindowHoldsTheWorkerBack() throws {
        let (server, client) = try serve()
        client.opensWindows = false
        let stream = client.request("GET", "/stream")
        try client.read { client.partialAnswer(on: stream)?.body.count == 65_535 }
        #expect(try client.get("/empty").status == 204)
        let pulled = server.martlet.logSoFar().filter { $0.contains("pulled") }.count
        #expect(pulled < 10)
        client.opensWindows = true
        for stream in [0, stream] { client.send(.windowUpdate, on: stream, payload: HTTP2Client.number(10_000_000)) }
        #expect(try client.answer(on: stream, by: .patient).body.count == 6_553_600)
    }

    @Test func anAnswerThatNobodyTakesIsCancelled() throws {
        let (server, client) = try serve(["--write-stall-ms", "300"])
        client.opensWindows = false
        let stream = client.request("GET", "/stream")
        try client.read { client.resets[stream] != nil }
        #expect(client.resets[stream] == 8)
        try server.martlet.logLine(containing: "canceled")
        #expect(try client.get("/empty").status == 204)
    }

    /// What a worker has not read yet is not sent.
    @Test func anUnreadBodyHoldsTheClientBack() throws {
        let (server, client) = try serve()
        let stream = client.request("POST", "/hold", isEnd: false)
        try server.martlet.logLine(containing: "held")
        client.send([UInt8](repeating: 0, count: 65_535), on: stream, isEnd: false)
        #expect(try client.get().status == 200)
        var given = 0
        while true {
            client.send(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8])
            guard let frame = try client.frame() else { break }
            if frame.kind == .ping { break }
            if frame.kind == .windowUpdate, frame.stream == stream { given += frame.number() }
        }
        #expect(given == 0)
    }

    @Test func aBodyThatDoesNotComeIsNotWaitedFor() throws {
        let (_, client) = try serve(["--body-timeout-ms", "300"])
        let stream = client.request("POST", "/text", isEnd: false)
        #expect(try client.answer(on: stream).status == 408)
    }

    // MARK: Ends

    @Test func aBreakIsSeen() throws {
        let (_, client) = try serve()
        let stream = client.request("GET", "/break")
        try client.read { client.resets[stream] != nil }
        #expect(client.resets[stream] == 2)
        #expect(try client.get().status == 200)
    }

    @Test func aCancelledRequestIsAborted() throws {
        let (server, client) = try serve()
        let stream = client.request("GET", "/hold")
        try server.martlet.logLine(containing: "held")
        client.send(.reset, on: stream, payload: HTTP2Client.number(8))
        try server.martlet.logLine(containing: "aborted")
        #expect(try client.get().status == 200)
        let other = client.request("GET", "/hold")
        try server.martlet.logLine(containing: "held")
        client.connection.close()
        try server.martlet.logLine(containing: "aborted")
        _ = other
    }

    @Test func aDrainFinishesWhatIsUnderWay() throws {
        let (server, client) = try serve()
        let idle = try HTTP2Client(server)
        #expect(try idle.get().status == 200)
        let held = client.request("POST", "/text", isEnd: false)
        client.send(Array("te".utf8), on: held, isEnd: false)
        #expect(try client.get().status == 200)
        server.martlet.terminate()
        try idle.readAll()
        #expect(idle.goAway == 0)
        #expect(idle.connection.endedCleanly)
        try client.read { client.goAway != nil }
        #expect(client.goAway == 0)
        // One that comes too late is not begun.
        _ = client.request("GET", "/late")
        client.send(Array("xt".utf8), on: held, isEnd: true)
        #expect(try client.answer(on: held).text == "text")
        try client.readAll()
        #expect(client.connection.endedCleanly)
        #expect(try server.martlet.exitCode() == 0)
    }

    @Test func anIdleConnectionIsClosed() throws {
        let (_, client) = try serve(["--idle-timeout-ms", "300", "--header-timeout-ms", "300"])
        #expect(try client.get().status == 200)
        try client.readAll()
        #expect(client.goAway == 0)
    }

    @Test func aHostWithAnotherCertificateIsMisdirected() throws {
        let certificates = try SecureMartlet.localhost()
        try certificates.make("other", names: ["other.test"])
        let server = try SecureMartlet(Self.worker, certificates)
        let client = try HTTP2Client(server)
        #expect(try client.get(host: "other.test").status == 421)
        #expect(try client.get(host: "localhost").status == 200)
        let other = try HTTP2Client(server, name: "other.test")
        #expect(try other.get(host: "other.test").status == 200)
        #expect(try other.get(host: "localhost").status == 421)
    }
}
