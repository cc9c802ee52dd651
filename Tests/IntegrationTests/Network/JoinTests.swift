import Foundation
import Testing

/// Beginnings that cannot be: each is told, and changes nothing.
@Suite("Joining") struct JoinTests {
    /// What an edge says that does not come to serve.
    private static func failure(_ edge: EdgeNode) throws -> String {
        #expect(try edge.martlet.exitCode() != 0)
        return edge.martlet.rest().log.joined(separator: "\n")
    }

    @Test(arguments: FeedKind.all) func aLocationIsServedOnce(_ feed: FeedKind) throws {
        let world = try World(feed)
        let first = try world.edge("cdg")
        try world.waitForContact(with: [first])
        let folder = try ScratchFolder()
        try folder.write("cdg.json", try Data(contentsOf: URL(filePath: EdgeNode.credentials("cdg", first.folder))))
        let second = try EdgeNode("cdg", folder: folder, join: world.join)
        #expect(try Self.failure(second).contains("served by another node already"))
        #expect(try first.readiness()["connected"] == .bool(true))
    }

    @Test(arguments: FeedKind.all) func aLocationThatWasRemovedIsRefused(_ feed: FeedKind) throws {
        let world = try World(feed)
        let folder = try ScratchFolder()
        try EdgeNode.add("cdg", to: world.platform, in: folder)
        #expect(try world.platform.command(["location", "remove", "cdg"]).status == 0)
        let edge = try EdgeNode("cdg", folder: folder, join: world.join)
        #expect(try Self.failure(edge).contains("knows no location"))
    }

    /// Where one is removed, secrets travel under another key; those that stay have it in time.
    @Test(arguments: FeedKind.all) func secretsGoOnWhenALocationIsRemoved(_ feed: FeedKind) throws {
        let world = try World(feed)
        func deploy(_ text: String) throws {
            try world.platform.deploy(
                "export default { fetch: (request, env) => new Response(env.S) };", as: "hello",
                metadata: #","bindings":[{"type":"secret_text","name":"S","text":"\#(text)"}]"#)
        }
        try deploy("1")
        let edge = try world.edge("cdg")
        try edge.wait(for: "1", of: "hello")
        let folder = try ScratchFolder()
        for round in 2...4 {
            try EdgeNode.add("nrt", to: world.platform, in: folder)
            #expect(try world.platform.command(["location", "remove", "nrt"]).status == 0)
            try folder.remove("nrt.json")
            try deploy("\(round)")
            try edge.wait(for: "\(round)", of: "hello")
        }
        #expect(try edge.readiness()["failure"] == .null)
    }

    /// A copy is of one installation: with another's credentials nothing happens to it.
    @Test(arguments: FeedKind.all) func aCopyOfAnotherInstallationStaysAsItIs(_ feed: FeedKind) throws {
        let world = try World(feed)
        try world.platform.deploy(Platform.answering("own"), as: "hello")
        let edge = try world.edge("cdg")
        #expect(try edge.get("hello").text == "own")
        try edge.martlet.kill9()
        let other = try World(feed)
        let path = EdgeNode.credentials("cdg", edge.folder)
        let good = try Data(contentsOf: URL(filePath: path))
        try edge.folder.remove("cdg.json")
        try EdgeNode.add("cdg", to: other.platform, in: edge.folder)
        let wrong = try EdgeNode("cdg", folder: edge.folder, join: other.join)
        #expect(try Self.failure(wrong).contains("holds the copy of another location"))
        try edge.folder.write("cdg.json", good)
        try world.platform.martlet.kill9()
        try edge.start()
        #expect(try edge.get("hello").text == "own")
    }

    /// A feed that is not that of the credentials: nothing of it is taken.
    @Test(arguments: FeedKind.all) func theFeedOfAnotherInstallationIsNotTaken(_ feed: FeedKind) throws {
        let world = try World(feed)
        try world.platform.deploy(Platform.answering("own"), as: "hello")
        let edge = try world.edge("cdg")
        #expect(try edge.get("hello").text == "own")
        try edge.martlet.kill9()
        let other = try World(feed)
        try other.platform.deploy(Platform.answering("foreign"), as: "hello")
        let wrong = try EdgeNode("cdg", folder: edge.folder, join: other.join)
        try wrong.takeAddresses()
        try wait(until: "it says what is wrong", by: .patient) {
            let failure = try wrong.readiness()["failure"].string ?? ""
            return failure.contains("knows no location") || failure.contains("no feed of this installation")
        }
        #expect(try wrong.get("hello").text == "own")
    }

    @Test func anotherVersionOfTheFeedIsTold() throws {
        // The control node's answer to an older location.
        let platform = try Platform()
        let folder = try ScratchFolder()
        try EdgeNode.add("cdg", to: platform, in: folder)
        let text = try String(contentsOfFile: EdgeNode.credentials("cdg", folder), encoding: .utf8)
        let token = try #require(text.firstMatch(of: #/"token" : "([^"]+)"/#)).1
        let client = try Client(port: platform.martlet.ports[1])
        try client.send(
            "GET", "/client/v4/feed",
            fields: [
                ("Authorization", "Bearer \(token)"), ("Connection", "upgrade"), ("Upgrade", "martlet-feed"),
                ("martlet-feed-version", "1"),
            ])
        let answer = try client.answer(by: .patient)
        #expect(answer.status == 426)
        #expect(answer.text.contains("this location speaks version '1' of the feed"))
        // A location's to such an answer.
        let control = try Origin { connection in
            _ = try connection.receive()
            let body = #"{"errors":[{"code":10001,"message":"this location speaks version '2' of the feed"}]}"#
            try connection.send(
                "HTTP/1.1 426 Upgrade Required\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let edge = try EdgeNode("cdg", folder: folder, join: "http://127.0.0.1:\(control.port)")
        #expect(try Self.failure(edge).contains("speaks version '2' of the feed"))
    }
}
