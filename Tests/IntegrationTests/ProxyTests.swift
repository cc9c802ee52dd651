import Testing

@Suite("PROXY protocol") struct ProxyTests {
    private static let worker = """
        export default { fetch: (request) => new Response(request.headers.get("cf-connecting-ip")) };
        """

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    private static func header(_ command: UInt8, _ family: UInt8, _ payload: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)] + payload
    }

    private static func from4(_ address: [UInt8], more: [UInt8] = []) -> [UInt8] {
        header(0x21, 0x11, address + [127, 0, 0, 1, 0x12, 0x34, 1, 187] + more)
    }

    private static let address6: [UInt8] = [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [7]
    private static let from6 = header(0x21, 0x21, address6 + [UInt8](repeating: 1, count: 16) + [0, 1, 0, 2])

    private func serve(_ flags: [String] = ["--proxy-protocol", "127.0.0.0/8"]) throws -> SecureMartlet {
        try SecureMartlet(Self.worker, nil, ["--front-lanes", "1"] + flags)
    }

    private static let request = Client.head("GET", "/", host: "localhost")

    private func ask(_ server: SecureMartlet, _ prelude: [UInt8]) throws -> Answer {
        let client = try server.martlet.client()
        try client.socket.sendAll(prelude)
        return try client.get()
    }

    @Test func theClientIsWhomTheProxySays() throws {
        let server = try serve()
        for (prelude, address) in [
            (Self.from4([192, 0, 2, 7]), "192.0.2.7"), (Self.from6, "2001:db8::7"),
            (Self.from4([192, 0, 2, 8], more: [4, 0, 1, 0]), "192.0.2.8"), (Self.header(0x20, 0, []), "127.0.0.1"),
            (Self.header(0x20, 0x11, [UInt8](repeating: 9, count: 12)), "127.0.0.1"),
            (Self.header(0x21, 0, [1, 2, 3]), "127.0.0.1"),
        ] {
            #expect(try ask(server, prelude).text == address)
        }
        let secure = try SecureClient(port: server.port, proxied: Self.from4([192, 0, 2, 9]))
        #expect(try secure.get().text == "192.0.2.9")
    }

    @Test func piecesAreWaitedFor() throws {
        let server = try serve()
        let client = try server.martlet.client()
        let bytes = Self.from4([192, 0, 2, 7]) + Self.request
        for byte in bytes.dropLast(3) { try client.socket.sendAll([byte]) }
        try client.socket.sendAll(Array(bytes.suffix(3)))
        try client.expectAnswer(to: "GET")
        #expect(try client.answer().text == "192.0.2.7")
    }

    @Test(arguments: [
        request, Array("PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n".utf8) + request,
        header(0x11, 0x11, [UInt8](repeating: 9, count: 12)), header(0x22, 0x11, [UInt8](repeating: 9, count: 12)),
        header(0x21, 0x11, [UInt8](repeating: 9, count: 11)), header(0x21, 0x21, [UInt8](repeating: 9, count: 35)),
        header(0x21, 0x12, [UInt8](repeating: 9, count: 12)), header(0x21, 0x31, [UInt8](repeating: 9, count: 216)),
        header(0x21, 0x11, [UInt8](repeating: 9, count: 4_097)),
        Array(repeating: 13, count: 12) + from4([9, 9, 9, 9]).dropFirst(12),
    ])
    func malformedHeadersAreClosed(bytes: [UInt8]) throws {
        let server = try serve()
        let socket = try Socket(port: server.martlet.port)
        try socket.sendAll(bytes)
        #expect(try socket.receive() == nil)
        #expect(try ask(server, Self.from4([192, 0, 2, 7])).status == 200)
    }

    @Test func onlyTrustedAddressesAreBelieved() throws {
        let server = try serve(["--proxy-protocol", "192.0.2.1", "--proxy-protocol", "2001:db8::/32"])
        #expect(try server.martlet.get().text == "127.0.0.1")
        let client = try server.martlet.client()
        try client.socket.sendAll(Self.from4([192, 0, 2, 7]))
        #expect(try client.get().status == 400)
        // Nor is a field that says the same.
        #expect(try server.martlet.get(fields: [("CF-Connecting-IP", "192.0.2.7")]).text == "127.0.0.1")
    }

    @Test func limitsAreThoseOfTheClient() throws {
        let server = try serve(["--proxy-protocol", "127.0.0.1", "--connections-per-address", "2"])
        let first = try (0..<2).map { _ in
            let client = try server.martlet.client()
            try client.socket.sendAll(Self.from4([192, 0, 2, 7]))
            #expect(try client.get().status == 200)
            return client
        }
        let third = try Socket(port: server.martlet.port)
        try third.sendAll(Self.from4([192, 0, 2, 7]))
        #expect(String(decoding: try third.receive() ?? [], as: UTF8.self).hasPrefix("HTTP/1.1 429"))
        #expect(try ask(server, Self.from4([192, 0, 2, 8])).status == 200)
        for client in first { client.close() }
        try wait(until: "there is room again") { try ask(server, Self.from4([192, 0, 2, 7])).status == 200 }
    }

    /// A connection does not stand in its own way.
    @Test func theLastConnectionIsTaken() throws {
        let server = try serve(["--proxy-protocol", "127.0.0.1", "--connections", "2"])
        let clients = try (0..<2).map { last in
            let client = try server.martlet.client()
            try client.socket.sendAll(Self.from4([192, 0, 2, UInt8(last)]))
            #expect(try client.get().status == 200)
            return client
        }
        let third = try Socket(port: server.martlet.port)
        #expect(String(decoding: try third.receive() ?? [], as: UTF8.self).hasPrefix("HTTP/1.1 503"))
        for client in clients { client.close() }
    }

    @Test func aHeaderThatDoesNotComeIsNotWaitedFor() throws {
        let server = try serve(["--proxy-protocol", "127.0.0.1", "--header-timeout-ms", "300"])
        let socket = try Socket(port: server.martlet.port)
        try socket.sendAll(Array(Self.signature))
        #expect(try socket.receive() == nil)
    }

    @Test func anAddressThatIsNoneIsAnError() throws {
        let folder = try ScratchFolder()
        let martlet = try Martlet(["dev", folder.path, "--proxy-protocol", "proxy.example"])
        #expect(martlet.rest().log.joined().contains("--proxy-protocol takes ADDRESS or ADDRESS/BITS"))
    }
}
