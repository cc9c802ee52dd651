import Testing

@Suite("fetch() and redirects") struct RedirectTests {
    /// Redirects `/STATUS/...` to `/target`, and echoes what comes there.
    private func origin() throws -> Origin {
        try .answering { request in
            let parts = request.target.split(separator: "/")
            if let status = parts.first.flatMap({ Int($0) }) { return .redirect(status, to: "../target?\(status)#new") }
            let type = request["content-type"] ?? "-"
            return .text("\(request.method) \(request.target) \(type) \(String(decoding: request.body, as: UTF8.self))")
        }
    }

    @Test func methodsAndBodies() throws {
        let origin = try origin()
        let worker = try FetchingWorker(
            """
            const seen = {};
            for (const status of [301, 302, 303, 307, 308]) {
                for (const method of ["GET", "POST", "PUT", "HEAD"]) {
                    const body = method === "POST" || method === "PUT" ? "body" : undefined;
                    const response = await fetch(`${env.ORIGIN}/${status}/x`, { method, body });
                    const { redirected, url } = response;
                    seen[`${status} ${method}`] = [response.status, redirected, url, await response.text()];
                }
            }
            return Response.json(seen);
            """, origin: origin, ["--subrequests", "100"])
        let seen = try worker.json()
        for status in [301, 302, 303, 307, 308] {
            let target = "/target?\(status)"
            func expect(_ method: String, _ text: String) {
                let expected: [JSON] = [.number(200), .bool(true), .string(origin.url + target), .string(text)]
                #expect(seen["\(status) \(method)"] == .array(expected), "\(status) \(method)")
            }
            let text = "text/plain;charset=UTF-8 body"
            expect("GET", "GET \(target) - ")
            expect("POST", status < 304 ? "GET \(target) - " : "POST \(target) \(text)")
            expect("PUT", status == 303 ? "GET \(target) - " : "PUT \(target) \(text)")
            expect("HEAD", "")
        }
        #expect(origin.requests.suffix(1).first?.method == "HEAD")
    }

    @Test func manually() throws {
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + "/302/x", { redirect: "manual" });
            const { headers, redirected, status } = response;
            return Response.json([status, redirected, response.url, headers.get("location")]);
            """, origin: try origin())
        #expect(try "\(worker.json())".hasPrefix("[302, false, "))
    }

    @Test func incomingRequestsAreSentOnManually() throws {
        let worker = try FetchingWorker("return fetch(env.ORIGIN + url.pathname, request);", origin: try origin())
        let answer = try worker.get("/307/x")
        #expect(answer.status == 307)
        #expect(answer["location"] == "../target?307#new")
    }

    @Test func statusesAndAnswersThatAreNoRedirects() throws {
        let origin = try Origin.answering { request in
            request.target == "/none"
                ? .text("no location", status: 302) : .text("not one", status: 300, [("Location", "/x")])
        }
        let worker = try FetchingWorker("return fetch(env.ORIGIN + url.pathname);", origin: origin)
        #expect(try worker.get("/none").text == "no location")
        #expect(try worker.get("/300").text == "not one")
    }

    @Test func streamsAreNotSentTwice() throws {
        let origin = try origin()
        let worker = try FetchingWorker(
            """
            const send = async (status, body) => {
                try {
                    const response = await fetch(`${env.ORIGIN}/${status}/x`, { method: "POST", body });
                    return await response.text();
                } catch (error) { return `${error.name}: ${error.message}`; }
            };
            return Response.json([await send(307, new Response("a").body), await send(303, new Response("a").body),
                await send(307, new Blob(["blob"])), await send(302, request.body)]);
            """, origin: origin)
        let client = try worker.martlet.client()
        try client.send("POST", "/", body: Array("client".utf8))
        guard case .array(let seen) = try client.answer().json() else { throw Failure("no list") }
        #expect(seen[0].string?.hasPrefix("TypeError: A request with a one-time-use body") == true)
        #expect(seen[1].string == "GET /target?303 - ")
        #expect(seen[2].string == "POST /target?307 - blob")
        #expect(seen[3].string?.hasPrefix("TypeError: A request with a one-time-use body") == true)
    }

    @Test func twentyAtMost() throws {
        let origin = try Origin.answering { request in
            let left = Int(request.target.dropFirst()) ?? 0
            return left == 0 ? .text("there") : .redirect(302, to: "/\(left - 1)")
        }
        let worker = try FetchingWorker(
            """
            try { return await fetch(env.ORIGIN + url.pathname); } catch (error) { return new Response(error.message); }
            """, origin: origin)
        #expect(try worker.get("/20").text == "there")
        #expect(try worker.get("/21").text == "Too many redirects.")
        #expect(origin.requests.count == 42)
    }

    @Test func eachCountsAsASubrequest() throws {
        let origin = try Origin.answering { _ in .redirect(302, to: "/again") }
        let worker = try FetchingWorker(
            """
            try { return await fetch(env.ORIGIN); } catch (error) { return new Response(error.message); }
            """, origin: origin, ["--subrequests", "5"])
        #expect(try worker.get().text.hasPrefix("Too many subrequests"))
        #expect(origin.requests.count == 5)
    }

    @Test func authorizationStaysWithItsOrigin() throws {
        let other = try Origin.echoing()
        let origin = try Origin.answering { request in
            if request.target == "/there" { return .redirect(302, to: "http://127.0.0.1:\(other.port)/") }
            return request.target == "/here" ? .redirect(302, to: "/echo") : .text(request["authorization"] ?? "none")
        }
        let worker = try FetchingWorker(
            """
            const headers = { Authorization: "secret", "X-Other": "kept" };
            return fetch(env.ORIGIN + url.pathname, { headers });
            """, origin: origin, ["--egress-allow", "127.0.0.1:\(other.port)"])
        #expect(try worker.get("/here").text == "secret")
        let there = try worker.json("/there")["headers"]
        #expect(there["authorization"] == .null)
        #expect(there["x-other"].string == "kept")
    }

    @Test(
        arguments: [
            "ftp://a.example/", "http://[", "file:///etc/passwd", "data:text/plain,a", "javascript:1",
            "http://user:pass@a.example/", "http://a.example:25/", "http://127.0.0.1:1/",
        ])
    func placesThatNobodyIsSentTo(_ location: String) throws {
        let origin = try Origin.answering { _ in .redirect(302, to: location) }
        let worker = try FetchingWorker(
            """
            try { await fetch(env.ORIGIN); } catch (error) { return new Response(error.name); }
            """, origin: origin)
        #expect(try worker.get().text == "TypeError")
        #expect(origin.requests.count == 1)
    }

    @Test func bodiesOfRedirectsAreNotWaitedFor() throws {
        let origin = try Origin { connection in
            while let request = try connection.request() {
                if request.target == "/end" {
                    try connection.send(.text("end"))
                } else {
                    try connection.send(
                        "HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 100000\r\n\r\nnever ends")
                }
            }
        }
        let worker = try FetchingWorker("return fetch(env.ORIGIN);", origin: origin)
        #expect(try worker.get().text == "end")
        #expect(origin.connections == 2)
    }
}
