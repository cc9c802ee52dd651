import Edge
import Glibc
import Model
import Runtime
import Testing

/// How a lane ends, and how lanes share a listener.
@Suite struct DrainTests {
    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

    @Test func requestsUnderWayFinish() throws {
        let server = try TestServer()
        let idle = try server.connect()
        try idle.send(get("/x"))
        #expect(try idle.receiveAnswer().text == "/x")
        let fresh = try server.connect()
        let busy = try server.connect()
        let half = try server.connect()
        try half.send("GET /half HT")
        try busy.send(get("/hold"))
        #expect(server.log.wait(for: "held /hold"))
        #expect(server.connectionCount == 4)
        server.drain()
        #expect(idle.isEnded())
        #expect(fresh.isEnded())
        // A request whose first bytes were there is still answered.
        try half.send("TP/1.1\r\nHost: a\r\n\r\n")
        let answer = try half.receiveAnswer()
        #expect(answer.text == "/half")
        #expect(answer.fields["connection"] == "close")
        #expect(half.isEnded())
        #expect(!server.log.all.contains("drained"))
        server.release()
        let last = try busy.receiveAnswer()
        #expect(last.text == "released")
        #expect(last.fields["connection"] == "close")
        #expect(busy.isEnded())
        #expect(server.log.wait(for: "drained"))
    }

    /// What the kernel has when the drain begins counts as arrived.
    @Test func requestsOnTheirWayFinish() throws {
        let server = try TestServer()
        let used = try server.connect()
        try used.send(get("/x"))
        #expect(try used.receiveAnswer().text == "/x")
        let haveAsked = server.drainOnce()
        let fresh = try server.connect()
        for client in [used, fresh] { try client.send(get("/last")) }
        haveAsked.hand(())
        for client in [used, fresh] {
            #expect(try client.receiveAnswer().text == "/last")
            #expect(client.isEnded())
        }
        #expect(server.log.wait(for: "drained"))
    }

    @Test func whatDoesNotFinishIsCutOff() throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(get("/hold"))
        #expect(server.log.wait(for: "held /hold"))
        server.drain(within: 50)
        #expect(server.log.wait(for: "closed /hold"))
        #expect(server.log.wait(for: "drained"))
        #expect(client.isEnded())
    }

    @Test func nothingUnderWay() throws {
        let server = try TestServer()
        server.drain()
        #expect(server.log.wait(for: "drained"))
    }

    @Test func aStoppedListenerTurnsAway() throws {
        let server = try TestServer()
        server.listener.stop()
        server.drain()
        #expect(server.log.wait(for: "drained"))
        #expect(throws: RawClient.Failure.self) { try server.connect() }
    }

    // MARK: Lanes

    @Test func lanesShareTheConnections() throws {
        let first = try TestServer()
        let second = try TestServer(sharing: first)
        let clients = try (0..<40).map { _ in
            // Only a lane that rests is given what another has accepted.
            while first.loop.heartbeat.busySince != nil || second.loop.heartbeat.busySince != nil { sched_yield() }
            let client = try first.connect()
            try client.send(get("/x"))
            #expect(try client.receiveAnswer().text == "/x")
            return client
        }
        #expect(first.connectionCount + second.connectionCount == 40)
        #expect(first.connectionCount >= 15)
        #expect(second.connectionCount >= 15)
        withExtendedLifetime(clients) {}
    }

    @Test func aLaneThatIsStuckAcceptsNothing() throws {
        let first = try TestServer()
        let second = try TestServer(sharing: first)
        let isStuck = Handed<Void>()
        let mayGoOn = Handed<Void>()
        first.loop.execute { _ in
            isStuck.hand(())
            mayGoOn.take()
        }
        isStuck.take()
        #expect(first.loop.heartbeat.busySince != nil)
        for _ in 0..<20 {
            let answer = try second.ask("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasSuffix("/x"))
        }
        mayGoOn.hand(())
    }

    @Test func aDrainedLaneLeavesTheOthersAlone() throws {
        let first = try TestServer()
        let second = try TestServer(sharing: first)
        first.drain()
        #expect(first.log.wait(for: "drained"))
        for _ in 0..<10 {
            #expect(try second.ask("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasSuffix("/x"))
        }
    }

    // MARK: Listeners

    @Test func portsInUse() throws {
        let listener = try Listener(host: "127.0.0.1", port: 0)
        #expect(listener.port > 0)
        #expect(listener.url == "http://127.0.0.1:\(listener.port)")
        let error = #expect(throws: ListenerError.self) { try Listener(host: "127.0.0.1", port: listener.port) }
        #expect(error?.description == "cannot listen on 127.0.0.1:\(listener.port): the port is in use")
        #expect(throws: ListenerError.self) { try Listener(host: "127.0.0.1", port: 65_536) }
        #expect(throws: ListenerError.self) { try Listener(host: "192.0.2.1", port: 0) }
        #expect(throws: ListenerError.self) { try Listener(host: "no such host", port: 0) }
    }

    @Test func version6() throws {
        guard let listener = try? Listener(host: "::1", port: 0) else { return }
        #expect(listener.port > 0)
        #expect(listener.url == "http://[::1]:\(listener.port)")
    }
}
