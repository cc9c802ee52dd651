import Testing

@Suite("fetch() and signals") struct FetchAbortTests {
    /// Answers `/body` in part, everything else never; ends with the other side.
    private func origin() throws -> Origin {
        try Origin { connection in
            guard let request = try connection.request() else { return }
            if request.target == "/body" {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning")
            }
            if request.target == "/whole" {
                try connection.send(.text("whole", status: 200, [("Connection", "close")]))
            }
            try connection.waitForEnd()
        }
    }

    private func seen(_ code: String, _ flags: [String] = []) throws -> (seen: JSON, origin: Origin) {
        let origin = try origin()
        let worker = try FetchingWorker(
            """
            const controller = new AbortController(), { signal } = controller, seen = [];
            const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
            const tell = async (promise) => {
                try { seen.push(await promise); }
                catch (error) { seen.push(typeof error === "object" ? `${error.name}: ${error.message}` : error); }
            };
            \(code)
            return Response.json(seen);
            """, origin: origin, flags + ["--cpu-ms", "5000"])
        let seen = try worker.json()
        // A connection that was never asked anything may stay in the pool.
        try wait(until: "the asked connections end") { origin.endedConnections >= origin.requests.count }
        return (seen, origin)
    }

    private static let aborted = #""AbortError: The operation was aborted""#

    @Test func beforeItBegins() throws {
        let (seen, origin) = try seen(
            """
            controller.abort();
            await tell(fetch(env.ORIGIN, { signal }));
            await tell(fetch(new Request(env.ORIGIN, { signal })));
            await tell(fetch(env.ORIGIN, { signal: AbortSignal.abort("reason") }));
            """)
        #expect("\(seen)" == "[\(Self.aborted), \(Self.aborted), \"reason\"]")
        #expect(origin.connections == 0)
    }

    @Test func beforeTheAnswer() throws {
        let (seen, _) = try seen(
            """
            setTimeout(() => controller.abort(), 300);
            await tell(fetch(env.ORIGIN, { signal }));
            await tell(fetch(env.ORIGIN, { signal: AbortSignal.timeout(300) }));
            const other = new AbortController();
            setTimeout(() => other.abort(new RangeError("mine")), 300);
            await tell(fetch(env.ORIGIN, { signal: AbortSignal.any([other.signal, new AbortController().signal]) }));
            """)
        #expect(
            "\(seen)"
                == "[\(Self.aborted), \"TimeoutError: The operation was aborted due to timeout\", \"RangeError: mine\"]"
        )
    }

    @Test func withinTheBody() throws {
        let (seen, _) = try seen(
            """
            const abortSoon = () => {
                const controller = new AbortController();
                setTimeout(() => controller.abort(new RangeError("mine")), 300);
                return controller.signal;
            };
            await tell((await fetch(env.ORIGIN + "/body", { signal: abortSoon() })).text());
            const reader = (await fetch(env.ORIGIN + "/body", { signal: abortSoon() })).body.getReader();
            await tell(reader.read().then(({ value }) => value.length));
            await tell(reader.read());
            await tell(reader.read());
            const untouched = await fetch(env.ORIGIN + "/body", { signal: abortSoon() });
            await wait(500);
            await tell(untouched.text());
            const stream = (await fetch(env.ORIGIN + "/body", { signal: abortSoon() })).body;
            await wait(500);
            await tell(stream.getReader().read());
            const cloned = await fetch(env.ORIGIN + "/body", { signal: abortSoon() }), clone = cloned.clone();
            await Promise.all([tell(cloned.text()), tell(clone.text())]);
            """)
        let mine = "\"RangeError: mine\""
        #expect("\(seen)" == "[\(mine), 9, \(mine), \(mine), \(mine), \(mine), \(mine), \(mine)]")
    }

    @Test func afterTheEndItMeansNothing() throws {
        let (seen, _) = try seen(
            """
            const response = await fetch(env.ORIGIN + "/whole", { signal });
            await tell(response.text());
            controller.abort();
            await tell(response.status);
            """)
        #expect("\(seen)" == #"["whole", 200]"#)
    }

    @Test func whileItWaitsForAConnection() throws {
        let (seen, origin) = try seen(
            """
            const first = new AbortController();
            const waiting = fetch(env.ORIGIN, { signal: first.signal });
            setTimeout(() => controller.abort(), 300);
            await tell(fetch(env.ORIGIN + "/second", { signal }));
            const third = fetch(env.ORIGIN + "/whole").then((response) => response.text());
            first.abort();
            await tell(waiting);
            await tell(third);
            """, ["--subrequest-connections", "1"])
        #expect("\(seen)" == "[\(Self.aborted), \(Self.aborted), \"whole\"]")
        #expect(origin.requests.map(\.target) == ["/", "/whole"])
    }

    @Test func whatItSendsIsCanceled() throws {
        let (seen, _) = try seen(
            """
            const body = new ReadableStream({
                async pull(controller) {
                    await wait(5);
                    controller.enqueue(new Uint8Array(10));
                },
                cancel(reason) { seen.push(`canceled: ${reason.name}`); },
            });
            setTimeout(() => controller.abort(), 300);
            await tell(fetch(env.ORIGIN, { method: "POST", body, signal }));
            """)
        #expect("\(seen)" == "[\"canceled: AbortError\", \(Self.aborted)]")
    }

    @Test func signalsOfRequests() throws {
        let (seen, _) = try seen(
            """
            const own = new Request(env.ORIGIN, { signal });
            setTimeout(() => controller.abort(), 300);
            await tell(fetch(own));
            const other = new AbortController();
            setTimeout(() => other.abort("other"), 300);
            await tell(fetch(new Request(env.ORIGIN), { signal: other.signal }));
            """)
        #expect("\(seen)" == "[\(Self.aborted), \"other\"]")
    }
}
