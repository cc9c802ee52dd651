import Edge
import Foundation
import Glibc
import Testing

/// What a process that may have been taken over gives back for a client's connection.
@Suite("Connections given back") struct HandBackTests {
    private let server: TestServer
    private let doorkeeper: Doorkeeper

    init() throws {
        let server = try TestServer()
        self.server = server
        doorkeeper = Doorkeeper(listeners: [server.listener], proxies: [AddressRange("10.0.0.0/8")!]) { _, _ in }
    }

    private static let request = Array("GET /p?q HTTP/1.1\r\nHost: A.Example:80\r\n\r\n".utf8)

    /// A client, and our end of its connection.
    private static func accepted(by listener: Listener) throws -> (RawClient, Int32) {
        let client = try RawClient(port: listener.port)
        var entry = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
        try #require(poll(&entry, 1, 60_000) == 1)
        let descriptor = accept(listener.descriptor, nil, nil)
        try #require(descriptor >= 0)
        return (client, descriptor)
    }

    @Test func aClientsConnection() throws {
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let doorkeeper = Doorkeeper(listeners: [listener], proxies: []) { _, _ in }
        let (first, descriptor) = try Self.accepted(by: listener)
        let (second, other) = try Self.accepted(by: listener)
        defer { for descriptor in [descriptor, other] { close(descriptor) } }
        let found = try #require(doorkeeper.wish(of: PassedSocket(descriptor, received: Self.request), listener: 0))
        #expect(found.wish.host == "a.example")
        #expect(found.wish.target == "/p?q")
        let next = try #require(doorkeeper.wish(of: PassedSocket(other, received: []), listener: 0))
        #expect(next.wish.host == "")
        #expect(next.cookie != found.cookie)
        // It is the same by every descriptor.
        let copy = dup(descriptor)
        defer { close(copy) }
        #expect(doorkeeper.wish(of: PassedSocket(copy, received: []), listener: 0)?.cookie == found.cookie)
        #expect(doorkeeper.wish(of: PassedSocket(descriptor, received: Self.request), listener: 1) == nil)
        let long = [UInt8](repeating: 1, count: PassedSocket.mostReceived + 1)
        #expect(doorkeeper.wish(of: PassedSocket(descriptor, received: long), listener: 0) == nil)
        // One whose client says for whom it speaks.
        let proxied = Doorkeeper(listeners: [listener], proxies: [AddressRange("127.0.0.0/8")!]) { _, _ in }
        #expect(proxied.wish(of: PassedSocket(descriptor, received: Self.request), listener: 0) == nil)
        withExtendedLifetime((first, second)) {}
    }

    @Test func whatIsNone() throws {
        let other = try Listener(host: "127.0.0.1", port: 0)
        let (client, elsewhere) = try Self.accepted(by: other)
        var pipe: [Int32] = [0, 0]
        Glibc.pipe(&pipe)
        var pair: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let others = [elsewhere, pipe[0], pair[0], udp]
        for descriptor in others + [server.listener.descriptor, -1] {
            #expect(doorkeeper.wish(of: PassedSocket(descriptor, received: Self.request), listener: 0) == nil)
        }
        for descriptor in others + [pipe[1], pair[1]] { close(descriptor) }
        withExtendedLifetime(client) {}
    }
}
