import Glibc
import Synchronization
import Testing

@Suite("fetch() and streams") struct FetchStreamTests {
    /// A gate between a test and an origin's threads.
    final class Gate: Sendable {
        private let opened = Atomic<Int>(0)
        func open() { opened.add(1, ordering: .relaxed) }
        func wait(for count: Int = 1) throws {
            _ = try eventually("the gate", by: .patient) { opened.load(ordering: .relaxed) >= count ? () : nil }
        }
    }

    // MARK: Down

    @Test func piecesArriveAsTheyCome() throws {
        let gate = Gate()
        let origin = try Origin { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in 0..<3 {
                try gate.wait(for: piece)
                try connection.sendChunk("piece \(piece)")
            }
            try gate.wait(for: 3)
            try connection.send("0\r\n\r\n")
        }
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN);
            if (url.pathname === "/read") return new Response(response.body.pipeThrough(new TransformStream()));
            return response;
            """, origin: origin)
        let client = try worker.martlet.client()
        try client.send("GET", "/")
        for piece in 0..<3 {
            #expect(try client.piece() == Array("piece \(piece)".utf8))
            gate.open()
        }
        #expect(try client.piece() == nil)
        try client.send("GET", "/read")
        #expect(try String(decoding: client.answer().body, as: UTF8.self) == "piece 0piece 1piece 2")
    }

    /// Sends without end, and counts what it could send.
    private func endlessOrigin(_ sent: Counter) throws -> Origin {
        try Origin { connection in
            _ = try connection.request()
            connection.limitBuffers()
            try connection.send("HTTP/1.1 200 OK\r\n\r\n")
            let piece = [UInt8](repeating: 97, count: 64 << 10)
            while true {
                try connection.send(piece)
                sent.value.add(piece.count, ordering: .relaxed)
            }
        }
    }

    final class Counter: Sendable { let value = Atomic<Int>(0) }

    /// What lies between an origin and a worker that does not read: windows of ours, buffers of the kernel's, which
    /// lets a receiver's grow to 32 MB (tcp(7), `tcp_rmem`).
    private static let mostBuffered = 44 << 20

    @Test(arguments: ["/unread", "/one-piece", "/client"])
    func anOriginWaitsForItsReader(_ path: String) throws {
        let sent = Counter()
        let origin = try endlessOrigin(sent)
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN);
            if (url.pathname === "/client") return response;
            if (url.pathname === "/one-piece") await response.body.getReader().read();
            await new Promise((resolve) => setTimeout(resolve, 1_000));
            return new Response("done");
            """, origin: origin)
        let client = try worker.martlet.client(receiveBuffer: 16 << 10)
        try client.send("GET", path)
        let stalled = try eventually("a stream that stalls") { () -> Int? in
            let before = sent.value.load(ordering: .relaxed)
            usleep(200_000)
            return before > 0 && sent.value.load(ordering: .relaxed) == before ? before : nil
        }
        #expect(stalled < Self.mostBuffered)
    }

    @Test func largeBodiesComeWhole() throws {
        let origin = try Origin.answering { _ in
            OriginAnswer(body: (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8) })
        }
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN);
            if (url.pathname === "/untouched") return response;
            if (url.pathname === "/whole") return new Response(await response.arrayBuffer());
            return new Response(response.body.pipeThrough(new TransformStream()), response);
            """, origin: origin, ["--cpu-ms", "5000"])
        for path in ["/untouched", "/whole", "/stream"] {
            let answer = try worker.get(path, by: .patient)
            #expect(answer.body.count == 20_000_000)
            #expect(answer.body.indices.allSatisfy { answer.body[$0] == UInt8(truncatingIfNeeded: $0 >> 8) }, "\(path)")
            #expect(answer["content-length"] == (path == "/stream" ? nil : "20000000"))
        }
    }

    @Test func teedAndClonedAnswers() throws {
        let origin = try Origin.answering { _ in .text(String(repeating: "0123456789", count: 50_000)) }
        let worker = try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN), clone = response.clone();
            const [first, second] = await Promise.all([response.text(), clone.text()]);
            return Response.json([first.length, first === second]);
            """, origin: origin)
        #expect(try "\(worker.json())" == "[500000, true]")
    }

    // MARK: Up

    @Test func uploadsAreStreamed() throws {
        let received = Gate()
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            var body: [UInt8] = []
            while let piece = try connection.piece(of: request, after: body.count) {
                body += piece
                received.open()
            }
            try connection.send(.text(String(decoding: body, as: UTF8.self)))
        }
        let worker = try FetchingWorker(
            """
            const body = url.pathname === "/own" ? request.body.pipeThrough(new TransformStream()) : request.body;
            return fetch(env.ORIGIN, { method: "POST", body });
            """, origin: origin)
        for (path, count) in [("/own", 0), ("/untouched", 3)] {
            let client = try worker.martlet.client()
            try client.sendHead("POST", path)
            for piece in 1...3 {
                try client.sendChunk(Array("piece \(piece) ".utf8))
                try received.wait(for: count + piece)
            }
            try client.sendChunk([])
            #expect(try client.answer().text == "piece 1 piece 2 piece 3 ")
        }
    }

    @Test func lengthsAreKept() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker("return fetch(env.ORIGIN + url.pathname, request);", origin: origin)
        let client = try worker.martlet.client()
        let body = [UInt8](repeating: 98, count: 300_000)
        try client.send("PUT", "/path?query", fields: [("X-Name", "value")], body: body)
        let asked = try client.answer().json()
        #expect(asked["method"].string == "PUT")
        #expect(asked["target"].string == "/path")
        #expect(asked["body"].string?.utf8.count == body.count)
        #expect(asked["headers"]["content-length"].string == "300000")
        #expect(asked["headers"]["x-name"].string == "value")
    }

    @Test func aSenderWaitsForTheOrigin() throws {
        let gate = Gate()
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            connection.limitBuffers()
            gate.open()
            try gate.wait(for: 2)
            connection.limitBuffers(to: 1 << 20)
            var count = 0
            while let piece = try connection.piece(of: request, after: count) { count += piece.count }
            try connection.send(.text("\(count)"))
        }
        let worker = try FetchingWorker(
            """
            let sent = 0;
            const body = new ReadableStream({
                pull(controller) {
                    if (sent === 500) return controller.close();
                    sent++;
                    controller.enqueue(new Uint8Array(64 << 10));
                },
            });
            const answer = fetch(env.ORIGIN, { method: "POST", body });
            await new Promise((resolve) => setTimeout(resolve, 700));
            const before = sent;
            console.log("sent", before);
            return Response.json([before < 200, Number(await (await answer).text())]);
            """, origin: origin, ["--cpu-ms", "5000"])
        let client = try worker.martlet.client()
        try client.send("GET", "/")
        try gate.wait()
        usleep(1_000_000)
        gate.open()
        #expect(try "\(client.answer(by: .patient).json())" == "[true, \(500 * 64 << 10)]")
    }

    @Test func originsThatDoNotReadAll() throws {
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            _ = try connection.piece(of: request, after: 0)
            let status = request.target.dropFirst()
            try connection.send("HTTP/1.1 \(status) Status\r\nContent-Length: 6\r\nConnection: close\r\n\r\nenough")
            usleep(500_000)
        }
        let worker = try FetchingWorker(
            """
            let canceled = false;
            const body = new ReadableStream({
                async pull(controller) {
                    await new Promise((resolve) => setTimeout(resolve, 5));
                    controller.enqueue(new Uint8Array(10_000));
                },
                cancel() { canceled = true; },
            });
            const response = await fetch(env.ORIGIN + url.pathname, { method: "POST", body });
            const text = await response.text();
            await new Promise((resolve) => setTimeout(resolve, 100));
            return Response.json([response.status, text, canceled]);
            """, origin: origin)
        for status in [200, 413] { #expect(try "\(worker.json("/\(status)"))" == "[\(status), \"enough\", true]") }
    }

    @Test func streamsThatFail() throws {
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            connection.began(request)
            var count = 0
            while let piece = try connection.piece(of: request, after: count) { count += piece.count }
        }
        let worker = try FetchingWorker(
            """
            const seen = [];
            const send = async (source) => {
                try { await fetch(env.ORIGIN, { method: "POST", body: new ReadableStream(source) }); }
                catch (error) { seen.push(`${error.name}: ${error.message}`); }
            };
            await send({ start(controller) { controller.enqueue(new Uint8Array(5)); },
                pull() { throw new RangeError("broken"); } });
            await send({ pull(controller) { controller.enqueue("text"); } });
            return Response.json(seen);
            """, origin: origin)
        let seen = try "\(worker.json())"
        #expect(seen.hasPrefix(#"["RangeError: broken", "TypeError: This ReadableStream did not return bytes"#))
        // A connection that was made and never asked anything may stay in the pool.
        try wait(until: "no request is open") { origin.atOnce == 0 }
    }

    @Test func clientsThatGoWhileTheySend() throws {
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            connection.began(request)
            var count = 0
            while let piece = try connection.piece(of: request, after: count) { count += piece.count }
        }
        let worker = try FetchingWorker("return fetch(env.ORIGIN, request);", origin: origin)
        let client = try worker.martlet.client()
        try client.sendHead("POST", "/")
        try client.sendChunk([1, 2, 3])
        try eventually("the subrequest") { origin.requests.count == 1 ? () : nil }
        client.close()
        try eventually("the subrequest's end") { origin.endedConnections == 1 ? () : nil }
    }

    @Test func bothWaysAtOnce() throws {
        let origin = try Origin { connection in
            guard let request = try connection.head() else { return }
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            var count = 0
            while let piece = try connection.piece(of: request, after: count) {
                count += piece.count
                try connection.sendChunk(String(decoding: piece, as: UTF8.self).uppercased())
            }
            try connection.send("0\r\n\r\n")
        }
        let worker = try FetchingWorker(
            """
            const { readable, writable } = new TransformStream();
            const response = await fetch(env.ORIGIN, { method: "POST", body: readable });
            const writer = writable.getWriter(), reader = response.body.getReader(), seen = [];
            for (const word of ["one", "two", "three"]) {
                writer.write(new TextEncoder().encode(word));
                seen.push(new TextDecoder().decode((await reader.read()).value));
            }
            writer.close();
            seen.push((await reader.read()).done);
            return Response.json(seen);
            """, origin: origin)
        #expect(try "\(worker.json())" == #"["ONE", "TWO", "THREE", true]"#)
    }
}
