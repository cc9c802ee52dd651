import Foundation
import Testing

/// Parts of the world are gone for a while. What was acknowledged arrives, nothing old comes back, locations go on
/// serving, and the meter adds up. `make drills` runs these for longer.
@Suite("drills", .enabled(if: NATSServer.isInstalled)) struct DrillTests {
    /// A control node whose port stays, with a Worker that answers "0".
    private static func platform(_ flags: [String]) throws -> Platform {
        let platform = try Platform(["--admin-port", "\(try EdgeTests.freePort())"] + flags)
        try platform.deploy(Platform.answering("0"), as: "hello")
        return platform
    }

    /// How often the copy of a location was made anew. The first time it has to be.
    private static func beginnings(_ edge: EdgeNode) -> Int {
        edge.martlet.logSoFar().count { $0.contains("made anew") }
    }

    /// Ends the visits: all were answered, and each was counted once.
    private static func settle(_ visitors: [Visitor], _ platform: Platform) throws -> [Int] {
        let counts = try visitors.map { try $0.leave() }
        let sum = counts.reduce(0, +)
        try wait(until: "\(sum) requests are counted", by: .patient) { try platform.counted() >= sum }
        #expect(try platform.counted() == sum)
        return counts
    }

    /// The `sleep` of a drill is what it is about: how long something was gone.
    private static func pass(_ seconds: Double, since start: Stopwatch) {
        usleep(UInt32(max(0, seconds - start.seconds) * 1e6))
    }

    @Test(arguments: ["nats", "embedded"]) func aLocationThatIsCutOffComesBack(_ feed: String) throws {
        let nats = feed == "nats" ? try NATSServer() : nil
        let platform = try Self.platform(nats.map { ["--feed", $0.address] } ?? [])
        let target = nats?.port ?? platform.martlet.ports[1]
        let relay = try Relay(to: target)
        let scheme = nats == nil ? "http" : "nats"
        let far = try EdgeNode("cdg", of: platform, join: "\(scheme)://127.0.0.1:\(relay.port)")
        let near = try EdgeNode("nrt", of: platform, join: "\(scheme)://127.0.0.1:\(target)")
        let visitors = [Visitor(far, "hello"), Visitor(near, "hello")]
        for visitor in visitors { try visitor.wait(for: 0) }
        try wait(until: "it is present", by: .patient) { try platform.location("cdg")["lag"].int == 0 }
        relay.cut()
        let watch = Stopwatch()
        try platform.change("hello", to: Platform.answering("1"))
        try visitors[1].wait(for: 1)
        try wait(until: "it counts as absent", by: .patient) {
            try platform.location("cdg")["present"] == .bool(false)
        }
        Self.pass(Drill.length(0, long: 60), since: watch)
        let cut = watch.seconds
        try platform.change("hello", to: Platform.answering("2"))
        relay.mend()
        let back = Stopwatch()
        try visitors[0].wait(for: 2)
        let took = back.seconds
        try visitors[1].wait(for: 2)
        let counts = try Self.settle(visitors, platform)
        #expect(Self.beginnings(far) == 1)
        try Drill.found(
            "a location is cut off for \(Drill.seconds(cut)) (\(feed))",
            "current \(Drill.seconds(took)) after; \(counts[0]) requests answered there meanwhile")
    }

    /// A location that is there and reads nothing, while much is written.
    @Test(arguments: ["nats", "embedded"]) func aSlowLocationCostsNobodyElse(_ feed: String) throws {
        let nats = feed == "nats" ? try NATSServer() : nil
        let platform = try Self.platform(nats.map { ["--feed", $0.address] } ?? [])
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let join = nats?.address ?? platform.address
        let slow = try EdgeNode("cdg", of: platform, join: join)
        let other = try EdgeNode("nrt", of: platform, join: join)
        let visitor = Visitor(other, "hello")
        try visitor.wait(for: 0)
        let before = try platform.memory()
        slow.martlet.suspend()
        let count = Int(Drill.length(160, long: 600))
        var value = (0..<1_500_000).map { _ in UInt8.random(in: 0...255) }
        for index in 0..<count {
            value[0] = UInt8(truncatingIfNeeded: index)
            let path = "/accounts/{A}/storage/kv/namespaces/\(namespace)/values/large"
            let envelope = try platform.call("PUT", path, body: value)
            #expect(envelope.status == 200, "\(envelope.summary)")
        }
        try platform.change("hello", to: Platform.answering("1"))
        try visitor.wait(for: 1)
        let after = try platform.memory()
        // 240 MB were written, or 900. What is kept ready for those who follow is at most 64; the rest is what malloc
        // holds on to of many requests.
        #expect(after - before < 180, "\(before) MB, then \(after) MB")
        let watch = Stopwatch()
        slow.martlet.resume()
        try slow.wait(for: "1", of: "hello")
        try Drill.found(
            "a location (\(feed)) reads nothing while \(count) values of 1.5 MB are written",
            "the control node's memory grew by \(Int(max(0, after - before))) MB; the location was current "
                + "\(Drill.seconds(watch.seconds)) after it read on")
        _ = try visitor.leave()
    }

    @Test func locationsAreCurrentAfterAnOutageOfNATS() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(["--feed", nats.address])
        let edges = try ["cdg", "nrt"].map { try EdgeNode($0, of: platform, join: nats.address) }
        let visitors = edges.map { Visitor($0, "hello") }
        for visitor in visitors { try visitor.wait(for: 0) }
        nats.kill9()
        let watch = Stopwatch()
        try platform.change("hello", to: Platform.answering("1"))
        Self.pass(Drill.length(5, long: 20), since: watch)
        let gone = watch.seconds
        try nats.start()
        let back = Stopwatch()
        for visitor in visitors { try visitor.wait(for: 1) }
        let took = back.seconds
        _ = try Self.settle(visitors, platform)
        for edge in edges { #expect(Self.beginnings(edge) == 1) }
        try Drill.found("NATS is gone for \(Drill.seconds(gone))", "all current \(Drill.seconds(took)) after")
    }

    /// A leaf node with a mirror of the stream, two locations behind it, one of which knows another way.
    @Test func aRegionLosesItsMirror() throws {
        let leaves = try EdgeTests.freePort()
        let hub = try NATSServer(domain: "hub", "leafnodes { listen: \"127.0.0.1:\(leaves)\" }")
        let region = try NATSServer(
            domain: "eu",
            "leafnodes { reconnect: 1, remotes: [{ urls: [\"nats-leaf://127.0.0.1:\(leaves)\"] }] }")
        let platform = try Self.platform(["--feed", hub.address, "--feed-mirror", "eu"])
        let bound = try EdgeNode("cdg", of: platform, join: region.address)
        let free = try EdgeNode("nrt", of: platform, join: "\(region.address),\(hub.address)")
        let visitors = [Visitor(bound, "hello"), Visitor(free, "hello")]
        for visitor in visitors { try visitor.wait(for: 0) }
        try platform.change("hello", to: Platform.answering("1"))
        for visitor in visitors { try visitor.wait(for: 1) }
        region.kill9()
        try platform.change("hello", to: Platform.answering("2"))
        let watch = Stopwatch()
        try visitors[1].wait(for: 2)
        let moved = watch.seconds
        Self.pass(Drill.length(0, long: 30), since: watch)
        try region.start()
        let back = Stopwatch()
        try visitors[0].wait(for: 2)
        let took = back.seconds
        // The region goes on where it was, from the mirror.
        hub.kill9()
        try bound.killAndStart()
        #expect(try bound.readiness()["ready"] == .bool(true))
        try hub.start()
        try platform.change("hello", to: Platform.answering("3"))
        try visitors[1].wait(for: 3)
        _ = try visitors[1].leave()
        try bound.wait(for: "3", of: "hello")
        #expect(Self.beginnings(free) == 1)
        #expect(Self.beginnings(bound) == 0)
        try Drill.found(
            "a region's mirror is gone for \(Drill.seconds(moved + watch.seconds))",
            "a location with a second address was current \(Drill.seconds(moved)) after the deploy, the others "
                + "\(Drill.seconds(took)) after the mirror was back")
    }

    /// The hub's stream is made anew, and counts from one again: a mirror of the old one would wait for ever.
    @Test func aMirrorOfALostStreamIsMadeAgain() throws {
        let leaves = try EdgeTests.freePort()
        let hub = try NATSServer(domain: "hub", "leafnodes { listen: \"127.0.0.1:\(leaves)\" }")
        let region = try NATSServer(
            domain: "eu",
            "leafnodes { reconnect: 1, remotes: [{ urls: [\"nats-leaf://127.0.0.1:\(leaves)\"] }] }")
        let platform = try Self.platform(["--feed", hub.address, "--feed-mirror", "eu"])
        let edge = try EdgeNode("cdg", of: platform, join: region.address)
        let visitor = Visitor(edge, "hello")
        for number in 1...5 { try platform.change("hello", to: Platform.answering("\(number)")) }
        try visitor.wait(for: 5)
        hub.kill9()
        try hub.wipe()
        try hub.start()
        try platform.change("hello", to: Platform.answering("6"))
        try visitor.wait(for: 6, by: Deadline(seconds: 60))
        _ = try Self.settle([visitor], platform)
    }
}
