import Testing

/// Schedules where there are several that could run them: each time is one's, whoever is killed.
@Suite("Schedules across locations") struct EdgeScheduleTests {
    /// Minutes of 15 seconds.
    private static let flags = ["--schedule-scale", "4"]
    /// Some minutes, and what a loaded machine adds.
    private static var whenever: Deadline { Deadline(seconds: 150) }

    /// The times that a process has told of having been called for, in order.
    private static func times(_ martlet: Martlet) -> [String] {
        martlet.logSoFar().compactMap { $0.firstMatch(of: #/called for ([0-9]+)/#).map { String($0.1) } }
    }

    /// Waits until a process is called once more.
    private static func waitForCall(_ martlet: Martlet, _ who: String) throws {
        let before = times(martlet).count
        try wait(until: "\(who) runs them", by: whenever) { times(martlet).count > before }
    }

    @Test(arguments: FeedKind.all) func eachTimeIsRunOnceWhoeverIsKilled(_ feed: FeedKind) throws {
        let world = try World(feed, Self.flags)
        let code = """
            export default {
              scheduled(controller) { console.log("called for " + controller.scheduledTime); },
              fetch: () => new Response("here"),
            };
            """
        try world.platform.deploy(code, as: "hello")
        let path = "/accounts/{A}/workers/scripts/hello/schedules"
        try world.platform.done("PUT", path, json: #"[{"cron":"* * * * *"}]"#)
        let edges = [try world.edge("cdg", flags: Self.flags), try world.edge("nrt", flags: Self.flags)]
        try world.waitForContact(with: edges)
        let first = world.platform.martlet
        try Self.waitForCall(first, "the control node")
        try Self.waitForCall(first, "the control node")
        #expect(edges.flatMap { Self.times($0.martlet) }.isEmpty)
        try first.kill9()
        // One of them takes over; which, the control node has said, or NATS.
        var ended = [first]
        let heir = try eventually("a location runs them", by: Self.whenever) {
            edges.first { !Self.times($0.martlet).isEmpty }
        }
        if feed == .nats {
            // Any other is as good.
            try heir.martlet.kill9()
            let other = try #require(edges.first { $0 !== heir })
            try Self.waitForCall(other.martlet, other.location)
            ended.append(heir.martlet)
            try heir.start()
        } else {
            try Self.waitForCall(heir.martlet, heir.location)
        }
        try world.platform.start()
        try Self.waitForCall(world.platform.martlet, "the control node")
        try Self.waitForCall(world.platform.martlet, "the control node")
        let all = (ended + [world.platform.martlet] + edges.map(\.martlet)).flatMap(Self.times)
        #expect(Set(all).count == all.count, "\(all)")
        // What locations have run is known at the control node.
        let last = try world.platform.done("GET", path)["schedules"][0]["last_run"]
        #expect(last["outcome"].string == "ok")
    }
}
