import Testing

@Suite("SIGTERM") struct DrainTests {
    private static let worker = """
        export default { async fetch(request, env, ctx) {
          console.log("begun");
          const text = await request.text();
          if (text === "never") await new Promise((resolve) => setTimeout(resolve, 1e6));
          if (text === "later") {
            ctx.waitUntil(scheduler.wait(300).then(() => console.log("done after the answer")));
          }
          return new Response(`got ${text}`);
        } };
        """

    private func dev(_ folder: ScratchFolder, _ flags: [String] = []) throws -> Martlet {
        try folder.write("index.js", Self.worker)
        return try Martlet.dev(folder.path, flags)
    }

    @Test(arguments: [true, false])
    func requestsUnderWayFinishAndNewConnectionsAreRefused(interrupts: Bool) throws {
        let folder = try ScratchFolder()
        // One lane: when it has closed the idle connection, it knows for the others too.
        let martlet = try dev(folder, ["--front-lanes", "1"])
        let clients = try (0..<4).map { _ in try martlet.client() }
        for client in clients {
            try client.sendHead("POST", "/")
            try client.sendChunk(Array("a ".utf8))
            try martlet.logLine(containing: "begun")
        }
        let idle = try martlet.client()
        #expect(try idle.get().text == "got ")
        if interrupts { martlet.interrupt() } else { martlet.terminate() }
        // A connection on which nothing is under way is closed.
        #expect(try idle.isCut())
        try martlet.waitForRefusal()
        #expect(martlet.isAlive)
        for client in clients {
            try client.sendChunk(Array("b".utf8))
            try client.sendChunk([])
            let answer = try client.answer()
            #expect(answer.text == "got a b")
            #expect(answer["Connection"] == "close")
            #expect(try client.isCut())
        }
        #expect(try martlet.exitCode() == 0)
    }

    @Test func anIdleProcessEndsAtOnce() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        let watch = Stopwatch()
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        #expect(watch.seconds < 10)
    }

    @Test func aRequestThatNeverEndsIsCutWhenTheTimeIsOver() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder, ["--drain-ms", "300"])
        let client = try martlet.client()
        try client.send("POST", "/", body: Array("never".utf8))
        try martlet.logLine(containing: "begun")
        let watch = Stopwatch()
        martlet.terminate()
        #expect(try client.isCut())
        #expect(try martlet.exitCode() == 0)
        #expect(watch.seconds > 0.25)
        #expect(watch.seconds < 10)
    }

    @Test func aSecondSignalEndsItAtOnce() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        let client = try martlet.client()
        try client.send("POST", "/", body: Array("never".utf8))
        try martlet.logLine(containing: "begun")
        martlet.terminate()
        try martlet.waitForRefusal()
        martlet.terminate()
        #expect(try martlet.exitCode() == 1)
        #expect(try client.isCut())
    }

    /// A lane in V8's own code that does not return: the requests of the others finish, and the process ends. Where
    /// both workers happen to run on one lane, the request is lost with it, as it should be: then once more.
    @Test func aLostLaneDoesNotHoldItUp() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.worker)
        try folder.write(
            "lost.js", "export default { fetch() { console.log('lost'); JSON.parse('['.repeat(4e7)); } };")
        func answerBesideALostLane() throws -> String? {
            let martlet = try Martlet.serve(folder.path, ["--front-lanes", "4"])
            let client = try martlet.client("a.localhost")
            try client.sendHead("POST", "/")
            try martlet.logLine(containing: "begun", by: .patient)
            let lost = try martlet.client("lost.localhost")
            try lost.send("GET", "/")
            martlet.terminate()
            try? client.sendChunk([])
            let text = try? client.answer(by: .patient).text
            #expect(try martlet.exitCode() == 0)
            return text
        }
        var text: String?
        for _ in 0..<10 where text != "got " { text = try answerBesideALostLane() }
        #expect(text == "got ")
    }

    @Test func waitUntilFinishesToo() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        let client = try martlet.client()
        try client.send("POST", "/", body: Array("later".utf8))
        #expect(try client.answer().text == "got later")
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        #expect(martlet.rest().log.contains { $0.contains("done after the answer") })
    }

    @Test func serveDrainsToo() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.worker)
        let martlet = try Martlet.serve(folder.path)
        let client = try martlet.client("a.localhost")
        try client.sendHead("POST", "/")
        try martlet.logLine(containing: "begun")
        martlet.terminate()
        try martlet.waitForRefusal()
        try client.sendChunk([])
        #expect(try client.answer().text == "got ")
        #expect(try martlet.exitCode() == 0)
    }
}

extension Martlet {
    /// Until a drain has begun.
    func waitForRefusal() throws {
        try wait(until: "connections are refused") {
            do {
                _ = try client()
                return false
            } catch let failure as Failure {
                return failure.description.contains("Connection refused")
            }
        }
    }
}
