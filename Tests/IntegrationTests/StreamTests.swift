import Testing

@Suite("Streams") struct StreamTests {
    /// Starts a worker of one file.
    private func dev(_ folder: ScratchFolder, _ worker: String, _ flags: [String] = []) throws -> Martlet {
        try folder.write("index.js", worker)
        return try Martlet.dev(folder.path, flags)
    }

    @Test func piecesOfAnAnswerArriveAsTheyAreProduced() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            let release;
            const encoder = new TextEncoder();
            export default { async fetch(request) {
              if (new URL(request.url).pathname === "/next") { release = true; return new Response("released"); }
              const { readable, writable } = new TransformStream();
              const writer = writable.getWriter();
              (async () => {
                for (let i = 0; i < 3; i++) {
                  writer.write(encoder.encode(`piece ${i}`));
                  for (release = false; !release;) await scheduler.wait(2);
                }
                writer.close();
              })();
              return new Response(readable, { headers: { "x-stream": "yes" } });
            } };
            """)
        let client = try martlet.client()
        try client.send()
        #expect(try client.answerHead()["x-stream"] == "yes")
        for number in 0..<3 {
            // The next piece is made only when this one has been seen.
            #expect(try client.piece().map { String(decoding: $0, as: UTF8.self) } == "piece \(number)")
            #expect(try martlet.get("/next").text == "released")
        }
        #expect(try client.piece() == nil)
    }

    @Test func piecesOfARequestArriveAsTheyAreSent() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { fetch(request) {
              return new Response(request.body.pipeThrough(new TransformStream({
                transform(piece, controller) { controller.enqueue(piece.reverse()); },
              })));
            } };
            """)
        let client = try martlet.client()
        try client.sendHead("POST", "/")
        for text in ["abc", "defg", "h"] {
            try client.sendChunk(Array(text.utf8))
            #expect(try client.piece().map { String(decoding: $0, as: UTF8.self) } == String(text.reversed()))
        }
        try client.sendChunk([])
        #expect(try client.piece() == nil)
    }

    /// Asks until the answer has not changed for a while.
    private func settled(_ what: String, _ ask: () throws -> Int) throws -> Int {
        var last = -1
        var since = Deadline.now
        return try eventually(what, by: .patient) {
            let now = try ask()
            if now != last { (last, since) = (now, Deadline.now) }
            return Deadline.now - since > 300_000_000 ? now : nil
        }
    }

    /// What kernel and server may hold between two ends of which one does not read.
    private static let mostInBetween = 12 << 20
    private static let total = 48 << 20

    @Test(arguments: ["pull", "writer", "pipe"])
    func aClientThatDoesNotReadMakesTheWorkerStop(_ kind: String) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            let produced = 0;
            const total = \(Self.total), size = 65536;
            const piece = () => { produced += size; return new Uint8Array(size).fill(produced / size); };
            const sources = {
              pull: () => new ReadableStream({ pull(controller) {
                if (produced === total) controller.close(); else controller.enqueue(piece());
              } }),
              writer: () => {
                const { readable, writable } = new TransformStream();
                (async () => {
                  const writer = writable.getWriter();
                  while (produced < total) { await writer.ready; await writer.write(piece()); }
                  await writer.close();
                })();
                return readable;
              },
              pipe: () => sources.pull().pipeThrough(new TransformStream()),
            };
            export default { fetch(request) {
              const name = new URL(request.url).pathname.slice(1);
              return new Response(name === "produced" ? String(produced) : sources[name]());
            } };
            """, ["--cpu-ms", "20000"])
        let client = try martlet.client(receiveBuffer: 64 << 10)
        try client.send("GET", "/\(kind)")
        let observer = try martlet.client()
        let produced = try settled("the worker stops") { Int(try observer.get("/produced").text)! }
        #expect(produced > 0)
        #expect(produced < Self.mostInBetween)
        var received = 0
        var isRight = true
        while let piece = try client.piece(by: .patient) {
            for (offset, byte) in piece.enumerated() where offset & 4095 == 0 {
                isRight = isRight && byte == UInt8(truncatingIfNeeded: (received + offset) / 65536 + 1)
            }
            received += piece.count
        }
        #expect(received == Self.total)
        #expect(isRight)
        #expect(try observer.get("/produced").text == "\(Self.total)")
    }

    @Test(arguments: ["read", "pass"])
    func aWorkerThatDoesNotReadMakesTheClientStop(_ kind: String) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            let release = false;
            export default { async fetch(request) {
              const { pathname } = new URL(request.url);
              if (pathname === "/release") { release = true; return new Response("released"); }
              while (!release) await scheduler.wait(5);
              if (pathname === "/pass") return new Response(request.body);
              let count = 0;
              for await (const piece of request.body) count += piece.length;
              return new Response(String(count));
            } };
            """, ["--cpu-ms", "20000"])
        let client = try martlet.client(receiveBuffer: 64 << 10)
        var upload = Upload(total: Self.total)
        try client.socket.sendAll(Client.head("POST", "/\(kind)", host: "localhost", fields: [upload.framing]))
        // Until nothing has been taken for a while.
        while upload.hasMore, client.socket.wait(for: .writable, by: Deadline(seconds: 0.5)) {
            try upload.sendSome(on: client.socket)
        }
        #expect(upload.sent < Self.mostInBetween)
        #expect(try martlet.get("/release").text == "released")
        let echo = try upload.exchange(on: client.socket)
        #expect(echo.answer.status == 200)
        if kind == "read" {
            #expect(echo.answer.text == "\(Self.total)")
        } else {
            #expect(echo.received == Self.total)
            #expect(echo.isSame)
        }
    }

    @Test(arguments: ["pass", "arrayBuffer", "text", "blob", "tee", "transform"], [false, true])
    func tenMegabytesComeBackAsTheyWere(_ kind: String, isChunked: Bool) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            const kinds = {
              pass: (r) => r.body,
              arrayBuffer: (r) => r.arrayBuffer(),
              text: (r) => r.text(),
              blob: (r) => r.blob(),
              tee: (r) => { const [a, b] = r.body.tee(); b.cancel(); return a; },
              transform: (r) => r.body.pipeThrough(new TransformStream()),
            };
            export default { async fetch(request) {
              return new Response(await kinds[new URL(request.url).pathname.slice(1)](request));
            } };
            """, ["--cpu-ms", "20000"])
        let client = try martlet.client()
        var upload = Upload(total: 10 << 20, isChunked: isChunked)
        try client.socket.sendAll(Client.head("POST", "/\(kind)", host: "localhost", fields: [upload.framing]))
        let echo = try upload.exchange(on: client.socket)
        #expect(echo.answer.status == 200)
        #expect(echo.received == 10 << 20)
        #expect(echo.isSame)
    }
}
