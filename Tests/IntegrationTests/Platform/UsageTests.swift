import Testing

/// The meter, its ledger, and what is shown of it.
@Suite("Usage") struct UsageTests {
    private static func totals(_ platform: Platform, _ query: String = "") throws -> JSON {
        try platform.done("GET", "/accounts/{A}/usage\(query)")["totals"]
    }

    @Test func whatRequestsUseIsCounted() throws {
        let platform = try Platform()
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let code = """
            export default { async fetch(request, { KV, S }) {
              const path = new URL(request.url).pathname;
              if (path === "/fail") throw new Error("x");
              if (path === "/inner") return new Response("inner");
              await KV.put("a", "1");
              await KV.get("a");
              await S.fetch("http://x/inner");
              return new Response((await request.text()) + "!");
            } };
            """
        let metadata = #"""
            ,"bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"},
                {"type":"service","name":"S","service":"hello"}]
            """#
        try platform.deploy(code, as: "hello", metadata: metadata)
        let client = try platform.martlet.client("hello.main.localhost")
        for _ in 0..<3 {
            try client.send("POST", "/", body: Array("12345".utf8))
            #expect(try client.answer().text == "12345!")
        }
        #expect(try platform.get("hello", "/fail").status == 500)
        try wait(until: "the ledger has all") {
            let totals = try Self.totals(platform)
            return totals["requests"].int == 7 && totals["errors"].int == 1
        }
        let totals = try Self.totals(platform, "?script=hello")
        #expect(totals["errors"].int == 1)
        #expect(totals["subrequests"].int == 3)
        #expect(totals["bytes_in"].int == 15)
        // Those of the inner requests, too.
        #expect(totals["bytes_out"].int == 18 + 15)
        #expect(totals["kv_reads"].int == 3)
        #expect(totals["kv_writes"].int == 3)
        #expect(totals["wall_tenths"].int ?? 0 >= 7)
        #expect(totals["cpu_us"].int ?? 0 > 100)
        #expect(try Self.totals(platform, "?script=other")["requests"].int == 0)
        #expect(try Self.totals(platform, "?from=2020-01-01&to=2020-02-01")["requests"].int == 0)
        let usage = try platform.done("GET", "/accounts/{A}/usage")
        guard case .array(let hours) = usage["hours"] else { throw Failure("no hours") }
        #expect(hours.first?["script"].string == "hello")
        #expect(usage["cost"]["usd"] == .number(0))
        for query in ["?from=x", "?from=2026-02-01&to=2026-01-01", "?from=2020-01-01&to=2026-01-01"] {
            #expect(try platform.call("GET", "/accounts/{A}/usage" + query).status == 400)
        }
    }

    /// Waiting is not billed, burning is; by the kernel's clock of threads, so that a loaded machine changes nothing.
    @Test func cpuTimeIsBilledAndWaitingIsNot() throws {
        let platform = try Platform(["--cpu-ms", "2000"])
        let code = """
            export default { async fetch(request) {
              if (request.method === "POST") {
                let x = 1;
                for (let i = 0; i < 60000000; i++) x = (x * 31 + i) | 0;
                return new Response(String(x));
              }
              await new Promise((resolve) => setTimeout(resolve, 300));
              return new Response("waited");
            } };
            """
        try platform.deploy(code, as: "hello")
        #expect(try platform.get("hello").text == "waited")
        // Requests count when they begin, their time when they end.
        let waited = try eventually("the wait in the ledger") { () -> Int? in
            let totals = try Self.totals(platform)
            return totals["wall_us"].int ?? 0 >= 290_000 ? totals["cpu_us"].int : nil
        }
        #expect(waited < 150_000, "a wait of 300 ms is not CPU time")
        let client = try platform.martlet.client("hello.main.localhost")
        try client.send("POST", "/", body: [])
        #expect(try client.answer(by: .patient).status == 200)
        // The loop takes 20 ms at the very least.
        try wait(until: "the loop is in the ledger") {
            try Self.totals(platform)["cpu_us"].int ?? 0 > waited + 20_000
        }
    }

    @Test func theLedgerOutlivesTheProcess() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("x"), as: "hello")
        for _ in 0..<5 { _ = try platform.get("hello") }
        // An orderly end writes what is left.
        platform.martlet.terminate()
        #expect(try platform.martlet.exitCode() == 0)
        try platform.killAndStart()
        #expect(try Self.totals(platform)["requests"].int == 5)
        _ = try platform.get("hello")
        try wait(until: "the ledger has all") { try Self.totals(platform)["requests"].int == 6 }
        try platform.killAndStart()
        #expect(try Self.totals(platform)["requests"].int == 6)
    }

    @Test func replacedVersionsCountToo() throws {
        let platform = try Platform()
        for number in 1...4 {
            try platform.deploy(Platform.answering("\(number)"), as: "hello")
            #expect(try platform.get("hello").text == "\(number)")
        }
        try wait(until: "the ledger has all") { try Self.totals(platform)["requests"].int == 4 }
        try platform.done("DELETE", "/accounts/{A}/workers/services/hello")
        #expect(try Self.totals(platform)["requests"].int == 4)
    }

    @Test func thePlanIsAFile() throws {
        let folder = try ScratchFolder()
        try folder.write("plan.json", #"{"freeRequestsPerDay":0,"usdPerMillionRequests":1000000}"#)
        let platform = try Platform(["--plan", "\(folder.path)/plan.json"])
        try platform.deploy(Platform.answering("x"), as: "hello")
        _ = try platform.get("hello")
        _ = try platform.get("hello")
        try wait(until: "the ledger has all") { try Self.totals(platform)["requests"].int == 2 }
        #expect(try platform.done("GET", "/accounts/{A}/usage")["cost"]["usd"] == .number(2))
        for (text, word) in [("{", "is not a plan"), (#"{"freeRequestsPerDay":-1}"#, "is not a plan")] {
            try folder.write("bad.json", text)
            let martlet = try Martlet(Platform.arguments(folder, ["--plan", "\(folder.path)/bad.json"]))
            #expect(try martlet.exitCode() == 1)
            #expect(martlet.rest().log.joined().contains(word))
        }
    }
}
