import Testing

/// Following what a Worker does.
@Suite("Tails") struct TailTests {
    private static let code = """
        import { WorkerEntrypoint } from "cloudflare:workers";
        export default { async fetch(request, env) {
          const { pathname, searchParams } = new URL(request.url);
          switch (pathname) {
            case "/throw": throw new TypeError("went wrong");
            case "/burn": for (;;);
            case "/rpc": return new Response(await env.S.ping());
            case "/much": console.log("x".repeat(50000)); return new Response("much");
          }
          console.log("seen", { a: 1 }); console.warn(pathname);
          return new Response("ok", { status: 201 });
        }, scheduled() { console.log("tick"); } };
        export class Named extends WorkerEntrypoint { ping() { console.info("pinged"); return "pong"; } }
        """

    private static func platform(_ flags: [String] = []) throws -> Platform {
        let platform = try Platform(flags)
        try platform.deploy(
            code, as: "w",
            metadata: #","bindings":[{"type":"service","name":"S","service":"w","entrypoint":"Named"}]"#)
        return platform
    }

    private static let tails = "/accounts/{A}/workers/scripts/w/tails"

    private static func open(_ platform: Platform, filters: String = "[]") throws -> SocketClient {
        try platform.tail("w", filters: filters)
    }

    @Test func eventsAreTold() throws {
        let platform = try Self.platform()
        let tail = try platform.done("POST", Self.tails)
        #expect(tail["url"].string?.hasPrefix("ws://localhost/client/v4/tails/") == true)
        let socket = try platform.connect(toTail: tail)
        #expect(socket.answer.lowercased().contains("sec-websocket-protocol: trace-v1"))
        #expect(socket.answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        try socket.send(#"{"debug":false}"#)
        let fields = [("Authorization", "Bearer s3cret"), ("X-Mark", "here")]
        #expect(try platform.get("w", "/a?b=1", fields: fields).status == 201)
        let seen = try socket.event()
        let request = seen["event"]["request"]
        #expect(seen["outcome"].string == "ok")
        #expect(seen["scriptName"].string == "w")
        #expect(request["url"].string == "http://w.main.localhost/a?b=1")
        #expect(request["method"].string == "GET")
        #expect(request["headers"]["x-mark"].string == "here")
        #expect(request["headers"]["authorization"].string == "REDACTED")
        #expect(request["cf"]["httpProtocol"].string == "HTTP/1.1")
        #expect(seen["event"]["response"]["status"].int == 201)
        #expect(seen["logs"][0]["message"][0].string == "seen { a: 1 }")
        #expect(seen["logs"][0]["level"].string == "log")
        #expect(seen["logs"][1]["level"].string == "warn")
        #expect(seen["logs"][1]["message"][0].string == "/a")
        #expect((seen["eventTimestamp"].int ?? 0) > 1_700_000_000_000)
        #expect(seen["exceptions"] == .array([]))
        #expect(seen["scriptVersion"]["id"].string?.isEmpty == false)

        _ = try platform.get("w", "/throw")
        let failed = try socket.event()
        #expect(failed["outcome"].string == "exception")
        #expect(failed["exceptions"][0]["name"].string == "TypeError")
        #expect(failed["exceptions"][0]["message"].string == "went wrong")
        #expect(failed["exceptions"][0]["stack"].string?.contains("index.js") == true)
        #expect(failed["logs"] == .array([]))

        _ = try platform.get("w", "/burn")
        let burnt = try socket.event()
        #expect(burnt["outcome"].string == "exceededCpu")
        #expect(burnt["exceptions"][0]["message"].string == "Worker exceeded CPU time limit.")

        #expect(try platform.get("w", "/rpc").text == "pong")
        let both = try [socket.event(), socket.event()]
        let call = try #require(both.first { $0["event"]["rpcMethod"].string != nil })
        #expect(call["event"]["rpcMethod"].string == "ping")
        #expect(call["entrypoint"].string == "Named")
        #expect(call["logs"][0]["level"].string == "info")

        try socket.send(SocketClient.frame(9, Array("wrangler tail ping".utf8)))
        #expect(try socket.next() == .pong(Array("wrangler tail ping".utf8)))
        try platform.done("DELETE", "\(Self.tails)/\(try #require(tail["id"].string))")
        #expect(try socket.next() == .close(1000, ""))
    }

    @Test func schedulesAreTold() throws {
        let platform = try Self.platform()
        let socket = try Self.open(platform)
        try platform.done("PUT", "/accounts/{A}/workers/scripts/w/schedules", json: #"[{"cron":"* * * * *"}]"#)
        // The next minute comes within one.
        guard case .text(let text) = try socket.next(by: Deadline(seconds: 120)) else { throw Failure("no event") }
        let seen = try JSON(text.utf8)
        #expect(seen["event"]["cron"].string == "* * * * *")
        #expect((seen["event"]["scheduledTime"].int ?? 1) % 60_000 == 0)
        #expect(seen["logs"][0]["message"][0].string == "tick")
    }

    /// Each filter lets one of two requests pass.
    @Test(arguments: [
        (#"[{"outcome":["exception"]}]"#, "/", "/throw"), (#"[{"query":"went wrong"}]"#, "/", "/throw"),
        (#"[{"query":"/here"}]"#, "/there", "/here"), (#"[{"header":{"key":"X-Path"}}]"#, "", "/with"),
        (#"[{"header":{"key":"x-path","query":"wi"}}]"#, "/other", "/with"),
        (#"[{"client_ip":["self"]},{"method":["get"]},{"query":"/b"}]"#, "/a", "/b"),
    ]) func filters(_ filters: String, _ left: String, _ passed: String) throws {
        let platform = try Self.platform()
        let socket = try Self.open(platform, filters: filters)
        for path in [left, passed] {
            _ = try platform.get("w", path.isEmpty ? "/" : path, fields: path.isEmpty ? [] : [("X-Path", path)])
        }
        #expect(try socket.event()["event"]["request"]["url"].string == "http://w.main.localhost\(passed)")
    }

    @Test func filtersThatLetNothingPass() throws {
        let platform = try Self.platform()
        let none = try [
            #"[{"client_ip":["192.0.2.1"]}]"#, #"[{"method":["POST"]}]"#, #"[{"scriptVersion":"x"}]"#,
            #"[{"sampling_rate":0.0000001}]"#,
        ].map { try Self.open(platform, filters: $0) }
        let all = try Self.open(platform)
        _ = try platform.get("w")
        _ = try all.event()
        for socket in none {
            try socket.send(SocketClient.frame(9, [1]))
            #expect(try socket.next() == .pong([1]))
        }
    }

    @Test func whatIsWrongIsTold() throws {
        let platform = try Self.platform()
        for filters in [
            "7", "[7]", "[{}]", #"[{"nonsense":1}]"#, #"[{"sampling_rate":2}]"#, #"[{"sampling_rate":0}]"#,
            #"[{"outcome":"ok"}]"#, #"[{"method":[]}]"#, #"[{"header":{}}]"#,
            #"[{"outcome":["ok"],"method":["GET"]}]"#,
        ] {
            let answer = try platform.call("POST", Self.tails, json: #"{"filters":\#(filters)}"#)
            #expect(answer.code == 10026, "\(filters)")
        }
        #expect(try platform.call("POST", "/accounts/{A}/workers/scripts/none/tails").code == 10007)
        #expect(try platform.call("DELETE", "\(Self.tails)/none").status == 404)
        for _ in 0..<10 { try platform.done("POST", Self.tails) }
        #expect(try platform.call("POST", Self.tails).code == 10058)
        #expect(try platform.done("GET", Self.tails).array?.count == 10)
        // A WebSocket without a tail is an unknown path like any other.
        let socket = try SocketClient(
            port: platform.martlet.ports[1], "/client/v4/tails/none", host: "localhost", fields: Platform.tailHandshake)
        #expect(socket.answer.hasPrefix("HTTP/1.1 404 "))
    }

    @Test func tailsEndInTime() throws {
        let platform = try Self.platform(["--tail-s", "1"])
        let socket = try Self.open(platform)
        #expect(try socket.next() == .close(1000, ""))
        #expect(try platform.done("GET", Self.tails) == .array([]))
    }

    /// Who does not read misses events, is told how many, and holds up nobody.
    @Test func slowReadersMissEvents() throws {
        let platform = try Self.platform()
        let slow = try platform.tail("w", receiveBuffer: 4_096)
        let client = try platform.martlet.client("w.main.localhost")
        // More than the kernel's buffers and ours hold.
        for _ in 0..<300 { #expect(try client.get("/much", by: .patient).text == "much") }
        var seen = 0
        while true {
            let event = try slow.event()
            if event["event"]["type"].string == "overload" {
                #expect(event["event"]["message"].string?.contains("events were dropped") == true)
                break
            }
            seen += 1
            // What was dropped is told of with the next event that finds room.
            if seen % 10 == 0 { _ = try client.get("/much", by: .patient) }
        }
        #expect(seen < 300)
    }

    /// Who reads slowly is not cut off for its pings: there is room for the answer to the last one.
    @Test func pingsOfOneWhoReadsSlowly() throws {
        let platform = try Self.platform()
        let slow = try platform.tail("w", receiveBuffer: 4_096)
        let client = try platform.martlet.client("w.main.localhost")
        // More than the kernel's buffers and ours hold.
        for _ in 0..<300 { #expect(try client.get("/much", by: .patient).text == "much") }
        let pings = [[UInt8]](repeating: SocketClient.frame(9, []), count: 10_000).flatMap { $0 }
        for _ in 0..<20 { try slow.send(pings) }
        let last = Array("last".utf8)
        try slow.send(SocketClient.frame(9, last))
        var frame = try slow.next()
        while let seen = frame, seen != .pong(last) { frame = try slow.next() }
        #expect(frame == .pong(last))
    }

    @Test func filtersHaveALimit() throws {
        let platform = try Self.platform()
        let text = String(repeating: "x", count: 64 << 10)
        let answer = try platform.call("POST", Self.tails, json: #"{"filters":[{"query":"\#(text)"}]}"#)
        #expect(answer.status == 413)
    }

    @Test func theCommandLine() throws {
        let platform = try Self.platform()
        let home = try ScratchFolder()
        let environment = [
            "MARTLET_ENDPOINT": "http://127.0.0.1:\(platform.martlet.ports[1])", "MARTLET_TOKEN": platform.token,
            "XDG_CONFIG_HOME": home.path,
        ]
        for (flags, fits) in [
            (["--format", "pretty"], "TypeError: went wrong"),
            (["--format", "json", "--status", "error", "--search", "went", "--ip", "self"], #""name":"TypeError""#),
        ] {
            let tail = try Martlet(["tail", "w"] + flags, environment: environment)
            try tail.logLine(containing: "Following w", by: .patient)
            _ = try platform.get("w", "/throw")
            try tail.outputLine(by: .patient) { $0.contains(fits) }
            tail.interrupt()
            #expect(try tail.exitCode() == 0)
        }
        #expect(try platform.done("GET", Self.tails) == .array([]))
    }

    /// An end that the platform tells of is none of the tail's errors; a connection that breaks off is.
    @Test(arguments: [true, false]) func theCommandLineTellsHowItEnded(isTold: Bool) throws {
        let platform = try Self.platform()
        let tail = try Martlet(
            ["tail", "w"],
            environment: [
                "MARTLET_ENDPOINT": "http://127.0.0.1:\(platform.martlet.ports[1])", "MARTLET_TOKEN": platform.token,
            ])
        try tail.logLine(containing: "Following w", by: .patient)
        if isTold {
            guard case .array(let tails) = try platform.done("GET", Self.tails), let id = tails.first?["id"].string
            else { throw Failure("there is no tail") }
            try platform.done("DELETE", "\(Self.tails)/\(id)")
            try tail.logLine(containing: "The tail has ended.", by: .patient)
        } else {
            try platform.martlet.kill9()
            try tail.logLine(containing: "the connection broke off", by: .patient)
        }
        #expect(try tail.exitCode() == (isTold ? 0 : 1))
    }
}
