import Foundation
import Testing

@Suite("fetch() and content codings") struct ContentCodingTests {
    private static let plain = Array(String(repeating: "The quick brown fox. ", count: 5_000).utf8)

    /// What a program makes of bytes.
    private static func coded(_ bytes: [UInt8], _ program: String, _ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let writer = Thread {
            try? input.fileHandleForWriting.write(contentsOf: bytes)
            try? input.fileHandleForWriting.close()
        }
        writer.start()
        let coded = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(coded)
    }

    private static func gzipped(_ bytes: [UInt8] = plain) throws -> [UInt8] { try coded(bytes, "/bin/gzip", ["-c"]) }

    private func origin(_ codings: [String: [UInt8]]) throws -> Origin {
        try .answering { request in
            let name = String(request.target.dropFirst())
            let coding = name.split(separator: "-").first.map(String.init) ?? name
            return OriginAnswer(fields: [("Content-Encoding", coding)], body: codings[name] ?? [])
        }
    }

    @Test func workersSeeWhatIsInside() throws {
        let codings = ["gzip": try Self.gzipped(), "gzip-empty": [], "GZIP": try Self.gzipped(), "other": Self.plain]
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + url.pathname);
            const headers = { "X-Coding": response.headers.get("content-encoding") };
            if (url.search === "?stream") {
                let text = "";
                for await (const piece of response.body.pipeThrough(new TextDecoderStream())) text += piece;
                return new Response(text, { headers });
            }
            return new Response(await response.text(), { headers });
            """, origin: try origin(codings), ["--cpu-ms", "1000"])
        for name in ["gzip", "GZIP", "other"] {
            for kind in ["", "?stream"] {
                let answer = try worker.get("/\(name)\(kind)")
                #expect(answer.body == Self.plain, "\(name)\(kind)")
                #expect(answer["x-coding"] == name)
            }
        }
        #expect(try worker.get("/gzip-empty").body.isEmpty)
    }

    @Test func whatNobodyReadStaysAsItIs() throws {
        let gzipped = try Self.gzipped()
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + "/gzip");
            const { pathname } = url;
            if (pathname === "/same") return response;
            if (pathname === "/copy") return new Response(response.body, response);
            if (pathname === "/plain") return new Response(response.body);
            """, origin: try origin(["gzip": gzipped]), ["--cpu-ms", "1000"])
        for path in ["/same", "/copy"] {
            let answer = try worker.get(path)
            #expect(answer.body == gzipped, "\(path)")
            #expect(answer["content-encoding"] == "gzip")
            #expect(answer["content-length"] == "\(gzipped.count)")
        }
        let plain = try worker.get("/plain")
        #expect(plain.body == Self.plain && plain["content-encoding"] == nil)
    }

    @Test func whatIsSentOnStaysAsItIs() throws {
        let gzipped = try Self.gzipped()
        let up = try Origin.answering { OriginAnswer(body: $0.body) }
        let origin = try origin(["gzip": gzipped])
        let worker = try FetchingWorker(
            """
            const { body, headers } = await fetch(env.ORIGIN + "/gzip");
            const coding = { "Content-Encoding": headers.get("content-encoding") };
            return fetch(env.UP, { method: "POST", body, headers: url.pathname === "/coded" ? coding : {} });
            """, origin: origin,
            ["--egress-allow", "127.0.0.1:\(up.port)", "--var", "UP=\(up.url)", "--cpu-ms", "1000"])
        #expect(try worker.get("/coded").body == gzipped)
        #expect(try worker.get("/plain").body == Self.plain)
    }

    /// What decoders need is the isolate's memory: brotli's windows have up to 16 MiB, as the origin likes.
    @Test func largeWindows() throws {
        // Of an uncompressed block of 16 MiB (RFC 7932, section 9.2), the first bytes.
        let start: [UInt8] = [0xcf, 0xff, 0xff, 0xff] + Array("start".utf8)
        let origin = try Origin { connection in
            guard try connection.request() != nil else { return }
            try connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 20000000\r\n\r\n")
            try connection.send(start)
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(
            """
            const seen = [], readers = [];
            for (let i = 0; i < 6; i++) {
                const reader = (await fetch(env.ORIGIN)).body.getReader();
                readers.push(reader);
                try { seen.push(new TextDecoder().decode((await reader.read()).value)); }
                catch (error) { seen.push(error.message.includes("memory")); break; }
            }
            await Promise.allSettled(readers.map((reader) => reader.cancel()));
            return Response.json(seen);
            """, origin: origin, ["--memory-mb", "64"])
        for _ in 0..<2 { #expect(try "\(worker.json())" == #"["start", "start", "start", true]"#) }
    }

    @Test func lies() throws {
        let gzipped = try Self.gzipped()
        let zeros = try Self.gzipped([UInt8](repeating: 0, count: 400_000_000))
        let origin = try origin([
            "gzip-cut": Array(gzipped.dropLast(10)), "gzip-none": Self.plain, "gzip-more": gzipped + [1, 2, 3],
            "br-none": Self.plain,
            "deflate-none": [0xff, 0xff, 0xff], "gzip-bomb": zeros,
        ])
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + url.pathname);
            try { return new Response(await response.text()); }
            catch (error) { return new Response(error.name); }
            """, origin: origin, ["--cpu-ms", "10000"])
        for name in ["gzip-cut", "gzip-none", "gzip-more", "br-none", "deflate-none"] {
            #expect(try worker.get("/\(name)").text == "TypeError", "\(name)")
        }
        #expect(try worker.get("/gzip-bomb", by: .patient).text == "RangeError")
        #expect(try worker.get("/gzip-none").text == "TypeError", "the isolate lives")
    }
}
