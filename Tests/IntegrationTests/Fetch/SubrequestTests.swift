import Glibc
import Synchronization
import Testing

/// What one request may do: how many subrequests, how many at a time, and how they end.
@Suite("Subrequests") struct SubrequestTests {
    @Test func fiftyByDefault() throws {
        let origin = try Origin.answering { _ in .text("") }
        let worker = try FetchingWorker(
            """
            let count = 0;
            try { for (;;) { await (await fetch(env.ORIGIN)).text(); count++; } } catch (error) {
                return Response.json([count, error.name, error.message]);
            }
            """, origin: origin)
        let seen = try "\(worker.json())"
        #expect(seen.hasPrefix(#"[50, "Error", "Too many subrequests"#))
        #expect(origin.connections == 1)
        #expect(try "\(worker.json())" == seen, "each request has its own")
    }

    @Test func sixAtOnce() throws {
        let origin = try Origin.answering { request in
            usleep(50_000)
            return .text(String(request.target.dropFirst()))
        }
        let worker = try FetchingWorker(
            """
            const all = Array.from({ length: 20 }, async (_, i) => (await fetch(`${env.ORIGIN}/${i}`)).text());
            return Response.json(await Promise.all(all));
            """, origin: origin)
        #expect(try worker.json() == .array((0..<20).map { .string("\($0)") }))
        #expect(origin.mostAtOnce == 6)
        #expect(origin.connections == 6)
        #expect(origin.requests.map(\.target).sorted() == (0..<20).map { "/\($0)" }.sorted())
    }

    @Test func asManyAtOnceAsAllowed() throws {
        let origin = try Origin.answering { _ in
            usleep(50_000)
            return .text("")
        }
        let worker = try FetchingWorker(
            """
            await Promise.all(Array.from({ length: 8 }, async () => (await fetch(env.ORIGIN)).text()));
            return new Response("done");
            """, origin: origin, ["--subrequest-connections", "2"])
        #expect(try worker.get().text == "done")
        #expect(origin.mostAtOnce == 2)
    }

    @Test func connectionsAreKept() throws {
        let origin = try Origin.answering { _ in .text("a") }
        let worker = try FetchingWorker(
            "return new Response(await (await fetch(env.ORIGIN, { method: 'POST', body: 'b' })).text());",
            origin: origin)
        for _ in 0..<10 { #expect(try worker.get().text == "a") }
        #expect(origin.connections == 1)
    }

    /// Answers with more than anybody buffers.
    private func largeOrigin() throws -> Origin {
        try Origin { connection in
            while let request = try connection.request() {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
                try connection.send([UInt8](repeating: 97, count: 10_000_000))
                connection.finishedAnswer()
                _ = request
            }
        }
    }

    @Test func answersThatNobodyReadGiveWay() throws {
        let worker = try FetchingWorker(
            """
            const responses = [];
            for (let i = 0; i < 8; i++) responses.push(await fetch(env.ORIGIN));
            const seen = [];
            for (const response of responses) {
                try { seen.push((await response.arrayBuffer()).byteLength); } catch (error) { seen.push(error.name); }
            }
            return Response.json(seen);
            """, origin: try largeOrigin(), ["--cpu-ms", "5000"])
        #expect(
            try "\(worker.json())" == #"["TypeError", "TypeError", "#
                + [String](repeating: "10000000", count: 6)
                .joined(separator: ", ") + "]")
        try worker.martlet.logLine(containing: "A stalled HTTP response was canceled to prevent deadlock")
    }

    @Test func answersThatSomebodyReadsDoNot() throws {
        let worker = try FetchingWorker(
            """
            const sizes = await Promise.all(Array.from({ length: 12 }, async () => {
                let size = 0;
                for await (const piece of (await fetch(env.ORIGIN)).body) size += piece.byteLength;
                return size;
            }));
            return Response.json(sizes);
            """, origin: try largeOrigin(), ["--cpu-ms", "5000"])
        #expect(try worker.json() == .array([JSON](repeating: .number(10_000_000), count: 12)))
    }

    @Test func canceledBodiesMakeRoom() throws {
        let origin = try largeOrigin()
        let worker = try FetchingWorker(
            """
            for (let i = 0; i < 20; i++) await (await fetch(env.ORIGIN)).body.cancel();
            return new Response("done");
            """, origin: origin)
        #expect(try worker.get().text == "done")
        #expect(origin.requests.count == 20)
    }

    // MARK: The end

    /// Never answers, and keeps connections until the other side ends them.
    private func silentOrigin() throws -> Origin {
        try Origin { connection in
            _ = try connection.request()
            try connection.waitForEnd()
        }
    }

    @Test func theyEndWithTheirRequest() throws {
        let origin = try silentOrigin()
        let worker = try FetchingWorker(
            "fetch(env.ORIGIN).catch(() => {}); return new Response('early');", origin: origin)
        #expect(try worker.get().text == "early")
        try eventually("the subrequest's end") { origin.endedConnections == origin.requests.count ? () : nil }
    }

    @Test func theyEndWithTheirClient() throws {
        let origin = try silentOrigin()
        let worker = try FetchingWorker("return fetch(env.ORIGIN);", origin: origin)
        let client = try worker.martlet.client()
        try client.send("GET", "/")
        try eventually("the subrequest") { origin.requests.count == 1 ? () : nil }
        client.close()
        try eventually("the subrequest's end") { origin.endedConnections == 1 ? () : nil }
    }

    @Test func waitUntilKeepsThem() throws {
        let origin = try Origin.answering { request in
            if request.target == "/first" { usleep(200_000) }
            return .text("")
        }
        let worker = try FetchingWorker(
            """
            ctx.waitUntil((async () => {
                await (await fetch(env.ORIGIN + "/first")).text();
                await fetch(env.ORIGIN + "/second");
            })());
            return new Response("early");
            """, origin: origin)
        #expect(try worker.get().text == "early")
        try eventually("the second subrequest") { origin.requests.count == 2 ? () : nil }
    }

    @Test func theyEndWithTheIsolate() throws {
        let origin = try silentOrigin()
        let worker = try FetchingWorker(
            """
            fetch(env.ORIGIN);
            if (url.pathname === "/loop") for (;;);
            await new Promise((resolve) => setTimeout(resolve, 5_000));
            """, origin: origin)
        let other = try worker.martlet.client()
        try other.send("GET", "/")
        try eventually("the subrequest") { origin.requests.count == 1 ? () : nil }
        #expect(try worker.get("/loop").outcome == "exceededCpu")
        try eventually("the subrequests' end") { origin.endedConnections == origin.requests.count ? () : nil }
        #expect(try worker.get("/loop").outcome == "exceededCpu", "the next isolate works")
    }

    // MARK: Loops

    @Test func loopsEnd() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker("return fetch(env.ORIGIN);", origin: origin)
        let first = try worker.json()["headers"]
        #expect(first["cf-ew-via"].string == "1")
        #expect(first["cdn-loop"].string == "martlet; loops=1")
        let answer = try worker.get(fields: [("CF-EW-Via", "15"), ("CDN-Loop", "other, martlet; loops=3, third; a=b")])
        let last = try answer.json()["headers"]
        #expect(last["cf-ew-via"].string == "16")
        #expect(last["cdn-loop"].string == "other, third; a=b, martlet; loops=16")
        for field in [("CF-EW-Via", "16"), ("CF-EW-Via", "99999"), ("CDN-Loop", "a, Martlet;loops=16")] {
            let answer = try worker.get(fields: [field])
            #expect(answer.status == 508 && answer.errorNumber == 1019, "\(field): \(answer.summary)")
        }
    }

    @Test func aWorkerThatCallsItself() throws {
        let worker = try FetchingWorker(
            """
            const response = await fetch(request.url, { headers: { "CF-EW-Via": "0", "CDN-Loop": "" } });
            return new Response(`${response.status} ${(await response.text()).length}`, response);
            """, origin: nil, ["--egress-allow", "127.0.0.1"])
        let answer = try worker.martlet.get("/", host: "127.0.0.1:\(worker.martlet.port)", by: .patient)
        #expect(answer.status == 508, "\(answer.summary)")
    }
}
