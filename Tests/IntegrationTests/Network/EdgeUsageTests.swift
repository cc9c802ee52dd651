import Glibc
import Testing

/// What is used at locations: counted once, and held to the account's limits wherever it was.
@Suite("Use across locations") struct EdgeUsageTests {
    private static func totals(_ world: World) throws -> JSON {
        try world.platform.done("GET", "/accounts/{A}/usage")["totals"]
    }

    /// A Worker that writes to KV on PUT and reads it on GET.
    private static func deployKV(_ world: World) throws {
        let namespace = try #require(
            try world.platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string
        )
        let code = """
            export default { async fetch(request, { KV }) {
              if (request.method === "PUT") { await KV.put("k", await request.text()); return new Response("put"); }
              return new Response(String(await KV.get("k")));
            } };
            """
        try world.platform.deploy(
            code, as: "kv",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#)
    }

    private static func put(_ text: String, at edge: EdgeNode) throws {
        let client = try edge.client()
        try client.send("PUT", "/", fields: [("Host", "kv.main.localhost")], body: Array(text.utf8))
        #expect(try client.answer(by: .patient).text == "put")
    }

    @Test(arguments: FeedKind.all) func theMeterAddsUp(_ feed: FeedKind) throws {
        let world = try World(feed)
        try Self.deployKV(world)
        let edges = [try world.edge("cdg"), try world.edge("nrt")]
        for number in 0..<10 { try Self.put("\(number)", at: edges[number % 2]) }
        func isCounted(_ requests: Int, _ reads: Int) throws -> Bool {
            let totals = try Self.totals(world)
            #expect(totals["requests"].int ?? 0 <= requests)
            return totals["requests"].int == requests && totals["kv_reads"].int == reads
                && totals["kv_writes"].int == 10
        }
        try wait(until: "all is counted", by: .patient) { try isCounted(10, 0) }
        // A location that is killed while a batch of its use is under way. The control node takes it later, once.
        let rounds = 3
        for round in 1...rounds {
            world.platform.martlet.suspend()
            for _ in 0..<5 { #expect(try edges[0].get("kv").status == 200) }
            try wait(until: "they are written down", by: .patient) {
                try edges[0].readiness()["waiting_requests"].int == 5
            }
            try edges[0].martlet.kill9()
            world.platform.martlet.resume()
            try edges[0].start()
            try wait(until: "round \(round) is counted", by: .patient) { try isCounted(10 + 5 * round, 5 * round) }
        }
        try wait(until: "nothing waits", by: .patient) {
            try edges.allSatisfy { try $0.readiness()["waiting_requests"].int == 0 }
        }
        #expect(try isCounted(10 + 5 * rounds, 5 * rounds))
    }

    /// Neither of two locations has had as many requests as the account may have on a day; together they have.
    @Test(arguments: FeedKind.all) func aDaysRequestsAreThoseOfAllLocations(_ feed: FeedKind) throws {
        let limit = 400
        let world = try World(feed)
        try world.platform.deploy(Platform.answering("x"), as: "w")
        try world.platform.done("PATCH", "/accounts/{A}/limits", json: #"{"requests_per_day":\#(limit)}"#)
        let edges = [try world.edge("cdg"), try world.edge("nrt")]
        var counts = [0, 0]
        func isRefused(_ index: Int) throws -> Bool {
            counts[index] += 1
            let answer = try edges[index].get("w")
            guard answer.status == 429 else { return false }
            #expect(answer.errorNumber == 1027)
            return true
        }
        for index in [0, 1] {
            let client = try edges[index].client()
            for _ in 0..<(limit * 5 / 8) {
                counts[index] += 1
                try client.send("GET", "/", fields: [("Host", "w.main.localhost")])
                #expect(try client.answer(by: .patient).status == 200)
            }
        }
        try wait(until: "both refuse", by: .patient) {
            usleep(300_000)
            return try isRefused(0) && isRefused(1)
        }
        #expect(counts[0] < limit && counts[1] < limit, "\(counts): one alone has not used it up")
        #expect(try world.platform.get("w").status == 429)
        // It is known after a start, too, and over when the operator says so.
        try edges[0].killAndStart()
        #expect(try isRefused(0))
        try world.platform.done("PATCH", "/accounts/{A}/limits", json: #"{"requests_per_day":100000}"#)
        for edge in edges { try edge.wait(for: "x", of: "w") }
    }
}
