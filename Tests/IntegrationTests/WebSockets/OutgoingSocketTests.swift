import Dispatch
import Testing

/// WebSockets that workers open.
@Suite("WebSockets to origins") struct OutgoingSocketTests {
    /// `open(protocols)` gives a socket with `seen`, what came of it, and `done`, a promise of that when it is closed.
    private static let helper = """
        const open = (protocols, target = env.ORIGIN.replace("http", "ws") + "/path?a=b") => {
            const socket = new WebSocket(target, protocols);
            socket.seen = [];
            socket.onopen = () => { socket.seen.push("open"); };
            socket.onmessage = ({ data }) => { socket.seen.push(typeof data === "string" ? data : data.byteLength); };
            socket.onerror = ({ message }) => { socket.seen.push("error"); };
            socket.done = new Promise((resolve) => {
                socket.onclose = ({ code, reason, wasClean }) => {
                    if (!wasClean) console.log(reason);
                    socket.seen.push(code, wasClean ? reason : "", wasClean);
                    resolve(socket.seen);
                };
            });
            return socket;
        };
        """

    private func worker(_ code: String, _ origin: Origin, _ flags: [String] = []) throws -> FetchingWorker {
        try FetchingWorker(Self.helper + code, origin: origin, flags)
    }

    @Test func messages() throws {
        let origin = try Origin.echoingSockets(fields: [("Sec-WebSocket-Protocol", "two")])
        let worker = try worker(
            """
            const socket = open(["one", "two"]);
            const state = [socket.readyState, socket.url, socket.protocol, socket.binaryType];
            try { socket.send("early"); } catch (error) { state.push(error.name); }
            const sizes = [0, 1, 125, 126, 65535, 65536, 1000000];
            socket.addEventListener("open", () => {
                socket.send("caf\u{e9}");
                for (const size of sizes) socket.send(new Uint8Array(size));
                state.push(socket.readyState, socket.protocol, socket.extensions, socket.bufferedAmount > 0);
            });
            socket.addEventListener("message", () => {
                if (socket.seen.length === 2 + sizes.length) socket.close(3001, "bye");
            });
            state.push(await socket.done, socket.readyState);
            socket.send = undefined;
            return Response.json(state);
            """, origin)
        let url = "ws://127.0.0.1:\(origin.port)/path?a=b"
        #expect(
            try "\(worker.json())"
                == "[0, \"\(url)\", \"\", \"arraybuffer\", \"InvalidStateError\", 1, \"two\", \"\", true, "
                + "[\"open\", \"re caf\u{e9}\", 0, 1, 125, 126, 65535, 65536, 1000000, 3001, \"bye\", true], 3]")
        let request = try #require(origin.requests.first)
        #expect(request.method == "GET" && request.target == "/path?a=b")
        #expect(request["upgrade"] == "websocket" && request["connection"] == "Upgrade")
        #expect(request["sec-websocket-version"] == "13" && request["sec-websocket-protocol"] == "one, two")
        #expect(request.values(of: "sec-websocket-key").count == 1 && request["sec-websocket-extensions"] == nil)
        #expect(request["cf-ew-via"] == "1" && request["host"] == "127.0.0.1:\(origin.port)")
    }

    @Test func fragmentsAndPings() throws {
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            // With the head of the answer, and byte by byte.
            try socket.send(OriginSocket.frame(1, Array("frag".utf8), isFinal: false) + OriginSocket.frame(9, [7, 8]))
            for byte in OriginSocket.frame(0, Array("ments".utf8)) { try socket.send([byte]) }
            guard try socket.next() == .pong([7, 8]) else { return try socket.send("no pong") }
            try socket.send(OriginSocket.close(3500, "done"))
            let answer = try socket.next()
            if answer != .close(3500, "") { try socket.send("no close") }
        }
        let worker = try worker("return Response.json(await open().done);", origin)
        #expect(try "\(worker.json())" == #"["open", "fragments", 3500, "done", true]"#)
        try wait(until: "the connection is closed") { origin.endedConnections == 1 }
    }

    @Test func byFetch() throws {
        let origin = try Origin.echoingSockets(fields: [("X-Field", "value")])
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN, { headers: { Upgrade: "websocket" } });
            const { webSocket } = response;
            const seen = [response.status, response.headers.get("x-field"), response.body, webSocket.readyState];
            try { webSocket.send("early"); } catch (error) { seen.push(error.name); }
            webSocket.accept();
            const message = new Promise((resolve) => { webSocket.onmessage = ({ data }) => resolve(data); });
            webSocket.send("hello");
            seen.push(await message);
            const closed = new Promise((resolve) => { webSocket.onclose = resolve; });
            webSocket.close(1000, "over");
            const { code, reason, wasClean } = await closed;
            const plain = await fetch(env.ORIGIN + "/other", { headers: { Upgrade: "other" } }).catch(() => "none");
            return Response.json([...seen, code, reason, wasClean, plain]);
            """, origin: origin)
        #expect(
            try "\(worker.json())"
                == #"[101, "value", null, 1, "TypeError", "re hello", 1000, "over", true, "none"]"#)
        #expect(origin.requests.last?["upgrade"] == nil)
    }

    @Test func anOriginThatDeclines() throws {
        let origin = try Origin.answering { _ in .text("no sockets here", status: 426) }
        let worker = try worker(
            """
            const response = await fetch(env.ORIGIN, { headers: { Upgrade: "WebSocket" } });
            return Response.json([response.status, response.webSocket, await response.text(), await open().done]);
            """, origin)
        #expect(try "\(worker.json())" == #"[426, null, "no sockets here", ["error", 1006, "", false]]"#)
    }

    @Test func wrongArguments() throws {
        let worker = try FetchingWorker(
            """
            const names = [];
            for (const args of [[], ["relative"], ["ftp://a/"], ["ws://a/#"], ["ws://a", "a b"], ["ws://a", ["x", "x"]],
                ["ws://a", [""]], ["ws://a", { [Symbol.iterator]: 1 }]]) {
                try { new WebSocket(...args); names.push("made"); } catch (error) { names.push(error.name); }
            }
            names.push(WebSocket.length, new WebSocket("http://a.invalid:25").url);
            return Response.json(names);
            """, origin: nil)
        #expect(
            try "\(worker.json())"
                == #"["TypeError", "SyntaxError", "SyntaxError", "SyntaxError", "SyntaxError", "SyntaxError", "#
                + #""SyntaxError", "TypeError", 1, "ws://a.invalid:25/"]"#)
    }

    // MARK: Policy and limits

    @Test func theAddressPolicyHolds() throws {
        let origin = try Origin.echoingSockets()
        let port = origin.port
        let worker = try FetchingWorker(
            Self.helper + "return Response.json(await open(undefined, url.searchParams.get('to')).done);", origin: nil,
            ["--resolve", "inside.test=127.0.0.1"])
        for host in ["127.0.0.1", "[::ffff:7f00:1]", "inside.test"] {
            #expect(try "\(worker.json("/?to=ws://\(host):\(port)/"))" == #"["error", 1006, "", false]"#)
            try worker.martlet.logLine(containing: "workers may not connect to")
        }
        #expect(try "\(worker.json("/?to=ws://127.0.0.1:25/"))" == #"["error", 1006, "", false]"#)
        #expect(origin.connections == 0)
    }

    @Test func overTLS() throws {
        let certificate = try SecureOrigin.Certificate(for: "origin.test")
        let origin = try SecureOrigin(.http1, certificate)
        let code = """
            const socket = open(undefined, url.searchParams.get("to"));
            socket.addEventListener("open", () => { socket.send("secret"); });
            socket.addEventListener("message", () => { socket.close(3000, "bye"); });
            return Response.json(await socket.done);
            """
        let flags = [
            "--egress-allow", "127.0.0.1", "--resolve", "origin.test=127.0.0.1", "--resolve", "other.test=127.0.0.1",
        ]
        let trusting = try FetchingWorker(Self.helper + code, origin: nil, flags + ["--egress-ca", certificate.file])
        let port = origin.port
        for host in ["origin.test", "127.0.0.1"] {
            let seen = try "\(trusting.json("/?to=wss://\(host):\(port)/"))"
            #expect(seen == #"["open", "secret", 3000, "bye", true]"#, "\(host)")
        }
        let failed = #"["error", 1006, "", false]"#
        #expect(try "\(trusting.json("/?to=wss://other.test:\(port)/"))" == failed)
        let wary = try FetchingWorker(Self.helper + code, origin: nil, flags)
        #expect(try "\(wary.json("/?to=wss://origin.test:\(port)/"))" == failed)
        try wary.martlet.logLine(containing: "TLS handshake failed")
    }

    @Test func aNameThatChangesItsMind() throws {
        let origin = try Origin.echoingSockets()
        let worker = try FetchingWorker(
            Self.helper + "return Response.json(await open(undefined, url.searchParams.get('to')).done);", origin: nil,
            ["--resolve", "a.test=127.0.0.1", "--resolve", "a.test=127.0.0.1", "--egress-allow", "127.0.0.2"])
        #expect(try "\(worker.json("/?to=ws://a.test:\(origin.port)/"))" == #"["error", 1006, "", false]"#)
        #expect(origin.connections == 0)
    }

    @Test func aConnectionIsASubrequest() throws {
        let origin = try Origin.echoingSockets()
        let worker = try worker(
            """
            const sockets = [open(), open()];
            let name = "";
            try { open(); } catch (error) { name = error.message; }
            const first = sockets[0];
            first.addEventListener("open", () => first.close());
            await first.done;
            sockets[1].addEventListener("open", () => sockets[1].close());
            return Response.json([name.slice(0, 20), first.seen, await sockets[1].done]);
            """, origin, ["--subrequests", "2", "--subrequest-connections", "1"])
        let closed = #"["open", 1005, "", true]"#
        #expect(try "\(worker.json())" == "[\"Too many subrequests\", \(closed), \(closed)]")
        #expect(origin.mostAtOnce == 1)
    }

    /// Each message has the CPU time of a request, not all of them together.
    @Test func messagesAreMetered() throws {
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            for _ in 0..<20 {
                try socket.send("work")
                guard try socket.next() == .text("done") else { return }
            }
            try socket.send("endless")
            _ = try socket.next()
        }
        let worker = try worker(
            """
            const socket = open();
            socket.addEventListener("message", ({ data }) => {
                if (data === "endless") for (;;);
                for (let i = 0; i < 3e7; i++);
                socket.send("done");
            });
            return Response.json(await socket.done);
            """, origin, ["--cpu-ms", "200"])
        let answer = try worker.get(by: .patient)
        #expect(answer.status == 503 && answer.outcome == "exceededCpu")
    }

    /// Messages that an origin does not take count as the worker's memory.
    @Test func anOriginThatDoesNotRead() throws {
        let over = DispatchSemaphore(value: 0)
        defer { over.signal() }
        let origin = try Origin { connection in
            guard try OriginSocket(connection) != nil else { return }
            connection.limitBuffers()
            over.wait()
        }
        let worker = try worker(
            """
            const socket = open();
            await new Promise((resolve) => { socket.addEventListener("open", resolve); });
            let count = 0;
            try { for (; count < 1_000; count++) socket.send(new Uint8Array(1 << 20)); }
            catch (error) { return Response.json([error.name, count < 200, socket.bufferedAmount > 1 << 20]); }
            return Response.json("never refused");
            """, origin, ["--memory-mb", "64", "--cpu-ms", "5000"])
        #expect(try "\(worker.json())" == #"["RangeError", true, true]"#)
    }

    // MARK: Hostile origins

    @Test(
        arguments: [
            ([0x81, 0x82, 1, 2, 3, 4, 0x68, 0x69], 1002), (OriginSocket.frame(3, []), 1002),
            (OriginSocket.frame(0, [1]), 1002), ([0xc1, 0], 1002), (OriginSocket.frame(8, [0]), 1002),
            (OriginSocket.frame(9, [UInt8](repeating: 0, count: 126)), 1002),
            (OriginSocket.frame(1, [0xff, 0xfe]), 1007), ([0x82, 0x7f, 0, 0, 0, 0, 2, 0, 0, 1], 1009),
        ] as [([UInt8], Int)])
    func malformedFrames(_ bytes: [UInt8], _ code: Int) throws {
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            try socket.send(bytes)
            guard case .close(code, _) = try socket.next() else { return try socket.send("not closed by the code") }
            try connection.waitForEnd()
        }
        let worker = try worker("return Response.json(await open().done);", origin)
        #expect(try "\(worker.json())" == #"["open", "error", 1006, "", false]"#)
        try wait(until: "the connection is closed") { origin.endedConnections == 1 }
    }

    @Test(arguments: ["accept", "extensions", "protocol", "stall", "reset", "end", "cut", "garbage"])
    func anOriginThatIsNone(_ how: String) throws {
        let origin = try Origin { connection in
            switch how {
            case "accept": _ = try OriginSocket(connection, accept: "c2hvcnQ=")
            case "extensions":
                _ = try OriginSocket(connection, fields: [("Sec-WebSocket-Extensions", "permessage-deflate")])
            case "protocol": _ = try OriginSocket(connection, fields: [("Sec-WebSocket-Protocol", "unasked")])
            case "stall": _ = try connection.head()
            case "reset":
                _ = try OriginSocket(connection)
                return connection.reset()
            case "end":
                _ = try OriginSocket(connection)
                return
            case "cut":
                _ = try connection.head()
                return try connection.send("HTTP/1.1 101 Swit")
            default:
                _ = try connection.head()
                return try connection.send("no HTTP at all\r\n\r\n")
            }
            try connection.waitForEnd()
        }
        let worker = try worker("return Response.json(await open().done);", origin, ["--origin-timeout-ms", "300"])
        let seen = try "\(worker.json())"
        #expect(seen.hasSuffix(#""error", 1006, "", false]"#))
        #expect(seen.contains("open") == ["reset", "end"].contains(how))
        try wait(until: "the connection is closed") { origin.endedConnections == 1 }
    }

    /// What is open when its request is over is closed.
    @Test func theRequestEnds() throws {
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            try socket.send("hello")
            try connection.waitForEnd()
        }
        let worker = try worker(
            """
            const socket = open();
            await new Promise((resolve) => { socket.addEventListener("message", resolve); });
            return new Response("answer");
            """, origin)
        for count in 1...3 {
            #expect(try worker.get().text == "answer")
            try wait(until: "the connection is closed") { origin.endedConnections == count }
        }
    }
}
