import Foundation
import Testing

/// Locations that get the feed by NATS, and what becomes of them when parts of the world are gone.
@Suite("NATS", .enabled(if: NATSServer.isInstalled)) struct NATSTests {
    /// A control node that publishes, with a port that stays.
    private static func platform(_ nats: NATSServer, _ flags: [String] = []) throws -> Platform {
        try Platform(["--feed", nats.address, "--admin-port", "\(try EdgeTests.freePort())"] + flags)
    }

    @Test func aDeployTravelsByNATS() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        let secret = #","bindings":[{"type":"secret_text","name":"S","text":"s"}]"#
        let code = { (text: String) in "export default { fetch: (r, env) => new Response(env.S + '\(text)') };" }
        try platform.deploy(code("1"), as: "hello", metadata: secret)
        let edges = try ["cdg", "nrt"].map { try EdgeNode($0, of: platform, join: nats.address) }
        for edge in edges { try edge.wait(for: "s1", of: "hello") }
        // Many pieces.
        let large =
            code("2") + "//" + String((0..<2_000_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 33...122))) })
        try platform.deploy(large, as: "hello", metadata: secret)
        for edge in edges { try edge.wait(for: "s2", of: "hello") }
        // Reports come back the same way.
        let result = try platform.command(["rollback", "--name", "hello"])
        #expect(result.status == 0)
        #expect(result.output.contains("in 2 of 2 locations"), "\(result.output)")
        for edge in edges { try edge.wait(for: "s1", of: "hello") }
    }

    @Test func aLocationStartsWithTheControlNodeAndNATSGone() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        try platform.deploy(Platform.answering("1"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        #expect(try edge.get("hello").text == "1")
        let late = try ScratchFolder()
        try EdgeNode.add("nrt", to: platform, in: late)
        try platform.martlet.kill9()
        // Without the control node, what is published is there for those who come.
        try edge.killAndStart()
        #expect(try edge.get("hello").text == "1")
        let other = try EdgeNode("nrt", folder: late, join: nats.address)
        try other.takeAddresses()
        #expect(try other.get("hello").text == "1")
        nats.kill9()
        try edge.killAndStart()
        #expect(try edge.get("hello").text == "1")
        // All come back, in another order than they went.
        try platform.start()
        try platform.deploy(Platform.answering("2"), as: "hello")
        #expect(try edge.get("hello").text == "1")
        try nats.start()
        for edge in [edge, other] { try edge.wait(for: "2", of: "hello") }
    }

    @Test func serversThatAreKilledLoseNothing() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        try platform.deploy(Platform.answering("0"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        for round in 1...5 {
            nats.kill9()
            try platform.deploy(Platform.answering("\(round)"), as: "hello")
            #expect(try edge.get("hello").text == "\(round - 1)")
            try nats.start()
            try edge.wait(for: "\(round)", of: "hello")
        }
    }

    @Test func aWipedStreamIsMadeAgain() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        try platform.deploy(Platform.answering("1"), as: "hello")
        try platform.deploy(Platform.answering("other"), as: "other")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        #expect(try edge.get("hello").text == "1")
        nats.kill9()
        try nats.wipe()
        try platform.deploy(Platform.answering("2"), as: "hello")
        try nats.start()
        try edge.wait(for: "2", of: "hello")
        #expect(try edge.get("other").text == "other")
        let fresh = try EdgeNode("nrt", of: platform, join: nats.address)
        #expect(try fresh.get("hello").text == "2")
    }

    @Test func aControlNodeThatIsSetBackIsFollowed() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        try platform.deploy(Platform.answering("kept"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        try platform.martlet.kill9()
        let data = "\(platform.folder.path)/data"
        try FileManager.default.copyItem(atPath: data, toPath: data + "-backup")
        try platform.start()
        try platform.deploy(Platform.answering("lost"), as: "hello")
        try platform.deploy(Platform.answering("lost"), as: "gone")
        try edge.wait(for: "lost", of: "hello")
        try edge.wait(for: "lost", of: "gone")
        try platform.martlet.kill9()
        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.moveItem(atPath: data + "-backup", toPath: data)
        try platform.start()
        try edge.wait(for: "kept", of: "hello")
        try wait(until: "what was lost is gone", by: .patient) { try edge.get("gone").status == 404 }
        try platform.deploy(Platform.answering("new"), as: "hello")
        try edge.wait(for: "new", of: "hello")
    }

    @Test func whatIsNotSignedIsNotServed() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        try platform.deploy(Platform.answering("true"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        #expect(try edge.get("hello").text == "true")
        // Whoever has NATS can write there what they like.
        let installation = try #require(
            String(contentsOfFile: EdgeNode.credentials("cdg", edge.folder), encoding: .utf8)
                .firstMatch(of: #/"installation" : "([0-9a-f]{16})/#)
        ).1
        let client = try Socket(port: nats.port)
        for (subject, payload) in [("head", "poison"), ("record.a.2.x", "\u{8}poison")] {
            try client.sendAll(
                Array("PUB martlet.feed.\(installation).\(subject) \(payload.utf8.count)\r\n\(payload)\r\n".utf8))
        }
        try platform.deploy(Platform.answering("still true"), as: "hello")
        try edge.wait(for: "still true", of: "hello")
    }

    @Test func keysGoBackByNATS() throws {
        let nats = try NATSServer()
        let platform = try Self.platform(nats)
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let code = """
            export default { async fetch(request, { KV }) {
              if (request.method === "PUT") await KV.put("k", await request.text());
              return new Response(String(await KV.get("k")));
            } };
            """
        try platform.deploy(
            code, as: "kv",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#)
        let edges = try ["cdg", "nrt"].map { try EdgeNode($0, of: platform, join: nats.address) }
        let client = try edges[0].client()
        try client.send("PUT", "/", fields: [("Host", "kv.main.localhost")], body: Array("written".utf8))
        #expect(try client.answer(by: .patient).text == "written")
        try edges[1].wait(for: "written", of: "kv")
    }

    @Test func tlsIsSpoken() throws {
        let files = try ScratchFolder()
        for name in ["ca", "server", "client"] {
            let issuer = name == "ca" ? [] : ["-CA", "\(files.path)/ca.pem", "-CAkey", "\(files.path)/ca.key"]
            try Program.check(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    "\(files.path)/\(name).key", "-out", "\(files.path)/\(name).pem",
                ] + issuer)
        }
        let nats = try NATSServer(
            """
            tls { cert_file: "\(files.path)/server.pem", key_file: "\(files.path)/server.key",
                  ca_file: "\(files.path)/ca.pem", verify: true }
            """)
        let address = "tls://localhost:\(nats.port)"
        let flags = [
            "--nats-ca", "\(files.path)/ca.pem", "--nats-cert", "\(files.path)/client.pem", "--nats-key",
            "\(files.path)/client.key",
        ]
        let platform = try Platform(["--feed", address] + flags)
        try platform.deploy(Platform.answering("1"), as: "hello")
        let folder = try ScratchFolder()
        try EdgeNode.add("cdg", to: platform, in: folder)
        let edge = try EdgeNode("cdg", folder: folder, join: address, flags: flags)
        try edge.takeAddresses()
        #expect(try edge.get("hello").text == "1")
    }
}
