import Testing

/// Where workers get to, and where not: the policy as it is applied to connections.
@Suite("fetch() and the address policy") struct FetchPolicyTests {
    private static let worker = """
        try { return new Response(`${(await fetch(url.searchParams.get("to"))).status}`); }
        catch (error) { return new Response(`${error.name}: ${error.message}`); }
        """

    private func refused(_ text: String, _ host: String) -> Bool {
        text == "TypeError: Fetch API cannot load: workers may not connect to \(host)."
    }

    @Test func thisMachineIsRefused() throws {
        let origin = try Origin.echoing()
        let worker = try FetchingWorker(Self.worker, origin: nil)
        let port = origin.port
        for host in [
            "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "169.254.169.254",
            "[64:ff9b::7f00:1]",
        ] {
            let text = try worker.get("/?to=http://\(host):\(port)/").text
            #expect(refused(text, "\(host):\(port)"), "\(text)")
        }
        for (host, parsed) in [
            ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("localhost", "localhost"),
            ("0177.0.0.1", "127.0.0.1"), ("017700000001", "127.0.0.1"), ("0x7f000001", "127.0.0.1"),
            ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("0x7F.0x0.0x0.0x1", "127.0.0.1"),
            ("0300.0250.1", "192.168.0.1"), ("0xa9fea9fe", "169.254.169.254"), ("127.0.0.1.", "127.0.0.1"),
            ("%31%32%37.0.0.1", "127.0.0.1"), ("%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "127.0.0.1"),
            ("127%E3%80%820%E3%80%820%E3%80%821", "127.0.0.1"), ("[0:0:0:0:0:FFFF:127.0.0.1]", "[::ffff:7f00:1]"),
            ("[2002:7f00:1::]", "[2002:7f00:1::]"), ("[::127.0.0.1]", "[::7f00:1]"), ("LOCALHOST", "localhost"),
        ] {
            // Encoded once more, for the way through the query.
            let text = try worker.get("/?to=http://\(host.replacing("%", with: "%25")):\(port)/").text
            #expect(refused(text, "\(parsed):\(port)"), "\(text)")
        }
        #expect(try refused(worker.get("/?to=http://127.0.0.1/").text, "127.0.0.1"))
        #expect(origin.connections == 0)
    }

    @Test func whatIsAllowed() throws {
        let origin = try Origin.echoing()
        let port = origin.port
        let byAddress = try FetchingWorker(Self.worker, origin: nil, ["--egress-allow", "127.0.0.0/31:\(port)"])
        #expect(try byAddress.get("/?to=http://127.0.0.1:\(port)/").text == "200")
        #expect(try byAddress.get("/?to=http://localhost:\(port)/").text == "200")
        #expect(try refused(byAddress.get("/?to=http://127.0.0.2:\(port)/").text, "127.0.0.2:\(port)"))
        let byName = try FetchingWorker(Self.worker, origin: nil, ["--egress-allow", "localhost:\(port)"])
        #expect(try byName.get("/?to=http://localhost:\(port)/").text == "200")
        #expect(try refused(byName.get("/?to=http://127.0.0.1:\(port)/").text, "127.0.0.1:\(port)"))
    }

    @Test func badPorts() throws {
        let worker = try FetchingWorker(Self.worker, origin: nil, ["--egress-allow", "127.0.0.1"])
        #expect(try worker.get("/?to=http://127.0.0.1:25/").text.hasPrefix("TypeError: Fetch API cannot load: port 25"))
    }

    @Test func aRedirectIsAskedToo() throws {
        let inside = try Origin.echoing(at: "127.0.0.2")
        let origin = try Origin.answering { _ in .redirect(302, to: "http://127.0.0.2:\(inside.port)/secret") }
        let worker = try FetchingWorker(Self.worker, origin: origin)
        #expect(try refused(worker.get("/?to=\(origin.url)").text, "127.0.0.2:\(inside.port)"))
        #expect(inside.connections == 0)
    }

    // MARK: Names

    private func worker(_ origin: Origin, _ names: String...) throws -> FetchingWorker {
        try FetchingWorker(Self.worker, origin: origin, names.flatMap { ["--resolve", $0] })
    }

    @Test func namesOfPrivateAddresses() throws {
        let origin = try Origin.echoing()
        let port = origin.port
        let worker = try worker(origin, "metadata.test=169.254.169.254", "mapped.test=::ffff:127.0.0.1", "none.test=")
        #expect(try refused(worker.get("/?to=http://metadata.test:\(port)/").text, "metadata.test:\(port)"))
        #expect(try refused(worker.get("/?to=http://mapped.test:\(port)/").text, "mapped.test:\(port)"))
        #expect(try worker.get("/?to=http://none.test/").text == "TypeError: DNS lookup failed for none.test.")
        #expect(origin.connections == 0)
    }

    /// A name server that says one thing when asked for the first time and another when asked again.
    @Test func rebinding() throws {
        let origin = try Origin.echoing()
        let inside = try Origin.echoing(at: "127.0.0.2", port: origin.port)
        let port = origin.port
        let worker = try worker(origin, "rebind.test=127.0.0.1", "rebind.test=127.0.0.2")
        for _ in 0..<3 {
            #expect(try worker.get("/?to=http://rebind.test:\(port)/").text == "200")
            #expect(try refused(worker.get("/?to=http://rebind.test:\(port)/").text, "rebind.test:\(port)"))
        }
        #expect(inside.connections == 0)
        #expect(origin.connections == 1, "kept connections are to checked addresses")
    }

    @Test func onlyThePermittedOfManyAddresses() throws {
        let origin = try Origin.echoing()
        let inside = try Origin.echoing(at: "127.0.0.2", port: origin.port)
        let worker = try worker(origin, "many.test=127.0.0.2,10.0.0.1,127.0.0.1,::1")
        #expect(try worker.get("/?to=http://many.test:\(origin.port)/").text == "200")
        #expect(origin.requests.first?["host"] == "many.test:\(origin.port)")
        #expect(inside.connections == 0)
    }

    @Test func addressesThatDoNotAnswer() throws {
        let origin = try Origin.echoing(at: "127.0.0.9")
        let worker = try FetchingWorker(
            Self.worker, origin: nil,
            ["--egress-allow", "127.0.0.0/24", "--resolve", "some.test=127.0.0.7,127.0.0.8,127.0.0.9"])
        #expect(try worker.get("/?to=http://some.test:\(origin.port)/").text == "200")
        let lost = "TypeError: Network connection lost."
        #expect(try worker.get("/?to=http://127.0.0.7:\(origin.port)/").text == lost)
    }

    @Test(arguments: [
        ["--egress-allow", "a b"], ["--egress-allow", "1.2.3.4/33"], ["--resolve", "a"], ["--egress-ca", "/none"],
    ])
    func settingsThatMakeNoSense(_ flags: [String]) throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", "export default { fetch() {} };")
        let martlet = try Martlet(["dev", folder.path, "--port", "0"] + flags)
        #expect(try martlet.exitCode() != 0)
        #expect(martlet.rest().log.joined().contains(flags[1].hasPrefix("/") ? flags[1] : flags[0]))
    }
}
