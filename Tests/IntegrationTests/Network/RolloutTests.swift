import Foundation
import Testing

/// How a change comes to the locations, and what is said where it does not.
@Suite("Roll-out") struct RolloutTests {
    @Test(arguments: FeedKind.all) func whoIsLateIsListed(_ feed: FeedKind) throws {
        let world = try World(feed)
        for text in ["1", "2"] { try world.platform.deploy(Platform.answering(text), as: "hello") }
        let (edge, stuck) = (try world.edge("cdg"), try world.edge("nrt"))
        try world.waitForContact(with: [edge, stuck])
        stuck.martlet.suspend()
        defer { stuck.martlet.resume() }
        let late = try world.platform.command(["rollback", "--name", "hello", "--wait", "100%", "--wait-s", "2"])
        #expect(late.status == 1)
        #expect(late.output.contains("in 1 of 2 locations"), "\(late.output)")
        #expect(late.output.contains("the change stands"))
        #expect(late.output.contains("not yet: nrt"))
        // It stands indeed.
        #expect(try world.platform.get("hello").text == "1")
        try edge.wait(for: "1", of: "hello")
        // Who was not heard of for ten seconds is not waited for.
        try wait(until: "it is absent", by: .patient) {
            let list = try world.platform.done("GET", "/locations").array ?? []
            return list.first { $0["id"].string == "nrt" }?["present"] == .bool(false)
        }
        try world.platform.deploy(Platform.answering("3"), as: "hello")
        let again = try world.platform.command(["rollback", "--name", "hello", "--wait", "100%"])
        #expect(again.status == 0, "\(again.output)")
        #expect(again.output.contains("in 1 of 1 locations"))
        #expect(again.output.contains("absent: nrt"))
        stuck.martlet.resume()
        for one in [edge, stuck] { try one.wait(for: "2", of: "hello") }
    }

    @Test(arguments: FeedKind.all) func whoCannotLoadItIsListed(_ feed: FeedKind) throws {
        let world = try World(feed)
        let mark = "unlike-any-other-text"
        for _ in 0..<2 { try world.platform.deploy(Platform.answering(mark), as: "hello") }
        let edge = try world.edge("cdg")
        #expect(try edge.get("hello").text == mark)
        try edge.martlet.kill9()
        try edge.execute(
            "UPDATE blobs SET bytes = zeroblob(length(bytes)) WHERE instr(CAST(bytes AS TEXT), '\(mark)')")
        try edge.start()
        try world.waitForContact(with: [edge])
        let result = try world.platform.command(["rollback", "--name", "hello"])
        #expect(result.status == 1)
        #expect(result.output.contains("cdg cannot load it: blob"), "\(result.output)")
        #expect(result.output.contains("the change stands, but 1 locations cannot load it"))
        let table = try world.platform.command(["locations", "--json"])
        let listed = try #require(try JSON(table.output.utf8).array?.first)
        #expect(listed["broken"] != .object([:]))
        #expect(listed["version"].string?.isEmpty == false)
        // Another version is as good as ever.
        try world.platform.deploy(Platform.answering("mended"), as: "hello")
        try edge.wait(for: "mended", of: "hello")
    }
}
