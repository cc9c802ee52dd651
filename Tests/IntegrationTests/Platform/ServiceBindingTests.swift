import Testing

/// Workers that call each other without a network between them; and rate limits.
@Suite("Service bindings") struct ServiceBindingTests {
    private static func bound(to service: String) -> String {
        #","bindings":[{"type":"service","name":"S","service":"\#(service)"}]"#
    }

    /// - Parameter isApart: whether the one who is called is in another cordon, and so in another process.
    private static func platform(callee: String, caller: String, isApart: Bool) throws -> Platform {
        let platform = try Platform()
        try platform.deploy("export default { async fetch(request, env, ctx) { \(callee) } };", as: "callee")
        if isApart { try platform.setCordon("apart", of: "callee") }
        try platform.deploy(
            "export default { async fetch(request, { S }, ctx) { \(caller) } };", as: "caller",
            metadata: bound(to: "callee"))
        return platform
    }

    @Test(arguments: [false, true]) func requestAndAnswerCrossWhole(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                const headers = { "x-seen": request.headers.get("x-sent"), "set-cookie": "a=1" };
                const text = `${request.method} ${request.url} ${await request.text()}`;
                return new Response(text, { status: 201, statusText: "Made", headers });
                """,
            caller: """
                const answer = await S.fetch("https://any.example/path?q=1", {
                  method: "POST", body: "bödy", headers: { "x-sent": "yes" },
                });
                return Response.json({
                  status: answer.status, text: await answer.text(), statusText: answer.statusText,
                  seen: answer.headers.get("x-seen"), cookies: answer.headers.getSetCookie(), url: answer.url,
                });
                """, isApart: isApart)
        let answer = try platform.get("caller").json()
        #expect(answer["status"].int == 201)
        #expect(answer["statusText"].string == "Made")
        #expect(answer["text"].string == "POST https://any.example/path?q=1 bödy")
        #expect(answer["seen"].string == "yes")
        #expect(answer["cookies"] == .array([.string("a=1")]))
        #expect(answer["url"].string == "https://any.example/path?q=1")
    }

    /// The answer's first piece is read before the request's last is sent.
    @Test(arguments: [false, true]) func bodiesStreamBothWays(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: "return new Response(request.body);",
            caller: """
                const { readable, writable } = new TransformStream();
                const writer = writable.getWriter();
                const encode = (text) => new TextEncoder().encode(text);
                writer.write(encode("first"));
                const answer = await S.fetch("http://x/", { method: "POST", body: readable });
                const reader = answer.body.getReader();
                const first = new TextDecoder().decode((await reader.read()).value);
                writer.write(encode("second"));
                writer.close();
                const second = new TextDecoder().decode((await reader.read()).value);
                return new Response(`${first} ${second} ${(await reader.read()).done}`);
                """, isApart: isApart)
        #expect(try platform.get("caller").text == "first second true")
    }

    @Test(arguments: [false, true]) func largeBodiesAndBackPressure(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                let sum = 0;
                for await (const piece of request.body) sum += piece.length;
                let left = 512;
                const body = new ReadableStream({ type: "bytes", pull(controller) {
                  if (left-- === 0) controller.close(); else controller.enqueue(new Uint8Array(16384).fill(1));
                } });
                return new Response(body, { headers: { "x-sum": sum } });
                """,
            caller: """
                const answer = await S.fetch("http://x/", { method: "POST", body: request.body });
                const bytes = new Uint8Array(await answer.arrayBuffer());
                return new Response(`${answer.headers.get("x-sum")} ${bytes.length} ${bytes.indexOf(0)}`);
                """, isApart: isApart)
        let client = try platform.martlet.client("caller.main.localhost")
        try client.send("POST", "/", body: [UInt8](repeating: 7, count: 5_000_000))
        #expect(try client.answer(by: .patient).text == "5000000 8388608 -1")
    }

    @Test(arguments: [false, true]) func whatGoesWrongIsTold(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                switch (new URL(request.url).pathname) {
                  case "/throw": throw new Error("mine");
                  case "/hang": return new Promise(() => {});
                  case "/burn": for (;;);
                  case "/cut": return new Response(new ReadableStream({
                    start(controller) { controller.enqueue(new Uint8Array(3)); },
                    pull() { throw new Error("broken"); } }));
                }
                """,
            caller: """
                try {
                  const answer = await S.fetch(request.url);
                  return new Response(`${answer.status} ${await answer.text()}`);
                } catch (error) { return new Response(`${error.name}: ${error.message}`); }
                """, isApart: isApart)
        for (path, text) in [
            ("/throw", "TypeError: The called Worker threw an exception."),
            ("/hang", "TypeError: The called Worker would never have answered."),
            ("/burn", "TypeError: The called Worker exceeded its CPU limit."),
            ("/cut", "TypeError: Network connection lost."),
        ] {
            #expect(try platform.get("caller", path).text == text)
        }
        try platform.done("DELETE", "/accounts/{A}/workers/services/callee?force=true")
        #expect(try platform.get("caller").text.contains("'callee' cannot be called"))
    }

    @Test(arguments: [false, true]) func theCallerFollowsDeploysOfTheCallee(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: "return new Response('old');", caller: "return S.fetch('http://x/');", isApart: isApart)
        #expect(try platform.get("caller").text == "old")
        try platform.deploy(Platform.answering("new"), as: "callee")
        #expect(try platform.get("caller").text == "new")
    }

    @Test func circlesEnd() throws {
        let platform = try Platform()
        let code = """
            export default { async fetch(request, { S }) {
              try {
                const answer = await S.fetch(request.url);
                return new Response(Number(await answer.text()) + 1);
              } catch { return new Response("0"); }
            } };
            """
        try platform.deploy(code, as: "self", metadata: Self.bound(to: "self"))
        let depth = try #require(Int(try platform.get("self").text))
        #expect((1...16).contains(depth))
    }

    @Test(arguments: [false, true]) func anAbortReachesTheCallee(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                if (request.method === "PUT") { globalThis.aborted = false; return new Response("ok"); }
                if (request.method === "DELETE") return new Response(String(globalThis.aborted));
                request.signal.addEventListener("abort", () => { globalThis.aborted = true; });
                await new Promise((resolve) => setTimeout(resolve, 600000));
                """,
            caller: """
                await S.fetch("http://x/", { method: "PUT" });
                const controller = new AbortController();
                setTimeout(() => controller.abort(), 20);
                const error = await S.fetch("http://x/", { signal: controller.signal }).catch((error) => error.name);
                let seen;
                for (let i = 0; i < 20 && seen !== "true"; i++) {
                  await new Promise((resolve) => setTimeout(resolve, 20));
                  seen = await (await S.fetch("http://x/", { method: "DELETE" })).text();
                }
                return new Response(`${error} ${seen}`);
                """, isApart: isApart)
        #expect(try platform.get("caller").text == "AbortError true")
    }

    @Test func bindingsAreResolved() throws {
        let platform = try Platform()
        func upload(_ binding: String) throws -> Int? {
            try platform.upload(Platform.answering("x"), as: "x", metadata: #","bindings":[\#(binding)]"#).code
        }
        #expect(try upload(#"{"type":"service","name":"S","service":"none"}"#) == 10144)
        #expect(try upload(#"{"type":"service","name":"S","service":"x","entrypoint":"Y"}"#) == 10144)
        #expect(try upload(#"{"type":"service","name":"S"}"#) == 10026)
        #expect(try upload(#"{"type":"service","name":"S","service":"x"}"#) == nil)
        let rate = #""type":"ratelimit","name":"R","namespace_id":"1""#
        #expect(try upload("{\(rate)}") == 10026)
        #expect(try upload(#"{\#(rate),"simple":{"limit":1,"period":20}}"#) == 10026)
        #expect(try upload(#"{\#(rate),"simple":{"limit":0,"period":10}}"#) == 10026)
    }

    @Test func rateLimits() throws {
        let platform = try Platform()
        let code = """
            export default { async fetch(request, { R }) {
              const key = new URL(request.url).pathname, results = [];
              for (let i = 0; i < 5; i++) results.push((await R.limit({ key })).success);
              const error = await R.limit({}).catch((error) => error.name);
              return Response.json([results, error]);
            } };
            """
        let metadata = #"""
            ,"bindings":[{"type":"ratelimit","name":"R","namespace_id":"1","simple":{"limit":3,"period":60}}]
            """#
        try platform.deploy(code, as: "limited", metadata: metadata)
        // A period may end in the middle of a request: then the next request is within one.
        let full = "[[true, true, true, false, false], \"TypeError\"]"
        let seen = try (0..<3).map { try platform.get("limited", "/a\($0)").json().description }
        #expect(seen.contains(full), "\(seen)")
        let none = "[[false, false, false, false, false], \"TypeError\"]"
        #expect(try (0..<3).map { try platform.get("limited", "/a\($0)").json().description }.contains(none))
        #expect(try (0..<2).map { try platform.get("limited", "/b\($0)").json().description }.contains(full))
    }
}
