import Foundation
import Testing

/// Certificates of zones, at the control node and the locations.
@Suite("Certificates across locations") struct EdgeCertificateTests {
    private static let tls = ["--tls-port", "0"]

    /// A zone with a Worker behind all its hosts.
    private static func world(_ feed: FeedKind, _ flags: [String] = []) throws -> World {
        let world = try World(feed, flags)
        try world.platform.deploy(Platform.answering("secure"), as: "w")
        let zone = #"{"name":"example.com","account":{"id":"\#(world.platform.account)"}}"#
        let id = try #require(try world.platform.done("POST", "/zones", json: zone)["id"].string)
        for pattern in ["example.com/*", "*.example.com/*"] {
            try world.platform.done(
                "POST", "/zones/\(id)/workers/routes", json: #"{"pattern":"\#(pattern)","script":"w"}"#)
        }
        return world
    }

    /// The names in what a port shows to whoever asks for a host; nil without a handshake.
    private static func names(_ port: Int, _ host: String) -> [String]? {
        try? SecureClient(port: port, name: host).names()
    }

    private static func put(
        _ folder: CertificateFolder, _ label: String, _ flags: [String], _ world: World
    ) throws -> String {
        let result = try world.platform.command(
            ["certificate", "put", "example.com", "--cert", folder.certificate(label), "--key", folder.key(label)]
                + flags)
        guard result.status == 0 else { throw Failure(result.output) }
        return String(result.output.prefix { $0 != ":" })
    }

    @Test(arguments: FeedKind.all) func theyTravelAndAreRenewed(_ feed: FeedKind) throws {
        let world = try Self.world(feed)
        let edges = [try world.edge("cdg", flags: Self.tls), try world.edge("nrt", flags: Self.tls)]
        for edge in edges { try edge.martlet.takeAddress() }
        let edge = edges[0]
        let ports = edges.map { $0.martlet.ports[2] }
        // A handshake without a certificate fails, and nothing else does.
        #expect(Self.names(ports[0], "www.example.com") == nil)
        let folder = try CertificateFolder()
        try folder.make("first", names: ["www.example.com", "example.com"])
        try folder.make("second", names: ["*.example.com"])
        let id = try Self.put(folder, "first", [], world)
        _ = try Self.put(folder, "second", [], world)
        for port in ports {
            try wait(until: "\(port) shows the one and the other", by: .patient) {
                Self.names(port, "www.example.com") == ["www.example.com", "example.com"]
                    && Self.names(port, "other.example.com") == ["*.example.com"]
            }
            let client = try SecureClient(port: port, name: "www.example.com")
            #expect(try client.get(host: "www.example.com", by: .patient).text == "secure")
        }
        // Renewed while connections are open, and without a start.
        let open = try SecureClient(port: ports[0], name: "www.example.com")
        try folder.make("renewed", names: ["www.example.com", "new.example.com"])
        _ = try Self.put(folder, "renewed", ["--id", id], world)
        for port in ports {
            try wait(until: "\(port) shows the new one", by: .patient) {
                Self.names(port, "new.example.com") == ["www.example.com", "new.example.com"]
            }
        }
        #expect(try open.get(host: "www.example.com", by: .patient).text == "secure")
        // A location serves on with what it has, and its folder and hosts do not have the key.
        try world.platform.martlet.kill9()
        try edge.killAndStart()
        try edge.martlet.takeAddress()
        try wait(until: "it serves from its copy", by: .patient) {
            Self.names(edge.martlet.ports[2], "new.example.com") == ["www.example.com", "new.example.com"]
        }
        for label in ["first", "renewed"] {
            let key = try String(contentsOfFile: folder.key(label), encoding: .utf8).split(separator: "\n")[1]
            #expect(throws: Failure.self) { try edge.folder.damageFile(holding: String(key)) }
            #expect(throws: Failure.self) { try world.platform.folder.damageFile(holding: String(key)) }
        }
    }

    /// At the control node's own port, while connections go on.
    @Test func theControlNodeShowsThem() throws {
        let world = try Self.world(.embedded, Self.tls)
        let port = world.platform.martlet.ports[1]
        let host = "www.example.com"
        #expect(Self.names(port, host) == nil)
        let folder = try CertificateFolder()
        try folder.make("first", names: [host])
        let id = try Self.put(folder, "first", [], world)
        try wait(until: "it is shown", by: .patient) { Self.names(port, host) == [host] }
        let early = try SecureClient(port: port, name: host, by: .patient)
        #expect(try early.get(host: host, by: .patient).text == "secure")
        // Another beside it changes nothing for whoever is connected.
        try folder.make("other", names: ["other.example.com"])
        let other = try Self.put(folder, "other", [], world)
        try wait(until: "the other is shown", by: .patient) {
            Self.names(port, "other.example.com") == ["other.example.com"]
        }
        #expect(try early.names() == [host])
        #expect(try early.get(host: host, by: .patient).text == "secure")
        // A request that began before the renewal ends behind it.
        early.send("GET / HTTP/1.1\r\nHost: ")
        try folder.make("renewed", names: [host, "new.example.com"])
        _ = try Self.put(folder, "renewed", ["--id", id], world)
        try wait(until: "the new one is shown", by: .patient) {
            Self.names(port, host) == [host, "new.example.com"]
        }
        early.send("\(host)\r\n\r\n")
        #expect(try early.answer(to: "GET", by: .patient).text == "secure")
        let late = try SecureClient(port: port, name: "new.example.com", by: .patient)
        #expect(try late.get(host: "new.example.com", by: .patient).text == "secure")
        // Without it, who asks for its host is shown what is left, and then nothing.
        #expect(try world.platform.command(["certificate", "delete", "example.com", id]).status == 0)
        try wait(until: "it is shown no more", by: .patient) { Self.names(port, host) == ["other.example.com"] }
        #expect(try world.platform.command(["certificate", "delete", "example.com", other]).status == 0)
        try wait(until: "none is left", by: .patient) { Self.names(port, host) == nil }
        #expect(try early.get(host: host, by: .patient).text == "secure")
        #expect(try late.get(host: "new.example.com", by: .patient).text == "secure")
    }

    @Test func whatIsRemovedIsShownNoMore() throws {
        let world = try Self.world(.embedded)
        let edge = try world.edge("cdg", flags: Self.tls)
        try edge.martlet.takeAddress()
        let folder = try CertificateFolder()
        try folder.make("a", names: ["a.example.com"])
        try folder.make("b", names: ["b.example.com"])
        let first = try Self.put(folder, "a", [], world)
        _ = try Self.put(folder, "b", [], world)
        let port = edge.martlet.ports[2]
        try wait(until: "both are there", by: .patient) {
            Self.names(port, "a.example.com") == ["a.example.com"]
                && Self.names(port, "b.example.com") == ["b.example.com"]
        }
        #expect(try world.platform.command(["certificate", "list", "example.com"]).output.contains("a.example.com"))
        #expect(try world.platform.command(["certificate", "delete", "example.com", first]).status == 0)
        try wait(until: "it is gone", by: .patient) { Self.names(port, "a.example.com") != ["a.example.com"] }
        #expect(try world.platform.command(["zone", "delete", "example.com"]).status == 0)
        try wait(until: "none is left", by: .patient) { Self.names(port, "b.example.com") == nil }
    }

    @Test func whatIsWrongIsTold() throws {
        let world = try Self.world(.embedded)
        let folder = try CertificateFolder()
        try folder.make("other", names: ["www.example.org"])
        try folder.make("good", names: ["www.example.com"])
        func complaint(_ certificate: String, _ key: String) throws -> String {
            let result = try world.platform.command(
                ["certificate", "put", "example.com", "--cert", certificate, "--key", key])
            #expect(result.status == 1)
            return result.output
        }
        #expect(
            try complaint(folder.certificate("other"), folder.key("other")).contains("not within 'example.com'"))
        #expect(
            try complaint(folder.certificate("good"), folder.key("other")).contains(
                "does not belong to the certificate"))
        #expect(try complaint(folder.key("good"), folder.key("good")).contains("no certificate (PEM)"))
        #expect(try complaint(folder.certificate("good"), folder.certificate("good")).contains("no private key (PEM)"))
        #expect(try world.platform.command(["certificate", "list", "example.com"]).output.contains("www") == false)
    }
}
