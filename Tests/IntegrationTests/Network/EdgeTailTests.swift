import Testing

/// Following what a Worker does, wherever it runs.
@Suite("Tails across locations") struct EdgeTailTests {
    private static let code = """
        export default { fetch(request) {
          const { pathname } = new URL(request.url);
          if (pathname === "/much") for (let i = 0; i < 4; i++) console.log("x".repeat(50000));
          console.log(pathname);
          return new Response("ok");
        } };
        """

    /// The next event of a location, from one request or another: it may hear a moment late of a tail.
    @discardableResult
    private static func event(_ tail: SocketClient, at edge: EdgeNode, of name: String = "w") throws -> JSON {
        try eventually("an event of \(edge.location)", by: .patient) {
            _ = try edge.get(name, "/\(edge.location)")
            let event = try? tail.event(by: .soon)
            return event?["colo"].string == edge.location.uppercased() ? event : nil
        }
    }

    @Test(arguments: FeedKind.all) func eventsOfAllLocationsAreTold(_ feed: FeedKind) throws {
        let world = try World(feed)
        try world.platform.deploy(Self.code, as: "w")
        try world.platform.deploy(Self.code, as: "other")
        let edges = [try world.edge("cdg"), try world.edge("nrt")]
        try world.waitForContact(with: edges)
        for _ in 0..<2 {
            let tail = try world.platform.tail("w")
            for edge in edges {
                let event = try Self.event(tail, at: edge)
                #expect(event["event"]["request"]["url"].string == "http://w.main.localhost/\(edge.location)")
                #expect(event["event"]["request"]["cf"]["colo"].string == edge.location.uppercased())
                #expect(event["logs"][0]["message"][0].string == "/\(edge.location)")
            }
            // Nobody follows the other one.
            _ = try edges[0].get("other")
            _ = try world.platform.get("w")
            try wait(until: "the control node's own event", by: .patient) {
                let event = try tail.event()
                #expect(event["scriptName"].string == "w")
                return event["colo"].string == "LOC"
            }
            try tail.send(SocketClient.close(1000))
        }
        let shown = try Martlet(
            ["tail", "w"],
            environment: ["MARTLET_ENDPOINT": world.platform.address, "MARTLET_TOKEN": world.platform.token])
        try shown.logLine(containing: "Following w", by: .patient)
        try wait(until: "the line of an event", by: .patient) {
            _ = try edges[1].get("w")
            return (try? shown.outputLine(by: .soon) { $0.hasSuffix(" NRT") }) != nil
        }
    }

    /// One that does not answer holds up neither a tail that begins nor the events of the others.
    @Test(arguments: FeedKind.all) func aStuckLocationDoesNotMatter(_ feed: FeedKind) throws {
        let world = try World(feed)
        try world.platform.deploy(Self.code, as: "w")
        let (edge, stuck) = (try world.edge("cdg"), try world.edge("nrt"))
        try world.waitForContact(with: [edge, stuck])
        stuck.martlet.suspend()
        defer { stuck.martlet.resume() }
        let tail = try world.platform.tail("w")
        try Self.event(tail, at: edge)
    }

    /// What the control node does not take in time is left out, and counted.
    @Test(arguments: FeedKind.all)
    func whatFindsNoRoomIsCounted(_ feed: FeedKind) throws {
        let world = try World(feed)
        try world.platform.deploy(Self.code, as: "w")
        let edge = try world.edge("cdg")
        try world.waitForContact(with: [edge])
        let tail = try world.platform.tail("w")
        try Self.event(tail, at: edge)
        let count = 30
        let begun = ContinuousClock.now
        world.platform.martlet.suspend()
        for _ in 0..<count { #expect(try edge.get("w", "/much").status == 200) }
        world.platform.martlet.resume()
        // A location that has not heard of the control node for ten seconds follows nobody: what it leaves out then is
        // not counted.
        let isWhole = ContinuousClock.now - begun < .seconds(8)
        var seen = 0
        var dropped = 0
        // What was dropped is told of with the next event.
        try wait(until: "all are seen or counted", by: .patient) {
            _ = try edge.get("w", "/next")
            try tail.send(SocketClient.frame(9, [1]))
            while case .text(let text)? = try tail.next() {
                let event = try JSON(text.utf8)["event"]
                if event["request"]["url"].string?.hasSuffix("/much") == true { seen += 1 }
                dropped += event["message"].string.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            }
            return dropped > 0 && (seen + dropped >= count || !isWhole)
        }
        #expect(seen > 0)
    }
}
