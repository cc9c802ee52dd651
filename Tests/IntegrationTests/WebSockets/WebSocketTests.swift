import Testing

@Suite("WebSockets") struct WebSocketTests {
    /// Answers with a WebSocket; `handle` is what happens with its other end, `server`.
    private func worker(_ handle: String, _ flags: [String] = []) throws -> FetchingWorker {
        try FetchingWorker(
            """
            const [client, server] = Object.values(new WebSocketPair());
            server.accept();
            server.addEventListener("close", ({ code, reason, wasClean }) => {
                console.log(`close ${code} "${reason}" ${wasClean} ${server.readyState}`);
            });
            server.addEventListener("error", ({ message }) => { console.log(`error ${message}`); });
            \(handle)
            return new Response(null, { status: 101, webSocket: client, headers: { "X-Field": "value" } });
            """, origin: nil, flags)
    }

    private static let echo = """
        server.addEventListener("message", ({ data }) => {
            server.send(typeof data === "string" ? `text ${data}` : data);
        });
        """

    @Test func messages() throws {
        let worker = try worker("server.send('hello');" + Self.echo)
        let client = try SocketClient(worker.martlet)
        #expect(client.answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nx-field: value\r\n"))
        #expect(client.answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(client.answer.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        #expect(try client.next() == .text("hello"))
        try client.send("caf\u{e9}")
        #expect(try client.next() == .text("text caf\u{e9}"))
        for count in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try client.send(SocketClient.frame(2, bytes))
            #expect(try client.next() == .binary(bytes), "\(count)")
        }
        // Fragments, with a ping between them.
        try client.send(SocketClient.frame(1, Array("frag".utf8), isFinal: false))
        try client.send(SocketClient.frame(9, [1, 2, 3]) + SocketClient.frame(0, [], isFinal: false))
        try client.send(SocketClient.frame(0, Array("ments".utf8)))
        #expect(try client.next() == .pong([1, 2, 3]))
        #expect(try client.next() == .text("text fragments"))
        try client.send(SocketClient.close(3500, "done"))
        #expect(try client.next() == .close(3500, ""))
        #expect(try client.next() == nil)
        try worker.martlet.logLine(containing: #"close 3500 "done" true 3"#)
        try worker.martlet.logLine(containing: " 101 (")
    }

    @Test func theWorkerCloses() throws {
        let worker = try worker(
            """
            server.addEventListener("message", () => {
                server.close(4000, "asked");
                console.log(`state ${server.readyState}`);
                try { server.send("late"); } catch (error) { console.log(error.message); }
            });
            """)
        let client = try SocketClient(worker.martlet)
        try client.send("x")
        #expect(try client.next() == .close(4000, "asked"))
        try worker.martlet.logLine(containing: "state 2")
        try worker.martlet.logLine(containing: "Can't call WebSocket send() after close().")
        try client.send(SocketClient.close(4000, "asked"))
        #expect(try client.next() == nil)
        try worker.martlet.logLine(containing: #"close 4000 "asked" true 3"#)
    }

    @Test func aClientThatIsCutOff() throws {
        let worker = try worker(Self.echo)
        let client = try SocketClient(worker.martlet)
        client.cut()
        try worker.martlet.logLine(containing: "error WebSocket disconnected without sending Close frame.")
        try worker.martlet.logLine(containing: "close 1006 ")
        #expect(try SocketClient(worker.martlet).answer.hasPrefix("HTTP/1.1 101 "), "the worker lives")
    }

    @Test(
        arguments: [
            ([0x81, 0x02, 0x68, 0x69], 1002), (SocketClient.frame(3, []), 1002), (SocketClient.frame(0, [1]), 1002),
            ([0xc1, 0x80, 1, 2, 3, 4], 1002), (SocketClient.frame(8, [0]), 1002), (SocketClient.close(1005), 1002),
            (SocketClient.frame(9, [UInt8](repeating: 0, count: 126)), 1002),
            (SocketClient.frame(9, [], isFinal: false), 1002), ([0x82, 0xfe, 0, 1, 1, 2, 3, 4, 0], 1002),
            (SocketClient.frame(1, [1], isFinal: false) + SocketClient.frame(1, [1]), 1002),
            (SocketClient.frame(1, [0xff, 0xfe]), 1007), (SocketClient.frame(8, [3, 0xe8, 0xff]), 1007),
            ([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1009),
        ] as [([UInt8], Int)])
    func malformedFrames(_ bytes: [UInt8], _ code: Int) throws {
        let worker = try worker(Self.echo)
        let client = try SocketClient(worker.martlet)
        try client.send(bytes)
        guard case .close(code, _) = try client.next() else {
            Issue.record("not closed by \(code)")
            return
        }
        #expect(try client.next() == nil)
        try worker.martlet.logLine(containing: "close 1006 ")
    }

    @Test func whatIsNoHandshake() throws {
        let worker = try worker("")
        let whole = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        for left in [0, 2, 3] {
            var fields = whole
            fields.remove(at: left)
            #expect(try worker.get(fields: fields).status == 500, "without \(whole[left].0)")
        }
        #expect(try SocketClient(worker.martlet, fields: whole.filter { $0.0 != "Connection" }).answer == "")
        #expect(try worker.get(fields: whole.map { ($0.0, $0.0.hasSuffix("Key") ? "c2hvcnQ=" : $0.1) }).status == 500)
        try worker.martlet.logLine(containing: #"did not contain the header "Upgrade: websocket""#)
    }

    /// Each message has the CPU time of a request, not all of them together.
    @Test func messagesAreMetered() throws {
        let worker = try worker(
            """
            server.addEventListener("message", ({ data }) => {
                if (data === "endless") for (;;);
                const end = 3e5;
                for (let i = 0; i < end * 100; i++);
                server.send("done");
            });
            """, ["--cpu-ms", "200"])
        let client = try SocketClient(worker.martlet)
        for _ in 0..<20 {
            try client.send("work")
            #expect(try client.next() == .text("done"))
        }
        try client.send("endless")
        #expect(try client.next() == nil)
        try worker.martlet.logLine(containing: "exceededCpu")
    }

    /// Messages of a worker whose client does not read count as its memory.
    @Test func aClientThatDoesNotRead() throws {
        let worker = try worker(
            """
            server.addEventListener("message", () => {
                let count = 0;
                try { for (; count < 1_000; count++) server.send(new Uint8Array(1 << 20)); }
                catch (error) { console.log(`${error.name} ${count < 200}`); }
            });
            """, ["--memory-mb", "64", "--cpu-ms", "5000"])
        let client = try SocketClient(worker.martlet)
        try client.send("go")
        try worker.martlet.logLine(containing: "RangeError true", by: .patient)
        #expect(try client.next() == .binary([UInt8](repeating: 0, count: 1 << 20)))
    }

    @Test func aPairWithinTheWorker() throws {
        let worker = try FetchingWorker(
            """
            const [a, b] = Object.values(new WebSocketPair());
            const seen = [];
            const fails = (body) => { try { body(); } catch (error) { seen.push(error.name); } };
            fails(() => a.send("early"));
            b.accept();
            b.addEventListener("message", ({ data }) => { b.send(`re ${data}`); });
            b.send("before accept");
            a.accept();
            a.addEventListener("message", ({ data }) => { seen.push(data); });
            a.send("1");
            a.send(new Uint8Array([50]).buffer);
            seen.push("synchronous");
            fails(() => a.close(1001));
            fails(() => a.close(3000, "x".repeat(124)));
            const ended = new Promise((resolve) => { a.onclose = resolve; });
            await scheduler.wait(1);
            a.close(3001, "bye");
            const { code, reason, wasClean } = await ended;
            seen.push(code, reason, wasClean, a.readyState, b.readyState, WebSocket.OPEN, a.READY_STATE_CLOSED);
            fails(() => new Response(null, { status: 101, webSocket: a }).clone());
            fails(() => WebSocket());
            return Response.json(seen);
            """, origin: nil)
        #expect(
            try "\(worker.json())"
                == #"["TypeError", "synchronous", "InvalidAccessError", "SyntaxError", "before accept", "re 1", "#
                + #""re [object ArrayBuffer]", 3001, "bye", true, 3, 3, 1, 3, "TypeError", "TypeError"]"#)
    }
}
