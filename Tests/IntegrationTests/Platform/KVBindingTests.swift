import Testing

/// KV as a Worker uses it, and the control API beside it.
@Suite("KV bindings") struct KVBindingTests {
    /// A platform with the namespace `id`, bound as KV to a Worker `kv` that runs the code for each request.
    private static func platform(_ code: String) throws -> (Platform, id: String) {
        // Of values of 25 MiB, the pages alone take a good part of what a request has by default.
        let platform = try Platform(["--cpu-ms", "1000"])
        let namespaces = "/accounts/{A}/storage/kv/namespaces"
        let id = try #require(try platform.done("POST", namespaces, json: #"{"title":"n"}"#)["id"].string)
        try deploy(code, on: platform, id)
        return (platform, id)
    }

    private static func deploy(_ code: String, on platform: Platform, _ id: String) throws {
        let module = """
            async function thrown(body) {
              try { await body(); return "nothing"; } catch (error) { return `${error.name}: ${error.message}`; }
            }
            export default { async fetch(request, { KV }) { \(code) } };
            """
        try platform.deploy(
            module, as: "kv", metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(id)"}]"#)
    }

    @Test func everyTypeOfValue() throws {
        let (platform, _) = try Self.platform(
            """
            await KV.put("text", "grün \\u{1F426}");
            await KV.put("buffer", new Uint8Array([0, 1, 255]).buffer);
            await KV.put("view", new Uint16Array([1, 2, 3]).subarray(1));
            await KV.put("stream", new Response("streamed").body);
            await KV.put("number", 7);
            await KV.put("empty", "");
            const stream = await KV.get("text", "stream");
            return Response.json({
              text: await KV.get("text"), options: await KV.get("text", { type: "text", cacheTtl: 60 }),
              buffer: [...new Uint8Array(await KV.get("buffer", "arrayBuffer"))],
              view: [...new Uint8Array(await KV.get("view", { type: "arrayBuffer" }))],
              stream: await KV.get("stream"), read: await new Response(stream).text(),
              number: await KV.get("number", "json"), empty: await KV.get("empty"), absent: await KV.get("absent"),
              absentJSON: await KV.get("absent", "json"), kind: `${KV}`,
            });
            """)
        let answer = try platform.get("kv").json()
        #expect(answer["text"].string == "grün \u{1F426}")
        #expect(answer["options"] == answer["text"])
        #expect(answer["buffer"] == .array([.number(0), .number(1), .number(255)]))
        #expect(answer["view"] == .array([.number(2), .number(0), .number(3), .number(0)]))
        #expect(answer["stream"].string == "streamed")
        #expect(answer["read"] == answer["text"])
        #expect(answer["number"].int == 7)
        #expect(answer["empty"].string == "")
        #expect(answer["absent"] == .null)
        #expect(answer["absentJSON"] == .null)
        #expect(answer["kind"].string == "[object KvNamespace]")
    }

    @Test func metadataAndExpiration() throws {
        let (platform, id) = try Self.platform(
            """
            await KV.put("a", "1", { metadata: { a: ["ä"] }, expirationTtl: 3600 });
            const at = Math.floor(Date.now() / 1000) + 7200;
            await KV.put("b", "2", { expiration: at });
            await KV.put("c", "3");
            const a = await KV.getWithMetadata("a"), none = await KV.getWithMetadata("none", "json");
            const list = await KV.list();
            await KV.delete("c");
            await KV.delete("c");
            return Response.json({ a, none, list, gone: await KV.get("c"), exact: list.keys[1].expiration === at });
            """)
        let answer = try platform.get("kv").json()
        #expect(answer["a"]["value"].string == "1")
        #expect(answer["a"]["metadata"]["a"] == .array([.string("ä")]))
        #expect(answer["none"]["value"] == .null)
        #expect(answer["none"]["metadata"] == .null)
        guard case .array(let keys) = answer["list"]["keys"] else { throw Failure("no keys: \(answer)") }
        #expect(keys.map { $0["name"].string } == ["a", "b", "c"])
        #expect(keys[0]["metadata"]["a"] == .array([.string("ä")]))
        #expect(keys[0]["expiration"].int != nil)
        #expect(keys[2].keys == ["name"])
        #expect(answer["list"]["list_complete"] == .bool(true))
        #expect(answer["exact"] == .bool(true))
        #expect(answer["gone"] == .null)
        // Both sides see the same.
        let path = "/accounts/{A}/storage/kv/namespaces/\(id)"
        #expect(try platform.raw("GET", path + "/values/a").text == "1")
        #expect(try platform.done("GET", path + "/metadata/a")["a"] == .array([.string("ä")]))
    }

    @Test func listsInPages() throws {
        let (platform, id) = try Self.platform(
            """
            const pages = [];
            let cursor;
            do {
              const page = await KV.list({ prefix: "p/", limit: 2, cursor });
              pages.push(page.keys.map((key) => key.name));
              cursor = page.cursor;
              if (page.list_complete !== (cursor === undefined)) throw new Error("list_complete");
            } while (cursor !== undefined);
            return Response.json({ pages, none: await KV.list({ prefix: "x" }) });
            """)
        let entries = ["p/1", "p/2", "p/ä", "p/3", "p/\u{10FFFF}", "q"].map { #"{"key":"\#($0)","value":"v"}"# }
        try platform.done(
            "PUT", "/accounts/{A}/storage/kv/namespaces/\(id)/bulk", json: "[\(entries.joined(separator: ","))]")
        let answer = try platform.get("kv").json()
        let expected = [["p/1", "p/2"], ["p/3", "p/ä"], ["p/\u{10FFFF}"]]
        #expect(answer["pages"] == .array(expected.map { .array($0.map { .string($0) }) }))
        #expect(answer["none"]["keys"] == .array([]))
        #expect(answer["none"]["list_complete"] == .bool(true))
    }

    @Test func manyAtOnce() throws {
        let (platform, _) = try Self.platform(
            """
            await Promise.all([KV.put("a", "[1]", { metadata: 5 }), KV.put("b", "2")]);
            const text = await KV.get(["a", "b", "none"]), json = await KV.get(["a"], "json");
            const both = await KV.getWithMetadata(["a", "none"], { type: "json" });
            return Response.json({
              isMap: text instanceof Map, text: [...text], json: [...json], both: [...both],
              tooMany: await thrown(() => KV.get(Array.from({ length: 101 }, (_, i) => `${i}`))),
              badType: await thrown(() => KV.get(["a"], "stream")),
            });
            """)
        let answer = try platform.get("kv").json()
        #expect(answer["isMap"] == .bool(true))
        #expect(answer["text"].description == #"[["a", "[1]"], ["b", "2"], ["none", null]]"#)
        #expect(answer["json"].description == #"[["a", [1]]]"#)
        guard case .array(let both) = answer["both"], case .array(let first) = both[0] else {
            throw Failure("\(answer)")
        }
        #expect(first[1]["metadata"].int == 5)
        #expect(answer["tooMany"].string?.contains("maximum of 100 keys") == true)
        #expect(answer["badType"].string?.contains("is not a valid type") == true)
    }

    @Test func whatMayNotBe() throws {
        let (platform, _) = try Self.platform(
            """
            const long = "k".repeat(513);
            const cases = {
              empty: () => KV.get(""), dot: () => KV.put("..", "x"), long: () => KV.get(long),
              umlauts: () => KV.delete("ä".repeat(257)), prefix: () => KV.list({ prefix: long }),
              type: () => KV.get("a", "blob"), object: () => KV.put("a", {}), nothing: () => KV.put("a"),
              value: () => KV.put("a", new Uint8Array(26214401)), ttl: () => KV.put("a", "x", { expirationTtl: 59 }),
              past: () => KV.put("a", "x", { expiration: 1000 }), nan: () => KV.put("a", "x", { expirationTtl: NaN }),
              metadata: () => KV.put("a", "x", { metadata: "m".repeat(1023) }),
              cache: () => KV.get("a", { cacheTtl: 29 }), limit: () => KV.list({ limit: 1001 }),
              zero: () => KV.list({ limit: 0 }), cursor: () => KV.list({ cursor: "xyz" }),
              json: async () => { await KV.put("j", "{"); await KV.get("j", "json"); },
              used: async () => { const r = new Response("x"); await r.text(); await KV.put("a", r.body); },
              failing: () => KV.put("a", new ReadableStream({ pull() { throw new Error("no more"); } })),
              receiver: () => KV.get.call({}, "a"), constructed: () => new KV.constructor(),
            };
            const result = {};
            for (const name in cases) result[name] = await thrown(cases[name]);
            return Response.json(result);
            """)
        let answer = try platform.get("kv").json()
        for (name, text) in [
            ("empty", "TypeError: Key name cannot be empty."), ("dot", "TypeError: \"..\" is not allowed"),
            ("long", "KV GET failed: 414 UTF-8 encoded length of 513"),
            ("umlauts", "KV DELETE failed: 414 UTF-8 encoded length of 514"), ("prefix", "KV GET failed: 414"),
            ("type", "TypeError: Unknown response type."), ("object", "TypeError: KV put() accepts only strings"),
            ("nothing", "TypeError: Failed to execute 'put'"),
            ("value", "KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400."),
            ("ttl", "Invalid expiration_ttl of 59. Expiration TTL must be at least 60."),
            ("past", "Invalid expiration of 1000."), ("nan", "Invalid expiration_ttl of NaN."),
            ("metadata", "KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024."),
            ("cache", "KV GET failed: 400 Invalid cache_ttl of 29."), ("limit", "Invalid key_count_limit of 1001."),
            ("zero", "Invalid key_count_limit of 0."), ("cursor", "Invalid cursor"), ("json", "SyntaxError"),
            ("used", "TypeError: This ReadableStream"), ("failing", "Error: no more"),
            ("receiver", "Illegal invocation"), ("constructed", "Illegal constructor"),
        ] {
            #expect(answer[name].string?.contains(text) == true, "\(name): \(answer[name])")
        }
    }

    @Test func aRequestHasSoManyOperations() throws {
        let (platform, _) = try Self.platform(
            """
            for (let i = 0; i < 1000; i += 50) {
              await Promise.all(Array.from({ length: 50 }, () => KV.get("a")));
            }
            return new Response(await thrown(() => KV.get("a")));
            """)
        #expect(try platform.get("kv").text == "Error: Too many API requests by single Worker invocation.")
        // The next request has its own.
        #expect(try platform.get("kv").text == "Error: Too many API requests by single Worker invocation.")
    }

    /// Values count as the isolate's memory from the moment that they are read: many that wait cannot add up.
    @Test func valuesThatDoNotFitAreRefused() throws {
        let (platform, _) = try Self.platform(
            """
            await KV.put("large", new Uint8Array(25 << 20));
            const reads = Array.from({ length: 20 }, () => KV.get("large", "arrayBuffer"));
            const results = await Promise.allSettled(reads);
            const failed = results.filter((result) => result.status === "rejected");
            return Response.json({ failed: failed.length, first: String(failed[0]?.reason) });
            """)
        let answer = try platform.get("kv").json()
        #expect(answer["failed"].int ?? 0 > 10, "\(answer)")
        #expect(answer["first"].string?.hasPrefix("RangeError") == true)
    }

    @Test func anotherAccountsNamespaceIsNotThere() throws {
        let (platform, id) = try Self.platform("return new Response(String(await KV.get('a')));")
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        let bound = #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(id)"}]"#
        var form = Form()
        form.add("metadata", #"{"main_module":"index.js"\#(bound)}"#)
        form.add("index.js", Platform.answering("x"), filename: "index.js", type: "application/javascript+module")
        let envelope = try platform.call(
            "PUT", "/accounts/\(other)/workers/scripts/x", fields: [form.contentType], body: form.bytes)
        #expect(envelope.code == 10041)
        // A namespace that is gone is an error, not a crash.
        try platform.done("DELETE", "/accounts/{A}/storage/kv/namespaces/\(id)")
        #expect(try platform.get("kv").text == "null")
        #expect(try platform.upload(Platform.answering("x"), as: "new", metadata: bound).code == 10041)
    }

    @Test func notInGlobalScope() throws {
        let (platform, id) = try Self.platform("return new Response('x');")
        let code = """
            import { env } from "cloudflare:workers";
            const early = await env.KV.get("a").catch((error) => error.message);
            export default { fetch: () => new Response(early) };
            """
        try platform.deploy(
            code, as: "early",
            metadata: #"""
                ,"compatibility_date":"2026-01-01",
                "bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(id)"}]
                """#)
        #expect(try platform.get("early").text.contains("Disallowed operation called within global scope"))
    }
}
