import Testing

@Suite("fetch() over TLS") struct SecureFetchTests {
    private static let code = """
        try {
            const body = url.searchParams.has("post") ? new Uint8Array(300_000) : undefined;
            const response = await fetch(url.searchParams.get("to"), { method: body ? "POST" : "GET", body });
            const text = await response.text();
            return Response.json([text.length > 1_000 ? text.length : text, response.headers.getSetCookie(),
                response.headers.get("x-field")]);
        } catch (error) { return Response.json(`${error.name}: ${error.message}`); }
        """

    private func worker(_ flags: [String], trusting certificate: SecureOrigin.Certificate?) throws -> FetchingWorker {
        try FetchingWorker(
            Self.code, origin: nil,
            ["--egress-allow", "127.0.0.1", "--cpu-ms", "1000"] + flags
                + (certificate.map { ["--egress-ca", $0.file] } ?? []))
    }

    @Test(arguments: SecureOrigin.Speaks.allCases)
    func requests(_ protocols: SecureOrigin.Speaks) throws {
        let certificate = try SecureOrigin.Certificate(for: "origin.test")
        let origin = try SecureOrigin(protocols, certificate)
        let worker = try worker(["--resolve", "origin.test=127.0.0.1"], trusting: certificate)
        let url = "https://origin.test:\(origin.port)"
        let rest = #"["a=1", "b=2"], "value""#
        let asked = "\(protocols.rawValue) GET /a|b%zz?x=[1] origin.test:\(origin.port) 0"
        for _ in 0..<3 { #expect(try "\(worker.json("/?to=\(url)/a%7Cb%25zz?x=[1]"))" == "[\"\(asked)\", \(rest)]") }
        let posted = "\(protocols.rawValue) POST / origin.test:\(origin.port) 300000"
        #expect(try "\(worker.json("/?post&to=\(url)/"))" == "[\"\(posted)\", \(rest)]")
        #expect(try "\(worker.json("/?to=\(url)/large"))" == "[10000000, \(rest)]")
        #expect(origin.connections == 1)
    }

    @Test func manyAtOnceOnOneConnection() throws {
        let certificate = try SecureOrigin.Certificate(for: "origin.test")
        let origin = try SecureOrigin(.http2, certificate)
        let worker = try FetchingWorker(
            """
            const all = Array.from({ length: 30 }, async (_, i) => (await fetch(env.URL + "/" + i)).text());
            return Response.json(await Promise.all(all));
            """, origin: nil,
            [
                "--egress-allow", "127.0.0.1", "--egress-ca", certificate.file, "--resolve", "origin.test=127.0.0.1",
                "--var", "URL=https://origin.test:\(origin.port)",
            ])
        let host = "origin.test:\(origin.port)"
        for _ in 0..<2 { #expect(try worker.json() == .array((0..<30).map { .string("h2 GET /\($0) \(host) 0") })) }
        #expect(origin.connections == 1)
    }

    @Test func whoCannotProveIt() throws {
        let certificate = try SecureOrigin.Certificate(for: "origin.test")
        let origin = try SecureOrigin(.http1, certificate)
        let names = ["--resolve", "origin.test=127.0.0.1", "--resolve", "other.test=127.0.0.1"]
        let trusting = try worker(names, trusting: certificate)
        let port = origin.port
        let failed = "TypeError: TLS handshake failed"
        #expect(try "\(trusting.json("/?to=https://127.0.0.1:\(port)/"))".hasPrefix("[\"http/1.1 GET"))
        #expect(try trusting.json("/?to=https://other.test:\(port)/").string?.hasPrefix(failed) == true)
        let wary = try worker(names, trusting: nil)
        #expect(try wary.json("/?to=https://origin.test:\(port)/").string?.hasPrefix(failed) == true)
        // Not TLS at all, and TLS where none is expected.
        let plain = try Origin.echoing()
        #expect(try wary.json("/?to=https://127.0.0.1:\(plain.port)/").string?.hasPrefix("TypeError") == true)
        #expect(try wary.json("/?to=http://127.0.0.1:\(port)/").string?.hasPrefix("TypeError") == true)
    }
}
