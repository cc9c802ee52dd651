import Testing

@Suite("martlet serve") struct ServeTests {
    private static func answering(_ text: String) -> String {
        "let n = 0; export default { fetch: () => new Response(`\(text) ${++n}`) };\n"
    }

    @Test func aHostNameIsAWorker() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering("file"))
        try folder.write("b/index.js", "import t from './t.txt'; export default { fetch: () => new Response(t) };")
        try folder.write("b/t.txt", "folder")
        try folder.write("c.mjs", Self.answering("mjs"))
        try folder.write("notes.txt", "not a worker")
        let martlet = try Martlet.serve(folder.path)
        #expect(try martlet.get(host: "a.localhost").text == "file 1")
        #expect(try martlet.get(host: "A.LOCALHOST:\(martlet.port)").text == "file 2")
        #expect(try martlet.get(host: "b.localhost").text == "folder")
        #expect(try martlet.get(host: "c.localhost").text == "mjs 1")
        for host in ["d.localhost", "notes.localhost", "localhost", "127.0.0.1:\(martlet.port)"] {
            let answer = try martlet.get(host: host)
            #expect(answer.status == 404)
            #expect(answer.outcome == "scriptNotFound")
        }
    }

    @Test func oneConnectionReachesManyWorkers() throws {
        let folder = try ScratchFolder()
        for name in ["a", "b", "c"] { try folder.write("\(name).js", Self.answering(name)) }
        let martlet = try Martlet.serve(folder.path)
        let client = try martlet.client()
        for round in 1...3 {
            for name in ["a", "b", "c", "d"] {
                let answer = try client.get(fields: [("Host", "\(name).localhost")])
                if name == "d" { #expect(answer.status == 404) } else { #expect(answer.text == "\(name) \(round)") }
            }
        }
    }

    @Test func theFolderIsFollowed() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering("old"))
        let martlet = try Martlet.serve(folder.path)
        #expect(try martlet.get(host: "a.localhost").text == "old 1")
        func time(until text: String?, on host: String) throws -> Double {
            let watch = Stopwatch()
            try wait(until: "\(host) answers \(text ?? "404")") {
                let answer = try martlet.get(host: host)
                return text == nil ? answer.status == 404 : answer.text == text
            }
            return watch.seconds
        }
        try folder.write("a.js", Self.answering("new"))
        #expect(try time(until: "new 1", on: "a.localhost") < 5)
        try folder.write("b.js", Self.answering("added"))
        #expect(try time(until: "added 1", on: "b.localhost") < 5)
        try folder.write("c/index.js", Self.answering("folder"))
        #expect(try time(until: "folder 1", on: "c.localhost") < 5)
        try folder.write("c/index.js", Self.answering("changed"))
        #expect(try time(until: "changed 1", on: "c.localhost") < 5)
        try folder.remove("a.js")
        #expect(try time(until: nil, on: "a.localhost") < 5)
        try folder.rename("b.js", to: "d.js")
        #expect(try time(until: "added 1", on: "d.localhost") < 5)
        #expect(try time(until: nil, on: "b.localhost") < 5)
        try folder.remove("c")
        #expect(try time(until: nil, on: "c.localhost") < 5)
    }

    @Test func aBrokenWorkerIsItsOwnTrouble() throws {
        let folder = try ScratchFolder()
        try folder.write("good.js", Self.answering("good"))
        try folder.write("syntax.js", "export default {\n  fetch( {\n")
        try folder.write("throws.js", "export default { fetch() {} };\nthrow new Error('at its top');")
        try folder.write("none.js", "export default {};")
        try folder.write("import/index.js", "import './gone.js'; export default { fetch() {} };")
        try folder.write("large/index.js", "import t from './t.py'; export default { fetch: () => new Response('x') };")
        try folder.write("large/t.py", "")
        let martlet = try Martlet.serve(folder.path)
        for name in ["syntax", "throws", "none", "import", "large"] {
            let answer = try martlet.get(host: "\(name).localhost")
            #expect(answer.status == 500, "\(name)")
            #expect(answer.outcome == "exception", "\(name)")
            #expect(answer.errorNumber == 1101, "\(name)")
        }
        #expect(try martlet.get(host: "good.localhost").text == "good 1")
        // Each start says why, in the log: the place too, if there is one.
        var log: [String] = []
        for (name, text) in [
            ("syntax", "syntax.js:3:1: SyntaxError"), ("throws", "throws.js:2:7: Error: at its top"),
            ("none", "No event handlers were registered"), ("import", "./gone.js"), ("large", "t.py"),
        ] {
            try wait(until: "\(name) says why") {
                log += martlet.logSoFar()
                return log.contains { $0.contains("\"\(name)\"") && $0.contains(text) }
            }
        }
        try folder.write("syntax.js", Self.answering("mended"))
        try wait(until: "the mended worker answers") {
            try martlet.get(host: "syntax.localhost").text.hasPrefix("mended")
        }
    }

    @Test func logsAreLinesOfJSON() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js",
            """
            export default { fetch() {
              console.warn("two\\nlines", { a: 1 });
              console.debug("\\u0007 quote \\" done");
              throw new Error("boom");
            } };
            """)
        let martlet = try Martlet.serve(folder.path)
        #expect(try martlet.get(host: "a.localhost").status == 500)
        let first = try JSON(martlet.logLine { _ in true }.utf8)
        #expect(first.keys == ["level", "message", "ray", "request", "time", "worker"])
        #expect(first["level"] == .string("warn"))
        #expect(first["message"] == .string("two\nlines { a: 1 }"))
        #expect(first["worker"] == .string("a"))
        #expect(first["request"] == .number(1))
        #expect(first["time"].string?.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/#) != nil)
        let second = try JSON(martlet.logLine { _ in true }.utf8)
        #expect(second["level"] == .string("debug"))
        #expect(second["message"] == .string("\u{7} quote \" done"))
        let third = try JSON(martlet.logLine { _ in true }.utf8)
        #expect(third["level"] == .string("error"))
        #expect(third["message"].string?.hasPrefix("Uncaught Error: boom") == true)
    }

    @Test func outcomesAreShownIfAskedFor() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering("a"))
        try folder.write("b.js", "export default { fetch() { throw 1; } };")
        let quiet = try Martlet.serve(folder.path)
        #expect(try quiet.get(host: "a.localhost").outcome == nil)
        #expect(try quiet.get(host: "b.localhost").outcome == "exception")
        let loud = try Martlet.serve(folder.path, ["--show-outcome"])
        #expect(try loud.get(host: "a.localhost").outcome == "ok")
    }

    @Test func statusPage() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js", "export default { fetch() { for (let i = 0; i < 1e6; i++); return new Response('a'); } };")
        try folder.write("b.js", "export default { fetch() { throw 1; } };")
        let martlet = try Martlet.serve(
            folder.path, ["--front-lanes", "2", "--back-lanes", "3", "--blank-isolates", "4"])
        let fresh = try eventually("a full pool of blanks") {
            let status = try martlet.serverStatus()
            return status["process"]["blankIsolates"] == .number(4) ? status : nil
        }
        #expect(fresh["workers"].keys == ["a", "b"])
        #expect(fresh["workers"]["a"]["isolates"] == .number(0))
        #expect(fresh["workers"]["a"]["requests"] == .number(0))
        for _ in 0..<3 { _ = try martlet.get(host: "a.localhost") }
        for _ in 0..<2 { _ = try martlet.get(host: "b.localhost") }
        // A request is counted as failed when it is over, which is after its answer.
        let status = try eventually("both failures are counted") {
            let status = try martlet.serverStatus()
            return status["workers"]["b"]["errors"] == .number(2) ? status : nil
        }
        let a = status["workers"]["a"]
        let b = status["workers"]["b"]
        let process = status["process"]
        #expect(a["requests"] == .number(3))
        #expect(a["errors"] == .number(0))
        #expect(a["isolates"] == .number(1))
        #expect(a["coldStarts"] == .number(1))
        #expect(try #require(a["cpuMicroseconds"].int) > 0)
        #expect(b["requests"] == .number(2))
        #expect(b["errors"] == .number(2))
        #expect(process["pid"] == .number(Double(martlet.id)))
        #expect(process["isolates"] == .number(2))
        #expect(process["frontLanes"] == .number(2))
        #expect(process["backLanes"] == .number(3))
        #expect(process["lostLanes"] == .number(0))
        #expect(process["condemnedIsolates"] == .number(0))
        #expect(process["tainted"] == .bool(false))
        #expect(try #require(process["residentBytes"].int) > 10 << 20)
        #expect(try #require(process["memoryMappings"].int) > 100)
    }

    @Test func theStatusPageIsTheAdminPortsAlone() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: (r) => new Response(new URL(r.url).pathname) };")
        let martlet = try Martlet.serve(folder.path)
        #expect(try martlet.get("/__martlet/status").status == 404)
        #expect(try martlet.get("/__martlet/status", host: "a.localhost").text == "/__martlet/status")
        let admin = try Client(port: martlet.ports[1], host: "a.localhost")
        #expect(try admin.get("/").status == 404)
        #expect(try admin.get("/__martlet/status?x=1")["content-type"] == "application/json")
        try admin.send("POST", "/__martlet/status", body: [])
        #expect(try admin.answer().status == 405)
    }

    @Test func concurrentFirstRequestsStartOneIsolate() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js",
            """
            const start = Array.from({ length: 2e5 }, (_, i) => i).reduce((a, b) => a + b);
            let n = 0;
            export default { async fetch() { await scheduler.wait(1); return new Response(String(++n)); } };
            """)
        let martlet = try Martlet.serve(folder.path)
        let clients = try (0..<100).map { _ in try martlet.client("a.localhost") }
        for client in clients { try client.send() }
        let answers = try clients.map { try $0.answer(by: .patient).text }
        #expect(Set(answers) == Set((1...100).map(String.init)))
        #expect(try martlet.serverStatus()["workers"]["a"]["coldStarts"] == .number(1))
    }

    @Test func idleIsolatesAreEvictedWhenMemoryIsShort() throws {
        let folder = try ScratchFolder()
        let hungry =
            "const kept = new Uint8Array(20 << 20).fill(1); let n = 0;"
            + "export default { fetch: () => new Response(`${++n} ${kept[9]}`) };"
        for number in 0..<6 { try folder.write("w\(number).js", hungry) }
        let martlet = try Martlet.serve(folder.path, ["--memory-budget-mb", "64", "--front-lanes", "1"])
        for number in 0..<6 { #expect(try martlet.get(host: "w\(number).localhost").text == "1 1") }
        let process = try martlet.serverStatus()["process"]
        // Room is made before a start, of which nobody knows how large it will be: one more than fits.
        #expect(try #require(process["evictions"].int) >= 2)
        #expect(try #require(process["isolates"].int) <= 4)
        // The one used last is still there, the one used first starts anew.
        #expect(try martlet.get(host: "w5.localhost").text == "2 1")
        #expect(try martlet.get(host: "w0.localhost").text == "1 1")
    }

    @Test func relativeURLsNeedABase() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js",
            """
            const url = () => { try { return new Request("../b?c").url; } catch (e) { return e.name; } };
            export default { fetch: () => new Response(url()) };
            """)
        #expect(try Martlet.serve(folder.path).get(host: "a.localhost").text == "TypeError")
        let based = try Martlet.serve(folder.path, ["--base-url", "http://base.example/x/y/z"])
        #expect(try based.get(host: "a.localhost").text == "http://base.example/x/b?c")
    }

    @Test func errorsNameTheirFile() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a/index.js",
            """
            import { fail } from "./lib/fail.js";
            let place;
            addEventListener("error", ({ filename, lineno }) => { place = `${filename}:${lineno}`; });
            export default { fetch() { fail(); return new Response(place); } };
            """)
        try folder.write("a/lib/fail.js", "export const fail = () => {\nreportError(1);\n};")
        #expect(try Martlet.serve(folder.path).get(host: "a.localhost").text == "lib/fail.js:2")
        let based = try Martlet.serve(folder.path, ["--base-url", "http://base.example/x/"])
        #expect(try based.get(host: "a.localhost").text == "http://base.example/x/lib/fail.js:2")
    }

    @Test func aWorkerWithTooManyRequestsSheds() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { async fetch(r) { return new Response(await r.text()); } };")
        let martlet = try Martlet.serve(folder.path, ["--concurrency", "2", "--front-lanes", "1"])
        let clients = try (0..<2).map { _ in try martlet.client("a.localhost") }
        for client in clients { try client.sendHead("POST", "/") }
        let shed = try eventually("a request that is shed") {
            let answer = try martlet.get(host: "a.localhost")
            return answer.status == 503 ? answer : nil
        }
        #expect(shed.outcome == "loadShed")
        #expect(shed["Retry-After"] != nil)
        for client in clients {
            try client.sendChunk(Array("late".utf8))
            try client.sendChunk([])
            #expect(try client.answer().text == "late")
        }
        #expect(try martlet.get(host: "a.localhost").status == 200)
    }
}
