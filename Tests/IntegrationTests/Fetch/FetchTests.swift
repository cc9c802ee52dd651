import Glibc
import Testing

@Suite("fetch()") struct FetchTests {
    // MARK: Requests

    @Test func aRequestArrivesAsItWasMade() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + "/a|b%zz/{c}?x=[1]&y=\\u00e9#fragment", {
                method: "patch", body: "caf\\u00e9", headers: { "X-One": "1", "x-two": "zw\\u00f6lf" },
            });
            return new Response(response.body, response);
            """, origin: origin)
        let asked = try worker.json()
        #expect(asked["method"].string == "PATCH")
        #expect(asked["target"].string == "/a|b%zz/%7Bc%7D?x=[1]&y=%C3%A9")
        #expect(asked["body"].string == "café")
        let headers = asked["headers"]
        #expect(headers["host"].string == "127.0.0.1:\(origin.port)")
        #expect(headers["content-type"].string == "text/plain;charset=UTF-8")
        #expect(headers["content-length"].string == "5")
        #expect(headers["x-one"].string == "1")
        #expect(headers["x-two"].string == "zwölf")
        #expect(headers["accept-encoding"].string == "br, gzip")
        #expect(headers["cf-worker"].string == "localhost")
        #expect(
            headers.keys == [
                "accept-encoding", "cdn-loop", "cf-ew-via", "cf-worker", "content-length", "content-type", "host",
                "x-one",
                "x-two",
            ])
    }

    @Test func framingAndConnectionAreNotTheWorkersToSet() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker(
            """
            return fetch(env.ORIGIN, {
                method: "POST", body: "12345", headers: {
                    "Host": "evil.example", "Content-Length": "3", "Transfer-Encoding": "chunked",
                    "Connection": "close",
                    "Keep-Alive": "1", "TE": "trailers", "Trailer": "X", "Upgrade": "h2c", "Expect": "100-continue",
                    "Proxy-Connection": "close", "Martlet-Exchange": "1", "CF-Worker": "other", "CDN-Loop": "other",
                    "Accept-Encoding": "identity",
                },
            });
            """, origin: origin)
        let asked = try worker.json()
        #expect(asked["body"].string == "12345")
        #expect(
            asked["headers"].keys == [
                "accept-encoding", "cdn-loop", "cf-ew-via", "cf-worker", "content-length", "content-type", "host",
            ])
        #expect(asked["headers"]["host"].string == "127.0.0.1:\(origin.port)")
        #expect(asked["headers"]["accept-encoding"].string == "identity")
        #expect(asked["headers"]["cf-worker"].string == "localhost")
    }

    @Test func bodiesOfEveryKind() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker(
            """
            const bodies = {
                none: undefined, empty: "", text: "text", bytes: new Uint8Array([104, 105]),
                buffer: new Uint8Array([1, 104, 105]).buffer.slice(1), blob: new Blob(["bl", "ob"], { type: "a/b" }),
                params: new URLSearchParams({ a: "1 2" }), form: new FormData(), stream: new Response("stream").body,
                fixed: new Response("fixed").body.pipeThrough(new FixedLengthStream(5)),
            };
            bodies.form.set("name", "value");
            const answers = {};
            for (const name in bodies) {
                const response = await fetch(env.ORIGIN, { method: "POST", body: bodies[name] });
                const { body, headers } = await response.json();
                const type = headers["content-type"]?.replace(/boundary=.*/, "boundary");
                answers[name] = [body, type ?? "", headers["content-length"] ?? headers["transfer-encoding"]];
            }
            return Response.json(answers);
            """, origin: origin)
        let answers = try worker.json()
        func expect(_ name: String, _ body: String, _ type: String, _ length: String) {
            #expect(answers[name] == .array([.string(body), .string(type), .string(length)]), "\(name)")
        }
        expect("none", "", "", "0")
        expect("empty", "", "text/plain;charset=UTF-8", "0")
        expect("text", "text", "text/plain;charset=UTF-8", "4")
        expect("bytes", "hi", "", "2")
        expect("buffer", "hi", "", "2")
        expect("blob", "blob", "a/b", "4")
        expect("params", "a=1+2", "application/x-www-form-urlencoded;charset=UTF-8", "5")
        expect("stream", "stream", "", "chunked")
        expect("fixed", "fixed", "", "5")
        guard case .array(let form) = answers["form"] else { throw Failure("no form") }
        #expect(form[0].string?.contains("name=\"name\"\r\n\r\nvalue\r\n") == true)
        #expect(form[1].string == "multipart/form-data; boundary")
    }

    // MARK: Answers

    @Test func anAnswerIsSeenAsItCame() throws {
        let origin = try Origin.answering { _ in
            .text(
                "body", status: 299,
                [("Set-Cookie", "a=1"), ("X-Name", "one"), ("Set-Cookie", "b=2"), ("x-name", "zwölf")])
        }
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + "/path#fragment");
            const immutable = (() => { try { response.headers.set("a", "b"); } catch (e) { return e.name; } })();
            return Response.json({
                status: response.status, ok: response.ok, url: response.url, redirected: response.redirected,
                cookies: response.headers.getSetCookie(), name: response.headers.get("X-NAME"), immutable,
                used: [response.bodyUsed, await response.text(), response.bodyUsed],
            });
            """, origin: origin)
        let seen = try worker.json()
        let expected: [String: JSON] = [
            "status": .number(299), "ok": .bool(true), "url": .string("\(origin.url)/path"), "redirected": .bool(false),
            "cookies": .array([.string("a=1"), .string("b=2")]), "name": .string("one, zwölf"),
            "immutable": .string("TypeError"), "used": .array([.bool(false), .string("body"), .bool(true)]),
        ]
        #expect(seen.differences(from: .object(expected)) == [])
    }

    @Test func answersWithoutABody() throws {
        let origin = try Origin { connection in
            while let request = try connection.request() {
                switch request.target {
                case "/204": try connection.send("HTTP/1.1 204 No Content\r\n\r\n")
                case "/304": try connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n")
                case "/early":
                    try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
                    try connection.send(.text("late"))
                default: try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
                }
            }
        }
        let worker = try FetchingWorker(
            """
            const seen = {};
            for (const path of ["204", "304", "head", "early"]) {
                const response = await fetch(`${env.ORIGIN}/${path}`, { method: path === "head" ? "HEAD" : "GET" });
                seen[path] = [response.status, response.body === null, await response.text(),
                    response.headers.get("content-length")];
            }
            return Response.json(seen);
            """, origin: origin)
        let seen = try worker.json()
        #expect("\(seen["204"])" == "[204, true, \"\", null]")
        #expect("\(seen["304"])" == "[304, true, \"\", \"77\"]")
        #expect("\(seen["head"])" == "[200, true, \"\", \"99\"]")
        #expect("\(seen["early"])" == "[200, false, \"late\", \"4\"]")
        #expect(origin.connections == 1)
    }

    @Test func framings() throws {
        let origin = try Origin { connection in
            let request = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\n")
            if request?.target == "/chunked" {
                try connection.send("Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n")
                try connection.sendChunk("cdef")
                try connection.send("0\r\nTrailer: x\r\n\r\n")
            } else {
                try connection.send("\r\nabc")
                try connection.send("def")
            }
        }
        let worker = try FetchingWorker(
            "return new Response(await (await fetch(env.ORIGIN + url.pathname)).text());", origin: origin)
        #expect(try worker.get("/chunked").text == "abcdef")
        #expect(try worker.get("/close").text == "abcdef")
    }

    @Test func whatNeedsNoOrigin() throws {
        let worker = try FetchingWorker(
            """
            const blob = URL.createObjectURL(new Blob(["blob"], { type: "text/x" }));
            const data = await fetch("data:text/plain;base64,aGk="), object = await fetch(blob);
            const refusals = [];
            for (const target of ["ftp://a.example/", "file:///etc/passwd", "/relative", "http://a b/", "about:a"]) {
                try { await fetch(target); } catch (error) { refusals.push(error.name); }
            }
            return Response.json([await data.text(), data.status, await object.text(),
                object.headers.get("content-type"), refusals]);
            """, origin: nil)
        #expect(
            try "\(worker.json())"
                == #"["hi", 200, "blob", "text/x", ["TypeError", "TypeError", "TypeError", "TypeError", "TypeError"]]"#)
    }

    // MARK: Scope

    @Test func theTopLevelMakesNoRequests() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker(
            module: """
                let reason;
                fetch("\(origin.url)").catch((error) => { reason = error.message; });
                export default { fetch() { return new Response(reason); } };
                """, origin: origin)
        #expect(try worker.get().text.hasPrefix("Disallowed operation called within global scope."))
        #expect(origin.requests.isEmpty)
    }

    @Test func anAnswerBelongsToItsRequest() throws {
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\n\r\nbeginning")
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(
            module: """
                let kept;
                export default {
                    async fetch(request, env) {
                        if (request.url.endsWith("/first")) {
                            kept = await fetch(env.ORIGIN);
                            await new Promise((resolve) => setTimeout(resolve, 3_000));
                            return new Response("first");
                        }
                        try { return new Response(await kept.text()); }
                        catch (error) { return new Response(error.message); }
                    },
                };
                """, origin: origin)
        let first = try worker.martlet.client()
        try first.send("GET", "/first")
        _ = try eventually("the first request's subrequest") { origin.requests.count == 1 ? true : nil }
        usleep(50_000)
        #expect(try worker.get("/second").text.hasPrefix("Cannot perform I/O on behalf of a different request."))
    }

    @Test func waitingCostsNoCPUTimeAndIsNoHang() throws {
        let origin = try Origin.answering { _ in
            usleep(400_000)
            return .text("slow")
        }
        let worker = try FetchingWorker("return fetch(env.ORIGIN);", origin: origin, ["--cpu-ms", "20"])
        let answer = try worker.get()
        #expect(answer.text == "slow" && answer.outcome == "ok")
    }
}
