import Glibc
import Testing

/// Origins that stall, cut, lie and flood: each subrequest ends with an error, and the process goes on.
@Suite("Hostile origins") struct HostileOriginTests {
    private static let code = """
        try {
            const response = await fetch(env.ORIGIN + url.pathname);
            try { return new Response(`${response.status} ${(await response.text()).length}`); }
            catch (error) { return new Response(`body ${error.name}: ${error.message}`); }
        } catch (error) { return new Response(`${error.name}: ${error.message}`); }
        """

    /// Sends raw text for each path, then closes.
    private func origin(_ answers: [String: String]) throws -> Origin {
        try Origin { connection in
            guard let request = try connection.request() else { return }
            try connection.send(answers[request.target] ?? "")
        }
    }

    private static let lost = "TypeError: Network connection lost."
    private static let malformed = "TypeError: Network connection lost: the origin's answer is not valid HTTP."
    private static let late = "TypeError: Network connection lost: the origin did not answer in time."

    private static let answers: [(path: String, sends: String, gives: String)] = [
        ("/nothing", "", lost),
        ("/half-a-line", "HTTP/1.1 20", lost),
        ("/half-a-head", "HTTP/1.1 200 OK\r\nX: y\r\n", lost),
        ("/too-short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "body \(lost)"),
        ("/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort", "body \(lost)"),
        ("/no-last-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "body \(lost)"),
        ("/too-long", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmuch longer", "200 2"),
        ("/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", "body \(malformed)"),
        ("/garbage", "\u{1}\u{2}\u{3}garbage\r\n\r\n", malformed),
        ("/no-http", "SSH-2.0-OpenSSH_9.2\r\n", malformed),
        ("/bad-status", "HTTP/1.1 9999 Many\r\n\r\n", malformed),
        ("/bad-field", "HTTP/1.1 200 OK\r\nbad field: x\r\n\r\n", malformed),
        ("/negative", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", malformed),
        ("/huge-length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", malformed),
        ("/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", malformed),
        ("/upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", malformed),
        (
            "/large-field", "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n",
            "TypeError: The header of the origin's answer is too large."
        ),
        (
            "/many-fields",
            "HTTP/1.1 200 OK\r\n\(String(repeating: "X: \(String(repeating: "x", count: 990))\r\n", count: 200))\r\n",
            "TypeError: The header of the origin's answer is too large."
        ),
        (
            "/very-many-fields", "HTTP/1.1 200 OK\r\n\(String(repeating: "X: x\r\n", count: 10_000))\r\n",
            "TypeError: The header of the origin's answer is too large."
        ),
        ("/early-hints", String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 1_000), lost),
    ]

    @Test func answersThatAreNone() throws {
        let origin = try origin(Dictionary(uniqueKeysWithValues: Self.answers.map { ($0.path, $0.sends) }))
        let worker = try FetchingWorker(Self.code, origin: origin)
        for (path, _, gives) in Self.answers { #expect(try worker.get(path).text == gives, "\(path)") }
    }

    @Test func resets() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            if request.target == "/body" {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
                usleep(100_000)
            }
            connection.reset()
        }
        let worker = try FetchingWorker(Self.code, origin: origin)
        #expect(try worker.get("/head").text == Self.lost)
        #expect(try worker.get("/body").text == "body \(Self.lost)")
    }

    @Test func silence() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            if request.target == "/body" { try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort") }
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(Self.code, origin: origin, ["--origin-timeout-ms", "300"])
        #expect(try worker.get("/head").text == Self.late)
        #expect(try worker.get("/body").text == "body \(Self.late)")
        try eventually("the connections' end") { origin.endedConnections == 2 ? () : nil }
    }

    @Test func slownessIsNoSilence() throws {
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in 0..<10 {
                usleep(150_000)
                try connection.send("x")
            }
        }
        let worker = try FetchingWorker(Self.code, origin: origin, ["--origin-timeout-ms", "1000"])
        #expect(try worker.get().text == "200 10")
    }

    @Test func aReaderThatWaitsIsNoSilence() throws {
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
            try connection.send([UInt8](repeating: 97, count: 4_000_000))
        }
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN);
            await new Promise((resolve) => setTimeout(resolve, 1_000));
            return new Response(`${(await response.text()).length}`);
            """, origin: origin, ["--origin-timeout-ms", "300", "--cpu-ms", "1000"])
        #expect(try worker.get().text == "4000000")
    }

    @Test func nobodyAccepts() throws {
        // A listener whose queue is full takes no connection, and says nothing.
        let port = try Self.deafPort()
        let worker = try FetchingWorker(
            Self.code, origin: nil,
            ["--egress-allow", "127.0.0.1", "--connect-timeout-ms", "300", "--var", "ORIGIN=http://127.0.0.1:\(port)"])
        #expect(try worker.get().text == Self.late)
    }

    private static func deafPort() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length)
                listen(listener, 0)
                getsockname(listener, $0, &length)
                for _ in 0..<4 {
                    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                    connect(client, $0, length)
                }
            }
        }
        return Int(in_port_t(bigEndian: name.sin_port))
    }

    @Test func endlessAnswers() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            if request.target == "/head" {
                try connection.send("HTTP/1.1 200 OK\r\n")
                while true { try connection.send("X-Field: \(String(repeating: "x", count: 1_000))\r\n") }
            }
            try connection.send("HTTP/1.1 200 OK\r\n\r\n")
            let piece = [UInt8](repeating: 97, count: 1 << 20)
            while true { try connection.send(piece) }
        }
        let worker = try FetchingWorker(Self.code, origin: origin, ["--cpu-ms", "10000", "--memory-mb", "64"])
        #expect(try worker.get("/head").text == "TypeError: The header of the origin's answer is too large.")
        let whole = try worker.get("/body", by: .patient)
        // Which of the buffers on the way is the first to find no room is a matter of timing.
        #expect(whole.text.hasPrefix("body ") && whole.text.contains("memory"), "\(whole.summary)")
        #expect(try worker.get("/head").outcome == "ok", "the isolate lives")
    }

    /// Kept connections that the origin has closed in the meantime.
    @Test func closedConnections() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            try connection.send(.text("first"))
            guard request.target == "/keep", let second = try connection.request() else { return }
            // The second request on a connection gets no answer.
            _ = second
        }
        let worker = try FetchingWorker(
            """
            const seen = [];
            for (const [method, path] of [["GET", "/keep"], ["GET", "/keep"], ["POST", "/keep"], ["POST", "/keep"]]) {
                try { seen.push(await (await fetch(env.ORIGIN + path, { method })).text()); }
                catch (error) { seen.push(error.message); }
            }
            return Response.json(seen);
            """, origin: origin)
        // What may be repeated is, on another connection; the rest is the worker's to decide.
        let lost = "Network connection lost."
        #expect(try worker.json() == .array(["first", "first", lost, "first"].map { .string($0) }))
        for _ in 0..<5 { #expect(try worker.martlet.get().status == 200) }
    }

    @Test func theyDoNotDisturbOthers() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            switch request.target {
            case "/silent": try connection.waitForEnd()
            case "/cut": try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut")
            case "/garbage": try connection.send("\u{0}\u{0}\u{0}")
            default: try connection.send(.text("fine"))
            }
        }
        let worker = try FetchingWorker(Self.code, origin: origin)
        let silent = try (0..<20).map { _ in try worker.martlet.client() }
        for client in silent { try client.send("GET", "/silent") }
        for _ in 0..<20 {
            #expect(try worker.get("/cut").text == "body \(Self.lost)")
            #expect(try worker.get("/garbage").text == Self.malformed)
            #expect(try worker.get("/").text == "200 4")
        }
    }
}
