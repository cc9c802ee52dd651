import Testing

/// What bodies cost: memory that is charged to their worker, and given back.
@Suite("The memory of bodies") struct BodyMemoryTests {
    private static let megabyte = 1 << 20

    @Test func aLargeBodyIsGatheredWithoutCopies() throws {
        let worker = try FetchingWorker(
            "return new Response(`${(await request.arrayBuffer()).byteLength}`);", origin: nil,
            ["--memory-mb", "128", "--cpu-ms", "1000"])
        let body = [UInt8](repeating: 97, count: 95 * Self.megabyte)
        // The second finds the first one's garbage in its way.
        for _ in 0..<2 {
            let client = try worker.martlet.client()
            try client.send("POST", "/", body: body)
            #expect(try client.answer(by: .patient).text == "\(body.count)")
        }
    }

    @Test(arguments: ["length", "chunked"])
    func aBodyLargerThanTheMemory(_ framing: String) throws {
        let worker = try FetchingWorker(
            """
            try { return new Response(`${(await request.arrayBuffer()).byteLength}`); }
            catch (error) { return new Response(error.name); }
            """, origin: nil, ["--memory-mb", "32", "--cpu-ms", "1000"])
        let client = try worker.martlet.client()
        // The server may stop reading before all is sent.
        if framing == "length" {
            try? client.send("POST", "/", body: [UInt8](repeating: 97, count: 48 * Self.megabyte))
            try client.expectAnswer(to: "POST")
        } else {
            try client.sendHead("POST", "/")
            for _ in 0..<48 { try? client.sendChunk([UInt8](repeating: 97, count: Self.megabyte)) }
            try? client.sendChunk([])
        }
        #expect(try client.answer(by: .patient).text == "RangeError")
        #expect(try worker.get().text == "0", "the isolate lives")
    }

    @Test func anAnnouncedLengthKeepsNoMemory() throws {
        let worker = try FetchingWorker(
            """
            if (url.pathname === "/wait") await request.arrayBuffer();
            return new Response(`${new Uint8Array(40 << 20).length}`);
            """, origin: nil, ["--memory-mb", "64", "--cpu-ms", "1000"])
        let waiting = try (0..<4).map { _ in try worker.martlet.client() }
        for client in waiting {
            try client.socket.sendAll(
                Array("POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\nx".utf8))
        }
        for _ in 0..<3 { #expect(try worker.get().text == "\(40 << 20)") }
    }

    /// Bodies of requests that wait for a connection.
    @Test func bodiesOnTheirWayAreCharged() throws {
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(
            """
            const body = "x".repeat(4 << 20);
            let count = 0;
            const seen = new Set();
            for (; count < 40; count++) {
                fetch(env.ORIGIN, { method: "POST", body }).catch((error) => { seen.add(error.name); });
            }
            await scheduler.wait(1);
            return Response.json([...seen]);
            """, origin: origin, ["--memory-mb", "64", "--cpu-ms", "1000"])
        for _ in 0..<3 { #expect(try "\(worker.json())" == #"["RangeError"]"#) }
    }

    /// Answers that nobody reads fill what the process has for bodies on their way.
    @Test func theWholeProcessHasItsLimit() throws {
        let origin = try Origin { connection in
            while let request = try connection.request() {
                guard request.target == "/large" else {
                    try connection.send(.text("small"))
                    continue
                }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
                try connection.send([UInt8](repeating: 97, count: 10_000_000))
            }
        }
        let worker = try FetchingWorker(
            """
            const unread = [];
            for (let i = 0; i < 5; i++) unread.push(await fetch(env.ORIGIN + "/large"));
            const post = async () => (await fetch(env.ORIGIN, { method: "POST", body: "b" })).text();
            let refusal;
            while (!refusal) {
                await post().catch((error) => { refusal = error.message; });
                await scheduler.wait(5);
            }
            for (const { body } of unread) await body.cancel();
            let after;
            while (!after) after = await post().catch(() => scheduler.wait(5));
            return Response.json([refusal, after]);
            """, origin: origin, ["--egress-memory-mb", "1", "--subrequests", "10000"])
        #expect(try "\(worker.json())" == #"["Too many subrequests are under way. Try again later.", "small"]"#)
    }

    @Test func moreThanTheLength() throws {
        let worker = try FetchingWorker(
            """
            const { readable, writable } = new FixedLengthStream(5);
            const writer = writable.getWriter();
            ctx.waitUntil((async () => {
                await writer.write(new Uint8Array(3));
                try { await writer.write(new Uint8Array(3)); } catch (error) { console.log(`writer: ${error}`); }
            })());
            return new Response(readable);
            """, origin: nil)
        let client = try worker.martlet.client()
        try client.send()
        #expect(try client.answerHead()["content-length"] == "5")
        #expect(throws: Failure.self) { while try client.piece() != nil {} }
        try worker.martlet.logLine(containing: "writer: TypeError: Attempt to write too many bytes")
    }

    // Without a back lane: one that is slow to collect would move there, and start anew.

    /// Answers that the host has to break off leave nothing behind in the isolate.
    @Test func answersThatHangLeaveNothing() throws {
        let worker = try FetchingWorker(
            module: """
                let count = 0;
                export default { fetch(request) {
                    const { signal } = request;
                    signal.kept = new Uint8Array(1 << 20);
                    if (new URL(request.url).pathname === "/count") return new Response(`${count}`);
                    count++;
                    const kept = new Uint8Array(1 << 20);
                    return new Response(new ReadableStream({
                        start(controller) { controller.enqueue(new Uint8Array(10)); },
                        pull() { return new Promise(() => { kept[0] = 1; }); },
                    }));
                } };
                """, origin: nil, ["--memory-mb", "64", "--cpu-ms", "1000", "--front-lanes", "1", "--back-lanes", "0"])
        for _ in 0..<100 {
            let client = try worker.martlet.client()
            try client.send()
            _ = try client.answerHead()
            #expect(throws: Failure.self) { while try client.piece() != nil {} }
        }
        let count = try worker.get("/count").text
        #expect(count == "100", "it is one isolate still")
    }

    @Test func fetchesThatNobodyReadLeaveNothing() throws {
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning")
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(
            module: """
                let count = 0;
                export default { async fetch(request, env) {
                    if (new URL(request.url).pathname === "/count") return new Response(`${count}`);
                    count++;
                    const { signal } = new AbortController();
                    signal.kept = new Uint8Array(1 << 20);
                    return new Response(`${(await fetch(env.ORIGIN, { signal })).status}`);
                } };
                """, origin: origin,
            ["--memory-mb", "64", "--cpu-ms", "1000", "--front-lanes", "1", "--back-lanes", "0"])
        for _ in 0..<100 { #expect(try worker.get().text == "200") }
        #expect(try worker.get("/count").text == "100", "it is one isolate still")
    }
}
