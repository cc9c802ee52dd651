import Testing

/// Accounts share a process: what one of them brings, others do not pay for.
@Suite("Fairness") struct FairnessTests {
    private static let code = """
        import { WorkerEntrypoint } from "cloudflare:workers";
        const burn = (times) => { let x = 0; for (let i = 0; i < times * 1e6; i++) x += Math.sqrt(i); return x; };
        export class Slow extends WorkerEntrypoint { async fetch() { await scheduler.wait(1e7); } }
        export default { async fetch(request, env) {
          const { pathname, searchParams } = new URL(request.url);
          const count = Number(searchParams.get("n"));
          switch (pathname) {
            case "/burn": return new Response(String(burn(count)));
            case "/wait": await scheduler.wait(1e7); break;
            case "/timers":
              await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
                setTimeout(() => { burn(5); done(); }, 0);
              })));
              return new Response("timers");
            case "/set":
              try {
                for (let i = 0; i < count; i++) setTimeout(() => {}, 1e6);
                return new Response("set");
              } catch (error) { return new Response(`${error.name}: ${error.message}`); }
            case "/ask":
              try {
                const first = env.SLOW.fetch("http://slow/");
                first.catch(() => {});
                await env.SLOW.fetch("http://slow/");
              } catch (error) { return new Response(error.message); }
          }
          return new Response("ok");
        } };
        """

    /// Two accounts with the same Worker, which has answered once in both.
    private static func platform(_ flags: [String]) throws -> Platform {
        let platform = try Platform(["--cpu-ms", "5000"] + flags)
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(other)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        let slow = #","bindings":[{"type":"service","name":"SLOW","service":"w","entrypoint":"Slow"}]"#
        for account in ["{A}", other] { try platform.deploy(code, as: "w", metadata: slow, account: account) }
        return platform
    }

    private static let oneLane = ["--front-lanes", "1", "--back-lanes", "0"]
    private static let mine = "w.main.localhost"
    private static let theirs = "w.other.localhost"

    private static func isAnswered(_ client: Client) -> Bool {
        client.socket.wait(for: .readable, by: Deadline(seconds: 0))
    }

    private static func isShed(_ answer: Answer) -> Bool {
        answer.status == 503 && answer["Retry-After"] == "1" && answer["Martlet-Outcome"] == "loadShed"
    }

    /// While the lane is busy, forty long requests of one account and then a short one of another arrive.
    @Test func aShortRequestDoesNotWaitForACrowd() throws {
        let platform = try Self.platform(Self.oneLane)
        let martlet = platform.martlet
        for host in [Self.mine, Self.theirs] { #expect(try martlet.get("/", host: host).text == "ok") }
        let first = try martlet.client(Self.mine)
        let crowd = try (0..<40).map { _ in try martlet.client(Self.mine) }
        let single = try martlet.client(Self.theirs)
        try first.send("GET", "/burn?n=100")
        for client in crowd { try client.send("GET", "/burn?n=10") }
        try single.send("GET", "/")
        #expect(try single.answer(by: .patient).text == "ok")
        #expect(crowd.count { Self.isAnswered($0) } < 20)
        for client in [first] + crowd { #expect(try client.answer(by: .patient).status == 200) }
    }

    /// A hundred timers that are due at once, each of some milliseconds.
    @Test func timersTakeTurnsWithOthersRequests() throws {
        let platform = try Self.platform(Self.oneLane)
        let martlet = platform.martlet
        for host in [Self.mine, Self.theirs] { #expect(try martlet.get("/", host: host).text == "ok") }
        let busy = try martlet.client(Self.mine)
        let other = try martlet.client(Self.theirs)
        try busy.send("GET", "/timers?n=100")
        var answers = 0
        while !Self.isAnswered(busy) {
            #expect(try other.get("/", by: .patient).text == "ok")
            answers += 1
        }
        #expect(answers > 10)
        #expect(try busy.answer(by: .patient).text == "timers")
    }

    @Test func aLineThatIsTooLong() throws {
        let platform = try Self.platform(Self.oneLane + ["--account-queue", "2"])
        let martlet = platform.martlet
        for host in [Self.mine, Self.theirs] { #expect(try martlet.get("/", host: host).text == "ok") }
        let first = try martlet.client(Self.mine)
        let crowd = try (0..<40).map { _ in try martlet.client(Self.mine) }
        let single = try martlet.client(Self.theirs)
        try first.send("GET", "/burn?n=100")
        for client in crowd { try client.send("GET", "/burn?n=10") }
        try single.send("GET", "/")
        #expect(try single.answer(by: .patient).text == "ok")
        let answers = try crowd.map { try $0.answer(by: .patient) }
        #expect(answers.contains { $0.status == 200 })
        #expect(answers.contains { Self.isShed($0) })
        #expect(answers.allSatisfy { $0.status == 200 || Self.isShed($0) })
    }

    /// Who waits and leaves is not run.
    @Test func aClientThatLeavesTheLine() throws {
        let platform = try Self.platform(Self.oneLane)
        let martlet = platform.martlet
        #expect(try martlet.get("/", host: Self.mine).text == "ok")
        let first = try martlet.client(Self.mine)
        let crowd = try (0..<20).map { _ in try martlet.client(Self.mine) }
        try first.send("GET", "/burn?n=100")
        for client in crowd { try client.send("GET", "/burn?n=10") }
        for client in crowd { client.close() }
        #expect(try first.answer(by: .patient).status == 200)
        // Behind all that wait.
        #expect(try martlet.get("/", host: Self.mine, by: .patient).text == "ok")
        guard case .object(let workers) = try martlet.serverStatus()["workers"] else { throw Failure("no workers") }
        let requests = workers.values.reduce(0) { $0 + ($1["requests"].int ?? 0) }
        #expect(requests < 10)
    }

    @Test func requestsUnderWay() throws {
        let platform = try Self.platform(["--account-requests", "2"])
        let martlet = platform.martlet
        let waiting = try (0..<2).map { _ in
            let client = try martlet.client(Self.mine)
            try client.send("GET", "/wait")
            return client
        }
        try wait(until: "both are under way", by: .patient) { Self.isShed(try martlet.get("/", host: Self.mine)) }
        #expect(try martlet.get("/", host: Self.theirs).text == "ok")
        for client in waiting { client.close() }
        try wait(until: "there is room again", by: .patient) { try martlet.get("/", host: Self.mine).text == "ok" }
    }

    @Test func isolatesOfAnAccount() throws {
        let platform = try Self.platform(["--account-isolates", "1", "--front-lanes", "1"])
        let martlet = platform.martlet
        try platform.deploy(Platform.answering("second"), as: "second")
        #expect(try martlet.get("/", host: Self.mine).text == "ok")
        // The first is idle, and goes.
        #expect(try platform.get("second").text == "second")
        let client = try martlet.client(Self.mine)
        try client.send("GET", "/wait")
        try wait(until: "the only isolate is busy", by: .patient) { Self.isShed(try platform.get("second")) }
        #expect(try martlet.get("/", host: Self.theirs).text == "ok")
        client.close()
        try wait(until: "it is idle again", by: .patient) { try platform.get("second").text == "second" }
    }

    @Test func timersOfAnAccount() throws {
        let platform = try Self.platform(["--account-timers", "5"])
        let martlet = platform.martlet
        let text = "QuotaExceededError: The Workers of an account may have at most 5 timers at a time"
        #expect(try martlet.get("/set?n=6", host: Self.mine).text == text)
        // Those of a request that is over are none.
        for _ in 0..<3 { #expect(try martlet.get("/set?n=5", host: Self.mine).text == "set") }
        #expect(try martlet.get("/timers?n=5", host: Self.mine).text == "timers")
        #expect(try martlet.get("/set?n=5", host: Self.mine).text == "set")
    }

    @Test func subrequestsOfAnAccount() throws {
        let platform = try Self.platform(["--account-subrequests", "1"])
        let text = "Too many subrequests under way by the Workers of an account (1)."
        for _ in 0..<2 { #expect(try platform.martlet.get("/ask", host: Self.mine).text == text) }
    }

    /// Before memory is gone, requests are refused; what needs no isolate is still served.
    @Test func memoryOfTheProcess() throws {
        let platform = try Platform(["--process-memory-mb", "1"])
        let assets = AssetUpload(platform: platform)
        try assets.deploy(["/a.txt": "asset"], code: Platform.answering("worker"), as: "w")
        #expect(Self.isShed(try platform.get("w")))
        #expect(try platform.get("w", "/a.txt").text == "asset")
        try platform.martlet.logLine(containing: "requests are refused", by: .patient)
    }
}
