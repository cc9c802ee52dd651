import NIOSSL
import Testing

@Suite("TLS") struct TLSTests {
    private static let worker = """
        export default { async fetch(request) {
          const { pathname, searchParams } = new URL(request.url);
          if (pathname === "/echo") return new Response(request.body);
          if (pathname === "/cf") return Response.json([request.cf.tlsVersion, "tlsCipher" in request.cf]);
          if (pathname === "/large") return new Response("0123456789".repeat(1e6));
          if (pathname === "/break") {
            return new Response(new ReadableStream({
              start(controller) { controller.enqueue(new TextEncoder().encode("some")); },
              pull(controller) { controller.error(new Error("broken")); },
            }));
          }
          return new Response(request.url);
        } };
        """

    private func serve(_ certificates: CertificateFolder? = nil, _ flags: [String] = []) throws -> SecureMartlet {
        try SecureMartlet(Self.worker, certificates, flags)
    }

    // MARK: Requests

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func requestsAreAnswered(version: TLSVersion) throws {
        let server = try serve()
        let client = try SecureClient(port: server.port, newest: version)
        #expect(try client.get("/path?a=b").text == "https://localhost/path?a=b")
        #expect(try client.get("/", host: "localhost:8443").text == "https://localhost:8443/")
        #expect(try client.get("https://localhost/absolute").text == "https://localhost/absolute")
        #expect(try client.get("/cf").text == "[\"\(version == .tlsv12 ? "TLSv1.2" : "TLSv1.3")\",false]")
        #expect(try client.get("http://localhost/").status == 421)
    }

    @Test func bodiesOfAllSizesArrive() throws {
        let server = try serve()
        let client = try server.client()
        for size in [1, 16_384, 16_385, 100_000, 5_000_000] {
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            client.send(Client.head("POST", "/echo", host: "localhost", fields: [("Content-Length", "\(size)")]))
            client.send(body)
            #expect(try client.answer(to: "POST", by: .patient).body == body)
        }
        #expect(try client.get("/large", by: .patient).body.count == 10_000_000)
    }

    /// A client that takes nothing is not given all: the rest comes when it takes it.
    @Test func aSlowReaderIsWaitedFor() throws {
        let server = try serve()
        let client = try server.client()
        client.pause()
        client.send(Client.head("GET", "/large", host: "localhost"))
        try server.martlet.logLine(containing: "/large 200")
        #expect(try server.client().get().status == 200)
        client.resume()
        #expect(try client.answer(to: "GET", by: .patient).body.count == 10_000_000)
    }

    @Test func theEndIsSaidAndABreakIsNot() throws {
        let server = try serve()
        let ended = try server.client()
        ended.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(String(decoding: try ended.receiveAll(), as: UTF8.self).hasSuffix("https://localhost/"))
        #expect(ended.endedCleanly)
        let broken = try server.client()
        broken.send("GET /break HTTP/1.0\r\nHost: localhost\r\n\r\n")
        _ = try broken.receiveAll()
        #expect(!broken.endedCleanly)
    }

    @Test func anIdleConnectionIsClosedByADrain() throws {
        let server = try serve()
        let client = try server.client()
        #expect(try client.get().status == 200)
        server.martlet.terminate()
        #expect(try client.receive() == nil)
        #expect(client.endedCleanly)
        #expect(try server.martlet.exitCode() == 0)
    }

    // MARK: Refusals

    @Test func oldVersionsAndForeignersAreRefused() throws {
        let server = try serve()
        #expect(throws: Failure.self) {
            try SecureClient(port: server.port, newest: .tlsv11, oldest: .tlsv1)
        }
        let plain = try Client(port: server.port).get()
        #expect(plain.status == 400)
        #expect(plain.text.contains("https"))
        for bytes: [UInt8] in [[0], [22, 3, 1, 0, 0], [22, 3, 1, 0, 4, 1, 0, 0, 0], Array(repeating: 22, count: 99)] {
            let socket = try Socket(port: server.port)
            try socket.sendAll(bytes)
            socket.finishSending()
            while try socket.receive() != nil {}
        }
        #expect(try server.client().get().status == 200)
    }

    /// Neither a greeting without an end nor one that never comes is waited for.
    @Test func endlessGreetingsAreRefused() throws {
        let server = try serve(nil, ["--header-timeout-ms", "300"])
        let silent = try Socket(port: server.port)
        let long = try Socket(port: server.port)
        let record: [UInt8] = [22, 3, 1, 0x40, 0] + [1, 0xff, 0xff, 0xff] + Array(repeating: 0, count: 0x4000 - 4)
        try? long.sendAll(record)
        #expect(try long.receive() == nil)
        #expect(try silent.receive() == nil)
    }

    @Test(arguments: [
        (["--tls-port", "0"], "--tls-port needs --tls-cert and --tls-key, or --tls-dir"),
        (["--tls-cert", "a.pem"], "Each --tls-cert needs a --tls-key: there are 1 and 0"),
        (["--tls-dir", "/nowhere"], "Certificates need --tls-port"),
        (["--tls-port", "0", "--tls-dir", "/nowhere"], "/nowhere: No such file or directory"),
        (["--tls-port", "0", "--tls-cert", "/nowhere.pem", "--tls-key", "/no.key"], "/nowhere.pem: No such file"),
    ])
    func flagsThatMakeNoSenseAreErrors(flags: [String], text: String) throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.worker)
        let martlet = try Martlet(["dev", folder.path, "--port", "0"] + flags)
        #expect(martlet.rest().log.joined(separator: " ").contains(text))
        #expect(try martlet.exitCode() != 0)
    }

    @Test func brokenFilesAreNamed() throws {
        let made = try CertificateFolder()
        try made.make("a", names: ["a.test"])
        try made.make("b", names: ["b.test"])
        try made.write("garbage.pem", "no certificate")
        try made.write("garbage.key", "no key")
        try made.write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        try made.write("damaged.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        try made.write(
            "locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        for (certificate, key, text) in [
            ("a", "b", "b.key: the key does not belong to the certificate in \(made.certificate("a"))"),
            ("garbage", "a", "garbage.pem: there is no certificate (PEM) in it"),
            ("damaged", "a", "damaged.pem: the certificate is damaged"),
            ("a", "garbage", "garbage.key: there is no private key (PEM) in it"),
            ("a", "damaged", "damaged.key: the private key is damaged"),
            ("a", "locked", "locked.key: the key is encrypted; remove its passphrase"),
            ("a", "none", "none.key: No such file or directory"),
        ] {
            let folder = try ScratchFolder()
            try folder.write("index.js", Self.worker)
            let martlet = try Martlet([
                "dev", folder.path, "--port", "0", "--tls-port", "0", "--tls-cert", made.certificate(certificate),
                "--tls-key", made.key(key),
            ])
            let log = martlet.rest().log.joined(separator: " ")
            #expect(log.contains(text), "\(log)")
            #expect(try martlet.exitCode() == 1)
        }
    }

    // MARK: Names

    @Test func theNameChoosesTheCertificate() throws {
        let made = try SecureMartlet.localhost()
        try made.make("one", names: ["one.test", "two.test"])
        try made.make("star", names: ["*.star.test"])
        try made.make("exact", names: ["exact.star.test"])
        try made.make("nameless.test", names: [])
        let server = try serve(made)
        for (name, names) in [
            ("one.test", ["one.test", "two.test"]), ("two.test", ["one.test", "two.test"]),
            ("TWO.test", ["one.test", "two.test"]), ("a.star.test", ["*.star.test"]),
            ("exact.star.test", ["exact.star.test"]), ("a.b.star.test", ["localhost"]), ("star.test", ["localhost"]),
            ("unknown.test", ["localhost"]), (nil, ["localhost"]), ("nameless.test", []),
        ] {
            let client = try server.client(name)
            #expect(try client.names() == names, "\(name ?? "-")")
        }
    }

    @Test func pairsComeBeforeTheFolder() throws {
        let made = try SecureMartlet.localhost()
        let pairs = try CertificateFolder()
        try pairs.make("first", names: ["first.test"])
        try pairs.make("second", names: ["second.test", "localhost"])
        let flags = ["first", "second"].flatMap {
            ["--tls-cert", pairs.certificate($0), "--tls-key", pairs.key($0)]
        }
        let server = try serve(made, flags)
        for (name, names) in [
            (nil, ["first.test"]), ("unknown.test", ["first.test"]), ("localhost", ["second.test", "localhost"]),
        ] {
            #expect(try server.client(name).names() == names)
        }
    }

    @Test func aHostWithAnotherCertificateIsMisdirected() throws {
        let made = try SecureMartlet.localhost()
        try made.make("one", names: ["one.test", "*.one.test"])
        let server = try serve(made)
        for (name, host, status) in [
            ("one.test", "one.test", 200), ("one.test", "ONE.test:443", 200), ("one.test", "a.one.test", 200),
            ("one.test", "one.test.", 200), ("one.test", "localhost", 421), ("one.test", "unknown.test", 421),
            ("localhost", "one.test", 421), ("localhost", "unknown.test", 200), ("localhost", "[::1]:8443", 200),
            (nil, "127.0.0.1", 200), (nil, "one.test", 421),
        ] {
            let client = try server.client(name)
            #expect(try client.get(host: host).status == status, "\(name ?? "-") \(host)")
        }
    }

    // MARK: Changes

    @Test func changedFilesAreReadAgain() throws {
        let made = try SecureMartlet.localhost()
        let server = try serve(made)
        let before = try server.client()
        try made.make("new", names: ["new.test"])
        try server.martlet.logLine(containing: "Reloaded \(made.certificate("new"))")
        #expect(try server.client("new.test").names() == ["new.test"])
        // Half of a change is none.
        try made.write("new.key", "garbage")
        try server.martlet.logLine(containing: "Certificates not reloaded: \(made.key("new")): there is no private key")
        #expect(try server.client("new.test").names() == ["new.test"])
        try made.make("new", names: ["newer.test"])
        try server.martlet.logLine(containing: "Reloaded \(made.certificate("new"))")
        #expect(try server.client("newer.test").names() == ["newer.test"])
        #expect(try server.client("new.test").names() == ["localhost"])
        #expect(try before.get().status == 200)
    }
}
