import Testing

@Suite("The life of requests") struct RequestTests {
    private func dev(_ folder: ScratchFolder, _ worker: String, _ flags: [String] = []) throws -> Martlet {
        try folder.write("index.js", worker)
        return try Martlet.dev(folder.path, flags)
    }

    /// A worker that answers nobody before all are there: only one isolate with all of them in it can.
    private static let barrier = """
        let waiting = 0, open = false;
        export default { async fetch(request) {
          const number = ++waiting;
          if (number === 100) open = true;
          while (!open) await scheduler.wait(5);
          return new Response(`${number} of ${waiting}, ${await request.text()}`);
        } };
        """

    @Test func oneIsolateWorksOnManyRequestsAtATime() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder, Self.barrier)
        let clients = try (0..<100).map { _ in try martlet.client() }
        for (number, client) in clients.enumerated() {
            try client.send("POST", "/", body: Array("body \(number)".utf8))
        }
        var numbers: Set<Substring> = []
        for (number, client) in clients.enumerated() {
            let text = try client.answer(by: .patient).text
            #expect(text.hasSuffix(" of 100, body \(number)"))
            numbers.insert(text.prefix { $0 != " " })
        }
        #expect(numbers.count == 100)
    }

    @Test(arguments: ["waiting", "streaming", "reading", "writing"])
    func aClientThatLeavesAbortsTheSignal(_ state: String) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            const bytes = new Uint8Array(65536);
            export default { async fetch(request, env, ctx) {
              const { pathname } = new URL(request.url);
              if (pathname === "/") return new Response("next");
              const { signal } = request;
              signal.addEventListener("abort", () => {
                console.log("aborted", signal.aborted, signal.reason.name);
                ctx.waitUntil(scheduler.wait(20).then(() => console.log("cleaned up")));
              });
              console.log("begun");
              if (pathname === "/waiting") await scheduler.wait(1e6);
              if (pathname === "/reading") {
                await request.text().catch((error) => console.log("body", error instanceof Error));
                await scheduler.wait(1e6);
              }
              return new Response(new ReadableStream({
                start(controller) { controller.enqueue(bytes); },
                pull(controller) {
                  if (pathname === "/streaming") return scheduler.wait(1e6);
                  controller.enqueue(bytes);
                },
                cancel(reason) { console.log("canceled", reason?.name); },
              }));
            } };
            """, ["--cpu-ms", "5000"])
        let client = try martlet.client(receiveBuffer: 64 << 10)
        if state == "reading" {
            try client.sendHead("POST", "/reading")
            try client.sendChunk(Array("some".utf8))
        } else {
            try client.send("GET", "/\(state)")
        }
        try martlet.logLine(containing: "begun")
        if state == "streaming" || state == "writing" { _ = try client.piece() }
        client.close()
        var lines = ["aborted true AbortError", "cleaned up", " 0 canceled ("]
        if state == "streaming" || state == "writing" {
            lines = ["aborted true AbortError", "canceled AbortError", "cleaned up", " 200 canceled ("]
        }
        if state == "reading" { lines.insert("body true", at: 0) }
        var seen: [String] = []
        while !lines.allSatisfy({ wanted in seen.contains { $0.contains(wanted) } }) {
            do {
                seen.append(try martlet.logLine { _ in true })
            } catch {
                let missing = lines.filter { wanted in !seen.contains { $0.contains(wanted) } }
                throw Failure("missing \(missing) in \(seen)")
            }
        }
        #expect(try martlet.get().text == "next")
    }

    @Test func aHangAfterTheAnswerBeganCutsTheConnection() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { fetch: () => new Response(new ReadableStream({
              start(controller) { controller.enqueue(new TextEncoder().encode("some")); },
              pull: () => new Promise(() => {}),
            })) };
            """)
        let client = try martlet.client()
        try client.send()
        #expect(throws: Failure.self) { try client.answer() }
        try martlet.logLine(containing: "your Worker's code had hung")
        try martlet.logLine(containing: " 200 hang (")
    }

    @Test func aRequestThatWaitsForAnotherIsNoHang() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            let resolve;
            export default { async fetch(request) {
              const { pathname } = new URL(request.url);
              if (pathname === "/wait") return new Response(await new Promise((done) => { resolve = done; }));
              if (pathname === "/busy") {
                while (!resolve) await scheduler.wait(1);
                await scheduler.wait(100);
                resolve("from the other");
              }
              return new Response("busy is over");
            } };
            """, ["--front-lanes", "1", "--back-lanes", "0"])
        let busy = try martlet.client()
        let waiting = try martlet.client()
        try busy.send("GET", "/busy")
        try waiting.send("GET", "/wait")
        #expect(try waiting.answer().text == "from the other")
        #expect(try busy.answer().text == "busy is over")
    }

    @Test func requestsAreAnsweredInTheOrderOfAPipeline() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch(request) {
              const { pathname } = new URL(request.url);
              if (pathname === "/0") await scheduler.wait(50);
              return new Response(pathname);
            } };
            """)
        let client = try martlet.client()
        let heads = (0..<20).flatMap { Client.head("GET", "/\($0)", host: "localhost") }
        try client.socket.sendAll(heads)
        for number in 0..<20 {
            try client.expectAnswer(to: "GET")
            #expect(try client.answer().text == "/\(number)")
        }
    }

    @Test func bigTextsAndManyFieldsArrive() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { fetch(request) {
              const headers = new Headers();
              for (let i = 0; i < 200; i++) headers.set(`x-field-${i}`, "v".repeat(100));
              const kind = new URL(request.url).searchParams.get("kind");
              const text = kind === "wide" ? "\\u20ac".repeat(1e6) : "\\u00e9".repeat(1e6);
              return new Response(text, { headers });
            } };
            """, ["--cpu-ms", "5000"])
        for (kind, unit) in [("wide", "€"), ("narrow", "é")] {
            let answer = try martlet.get("/?kind=\(kind)", by: .patient)
            #expect(answer.body == Array(String(repeating: unit, count: 1_000_000).utf8))
            #expect(answer.fields.filter { $0.name.hasPrefix("x-field-") && $0.value.count == 100 }.count == 200)
        }
    }

    /// Neither long slices within the limit, nor such as end at it and take the isolate with them.
    @Test(arguments: [("3e8", 60_000, 200), ("Infinity", 300, 503)])
    func longSlicesDoNotHoldUpShortOnes(until: String, milliseconds: Int, status: Int) throws {
        let folder = try ScratchFolder()
        try folder.write(
            "burns.js",
            """
            export default { fetch() {
              let sum = 0;
              for (let i = 0; i < \(until); i++) sum += i;
              return new Response(String(sum));
            } };
            """)
        try folder.write("light.js", "export default { fetch: () => new Response('light') };")
        let martlet = try Martlet.serve(
            folder.path, ["--cpu-ms", "\(milliseconds)", "--front-lanes", "1", "--back-lanes", "1"])
        let light = try martlet.client("light.localhost")
        #expect(try light.get().text == "light")
        // The first slices are long, in front; then the worker runs behind.
        let burner = try martlet.client("burns.localhost")
        _ = try burner.get(by: .patient)
        // How often light answers while one burns; more than once or twice only if they do not share a lane.
        func answersWhileOneBurns() throws -> Int {
            try burner.send()
            var answered = 0
            while !burner.socket.wait(for: .readable, by: Deadline(seconds: 0)) {
                #expect(try light.get(by: .patient).text == "light")
                answered += 1
            }
            #expect(try burner.answer(by: .patient).status == status)
            return answered
        }
        try wait(until: "light answers many times", by: .patient) { try answersWhileOneBurns() > 5 }
    }
}
