import Foundation
import Testing

/// A NATS server that knows its users by nkeys and allows each what `martlet location nkey` prints, and what somebody
/// can do with a location's nkey.
@Suite("nkeys", .enabled(if: NATSServer.isInstalled)) struct TrustTests {
    /// A platform, and the users that its server knows.
    private struct Secured {
        let keys: ScratchFolder
        let nats: NATSServer
        let platform: Platform
        private var users: [String]

        init() throws {
            keys = try ScratchFolder()
            let nkey = try Program.run(Martlet.binary, ["location", "nkey", "--out", "\(keys.path)/control"])
            users = [nkey.output]
            nats = try NATSServer(Self.configuration(users))
            platform = try Platform([
                "--feed", nats.address, "--nats-nkey", "\(keys.path)/control", "--admin-port",
                "\(try EdgeTests.freePort())",
            ])
        }

        private static func configuration(_ users: [String]) -> String {
            "authorization { users: [\n\(users.joined(separator: "\n"))\n] }"
        }

        /// Adds a location and its user, which the server knows from its next start on.
        mutating func add(_ location: String, _ flags: [String] = []) throws -> ScratchFolder {
            let folder = try ScratchFolder()
            try EdgeNode.add(location, to: platform, in: folder, flags)
            let seed = "\(folder.path)/seed"
            let made = try Program.run(
                Martlet.binary, ["location", "nkey", EdgeNode.credentials(location, folder), "--out", seed])
            guard made.status == 0, let key = made.output.firstMatch(of: #/nkey: (U[A-Z2-7]{55})/#) else {
                throw Failure("no nkey: \(made.output)")
            }
            try folder.write("seed.pub", String(key.1))
            users.append(made.output)
            return folder
        }

        func restart() throws {
            nats.kill9()
            nats.configure(Self.configuration(users))
            try nats.start()
        }

        func start(_ location: String, _ folder: ScratchFolder) throws -> EdgeNode {
            let edge = try EdgeNode(
                location, folder: folder, join: nats.address, flags: ["--nats-nkey", "\(folder.path)/seed"])
            try edge.takeAddresses()
            return edge
        }
    }

    /// The name of the installation in subjects.
    private static func name(_ location: String, _ folder: ScratchFolder) throws -> String {
        let text = try String(contentsOfFile: EdgeNode.credentials(location, folder), encoding: .utf8)
        return String(try #require(text.firstMatch(of: #/"installation" : "([0-9a-f]{16})/#)).1)
    }

    @Test func eachLocationMayDoWhatItHasToAndNoMore() throws {
        var secured = try Secured()
        let platform = secured.platform
        try platform.deploy(Platform.answering("mine"), as: "hello")
        let folder = try secured.add("cdg")
        let other = try secured.add("nrt")
        try secured.restart()
        let edges = [try secured.start("cdg", folder), try secured.start("nrt", other)]
        for edge in edges { try edge.wait(for: "mine", of: "hello") }
        // Reports need the way back.
        try platform.deploy(Platform.answering("changed"), as: "hello")
        let result = try platform.command(["rollback", "--name", "hello"])
        #expect(result.output.contains("in 2 of 2 locations"), "\(result.output)")

        // Whoever has taken the nkey of cdg.
        let name = try Self.name("cdg", folder)
        let feed = "martlet.feed.\(name).all"
        let stream = "MARTLET_FEED_\(name)_all"
        func thief() throws -> NATSClient { try NATSClient(secured.nats, seed: "\(folder.path)/seed") }
        for subject in [
            "\(feed).head", "\(feed).birth", "\(feed).record.2.x", "\(feed).blob.x.0", "\(feed).keys.nrt",
            "martlet.call.\(name).nrt", "martlet.inbox.\(name).nrt.x", "martlet.inbox.\(name).control.x",
            "$JS.API.STREAM.PURGE.\(stream)", "$JS.API.STREAM.DELETE.\(stream)", "$JS.API.STREAM.UPDATE.\(stream)",
            "$JS.API.STREAM.MSG.DELETE.\(stream)", "$JS.API.STREAM.CREATE.other", "$JS.API.STREAM.NAMES",
            "$JS.API.CONSUMER.NAMES.\(stream)", "_INBOX.x",
        ] {
            #expect(try !thief().mayPublish(subject), "\(subject)")
        }
        for subject in [
            "martlet.inbox.\(name).nrt.>", "martlet.inbox.\(name).control.>", "martlet.inbox.>", "martlet.call.>",
            "\(feed).>", "_INBOX.>", "$JS.>", ">",
        ] {
            #expect(try !thief().maySubscribe(subject), "\(subject)")
        }
        #expect(try thief().mayPublish("martlet.call.\(name).cdg"))
        #expect(try thief().maySubscribe("martlet.inbox.\(name).cdg.>"))
        // What it may say makes no difference to the others.
        try platform.deploy(Platform.answering("again"), as: "hello")
        for edge in edges { try edge.wait(for: "again", of: "hello") }
    }

    @Test func whoHasNoKeyIsRefused() throws {
        var secured = try Secured()
        let folder = try secured.add("cdg")
        func failure(_ flags: [String]) throws -> String {
            let edge = try EdgeNode("cdg", folder: folder, join: secured.nats.address, flags: flags)
            #expect(try edge.martlet.exitCode() != 0)
            return edge.martlet.rest().log.joined(separator: "\n")
        }
        #expect(try failure([]).lowercased().contains("auth"))
        // Not known to the server yet.
        #expect(try failure(["--nats-nkey", "\(folder.path)/seed"]).lowercased().contains("auth"))
        #expect(try failure(["--nats-nkey", "\(folder.path)/cdg.json"]).contains("does not hold the seed"))
        #expect(try failure(["--nats-nkey", "\(folder.path)/none"]).contains("cannot be read"))
        #expect(try failure(["--nats-creds", "\(folder.path)/none"]).contains("cannot be read"))
    }

    @Test func aLocationOfSomeAccountsCanReadNothingElse() throws {
        var secured = try Secured()
        let platform = secured.platform
        let account = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        try platform.done("PUT", "/accounts/\(account)/workers/subdomain", json: #"{"subdomain":"other"}"#)
        let secret = #","bindings":[{"type":"secret_text","name":"S","text":"sesame"}]"#
        let code = "export default { fetch: (r, env) => new Response('mine ' + env.S) };"
        try platform.deploy(code, as: "hello", metadata: secret)
        try platform.deploy(Platform.answering("not to be seen here"), as: "theirs", account: account)
        let folder = try secured.add("cdg", ["--only", platform.account])
        let whole = try secured.add("nrt")
        try secured.restart()
        let edge = try secured.start("cdg", folder)
        let other = try secured.start("nrt", whole)
        try edge.wait(for: "mine sesame", of: "hello")
        try platform.deploy(Platform.answering("neither is this to be seen"), as: "theirs", account: account)
        try platform.deploy(Platform.answering("mine too"), as: "hello")
        for node in [edge, other] { try node.wait(for: "mine too", of: "hello") }
        // Its key lets nobody ask for the stream of all accounts.
        let name = try Self.name("cdg", folder)
        for call in ["STREAM.MSG.GET", "CONSUMER.CREATE", "STREAM.INFO"] {
            let thief = try NATSClient(secured.nats, seed: "\(folder.path)/seed")
            #expect(try !thief.mayPublish("$JS.API.\(call).MARTLET_FEED_\(name)_all", "{}"), "\(call)")
        }
        try edge.martlet.kill9()
        #expect(throws: Failure.self) { try edge.folder.damageFile(holding: "to be seen") }
        #expect(throws: Failure.self) { try edge.folder.damageFile(holding: account) }
        // Where no location is limited to the account any more, its stream goes.
        #expect(try platform.command(["location", "remove", "cdg"]).status == 0)
        try platform.deploy(Platform.answering("the end"), as: "hello")
        try other.wait(for: "the end", of: "hello")
        let control = try Program.run(Martlet.binary, ["location", "nkey", "--out", "\(secured.keys.path)/control"])
        #expect(control.status != 0)
        #expect(control.output.contains("is there already"))
    }
}
