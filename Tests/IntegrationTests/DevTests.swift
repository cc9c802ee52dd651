import Testing

@Suite("martlet dev") struct DevTests {
    private static func answering(_ text: String) -> String {
        "export default { fetch: () => new Response(\"\(text)\") };\n"
    }

    /// Saves, and returns how long it took until the next version answered.
    private func reload(_ martlet: Martlet, until text: String, _ save: () throws -> Void) throws -> Double {
        let client = try martlet.client()
        try save()
        let watch = Stopwatch()
        try wait(until: "the answer is '\(text)'") { try client.get().text == text }
        return watch.seconds
    }

    @Test func aSaveIsServedWithinAMoment() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.answering("one"))
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get().text == "one")
        let time = try reload(martlet, until: "two") { try folder.write("index.js", Self.answering("two")) }
        #expect(time < 5)
        try martlet.logLine(containing: "Reloaded.")
        // Written in place, as some editors do, and through a rename.
        let inPlace = try reload(martlet, until: "three") {
            try folder.writeInPlace("index.js", Self.answering("three"))
        }
        #expect(inPlace < 5)
        let renamed = try reload(martlet, until: "four") {
            try folder.write("other.tmp", Self.answering("four"))
            try folder.rename("other.tmp", to: "index.js")
        }
        #expect(renamed < 5)
    }

    @Test func importsAreWatchedToo() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", "import t from './lib/t.txt'; export default { fetch: () => new Response(t) };")
        try folder.write("lib/t.txt", "one")
        let martlet = try Martlet.dev("\(folder.path)/index.js", ["--var", "A=kept"])
        #expect(try martlet.get().text == "one")
        let changed = try reload(martlet, until: "two") { try folder.write("lib/t.txt", "two") }
        #expect(changed < 5)
        // A folder that is new, a file in it, and the import of it.
        let moved = try reload(martlet, until: "three kept") {
            try folder.write("new/folder/t.txt", "three ")
            try folder.write(
                "index.js",
                "import t from './new/folder/t.txt'; export default { fetch: (_, e) => new Response(t + e.A) };")
        }
        #expect(moved < 5)
        let again = try reload(martlet, until: "four kept") { try folder.write("new/folder/t.txt", "four ") }
        #expect(again < 5)
    }

    @Test func requestsUnderWayEndWithTheVersionTheyBeganWith() throws {
        let folder = try ScratchFolder()
        func worker(_ version: String) -> String {
            """
            let count = 0;
            export default { async fetch(request) {
              console.log("request", ++count);
              return new Response("\(version) " + await request.text());
            } };
            """
        }
        try folder.write("index.js", worker("old"))
        let martlet = try Martlet.dev(folder.path)
        let slow = try martlet.client()
        try slow.sendHead("POST", "/")
        try slow.sendChunk(Array("begun, ".utf8))
        try martlet.logLine(containing: "request 1")
        _ = try reload(martlet, until: "new ") { try folder.write("index.js", worker("new")) }
        try slow.sendChunk(Array("ended".utf8))
        try slow.sendChunk([])
        #expect(try slow.answer().text == "old begun, ended")
        // The same connection, now with the new version.
        #expect(try slow.get().text == "new ")
    }

    @Test func aBrokenSaveKeepsTheOldVersion() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", "let n = 0;\nexport default { fetch: () => new Response(`good ${++n}`) };")
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get().text == "good 1")
        try folder.write("index.js", "export default {\n  fetch( {\n};\n")
        try martlet.logLine {
            $0.contains("Not reloaded: ") && $0.contains("index.js:3:") && $0.contains("SyntaxError")
        }
        #expect(try martlet.get().text == "good 2")
        try folder.write("index.js", "throw new Error('at the top');")
        try martlet.logLine { $0.contains("Not reloaded: ") && $0.contains("at the top") }
        try folder.remove("index.js")
        try martlet.logLine { $0.contains("Not reloaded: ") && $0.contains("index.js") }
        #expect(try martlet.get().text == "good 3")
        let time = try reload(martlet, until: "mended") { try folder.write("index.js", Self.answering("mended")) }
        #expect(time < 5)
    }

    @Test func anUnchangedSaveKeepsTheIsolate() throws {
        let folder = try ScratchFolder()
        let worker = "let n = 0;\nexport default { fetch: () => new Response(`${++n}`) };"
        try folder.write("index.js", worker)
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get().text == "1")
        try folder.write("index.js", worker)
        try folder.write("other.js", "export default {};")
        // The next change is seen, so those before it were, too.
        _ = try reload(martlet, until: "changed") { try folder.write("index.js", Self.answering("changed")) }
        _ = try martlet.logLine(containing: "Reloaded.")
        #expect(martlet.logSoFar().filter { $0.contains("Reloaded.") }.count <= 1)
    }

    @Test func requestsAreLogged() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "index.js",
            """
            export default { fetch(request) {
              const until = Number(new URL(request.url).searchParams.get("burn"));
              for (let i = 0; i < until; i++);
              return new Response("x", { status: 201 });
            } };
            """)
        let martlet = try Martlet.dev(folder.path, ["--cpu-ms", "5000"])
        _ = try martlet.get("/%1b%5b31m")
        try martlet.logLine {
            $0.hasPrefix("GET http://localhost/%1b%5b31m 201 (") && $0.hasSuffix(" CPU, cold start)")
        }
        _ = try martlet.get("/?burn=200000000")
        let line = try martlet.logLine(containing: "GET http://localhost/?burn=200000000 201")
        let figures = try #require(line.firstMatch(of: #/\(([\d.]+) ms, ([\d.]+) ms CPU\)/#))
        let wall = try #require(Double(figures.1))
        let cpu = try #require(Double(figures.2))
        #expect(cpu > 10)
        #expect(wall >= cpu * 0.8)
    }

    /// What V8 prints when it gives up is not for the terminal.
    @Test func fatalErrorsOfV8AreOneLine() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "index.js", "export default { fetch: () => new Response('x'.repeat(2 ** 27 + 1).split('').length) };")
        let martlet = try Martlet.dev(folder.path, ["--memory-mb", "2000", "--cpu-ms", "60000"])
        #expect(try martlet.get(by: .patient).outcome == "exceededMemory")
        martlet.terminate()
        let log = martlet.rest().log
        #expect(log.count { !$0.hasPrefix("GET ") } == 1, "\(log)")
        #expect(log.contains { $0.contains("Worker exceeded memory limit.") })
    }
}
