import Testing

/// Open WebSockets when the process is told to end. The drain alone would let them be for an hour.
@Suite("WebSockets and SIGTERM") struct SocketDrainTests {
    private static let flags = ["--drain-ms", "3600000"]

    private func worker() throws -> FetchingWorker {
        try FetchingWorker(
            """
            const [client, server] = Object.values(new WebSocketPair());
            server.accept();
            server.addEventListener("close", ({ code, wasClean }) => { console.log(`close ${code} ${wasClean}`); });
            return new Response(null, { status: 101, webSocket: client });
            """, origin: nil, Self.flags)
    }

    @Test func theyAreClosed() throws {
        let worker = try worker()
        let clients = try (0..<4).map { _ in try SocketClient(worker.martlet) }
        worker.martlet.terminate()
        for client in clients {
            #expect(try client.next(by: .patient) == .close(1001, "The server is shutting down."))
            try client.send(SocketClient.close(1001))
            #expect(try client.next(by: .patient) == nil)
        }
        #expect(try worker.martlet.exitCode() == 0)
        #expect(worker.martlet.rest().log.filter { $0.contains("close 1001 true") }.count == 4)
    }

    @Test func whoDoesNotAnswerHoldsNothingUp() throws {
        let worker = try worker()
        let client = try SocketClient(worker.martlet)
        worker.martlet.terminate()
        #expect(try worker.martlet.exitCode() == 0)
        #expect(try client.next() == .close(1001, "The server is shutting down."))
        #expect(worker.martlet.rest().log.contains { $0.contains("close 1006 false") })
    }

    /// Both ends of a relay hear of it, behind the frame that is under way.
    @Test func relaysAreClosed() throws {
        let text = [UInt8]("half a frame".utf8)
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            let frame = OriginSocket.frame(2, text)
            try socket.send(frame.prefix(5) + [])
            guard try socket.next() == .text("go on") else { return }
            try socket.send(frame.dropFirst(5) + [0x82])
            guard case .close(1001, _) = try socket.next() else { return }
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(
            "return fetch(env.ORIGIN, request);", origin: origin, Self.flags + ["--front-lanes", "1"])
        let client = try SocketClient(worker.martlet)
        let frame = SocketClient.frame(1, Array("go on".utf8))
        try client.send(frame.prefix(3) + [])
        #expect(try client.peek(5) == Array(OriginSocket.frame(2, text).prefix(5)))
        worker.martlet.terminate()
        try worker.martlet.waitForRefusal()
        try client.send(frame.dropFirst(3) + [])
        #expect(try client.next(by: .patient) == .binary(text))
        #expect(try client.next(by: .patient) == .close(1001, "The server is shutting down."))
        #expect(try client.next(by: .patient) == nil)
        #expect(try worker.martlet.exitCode() == 0)
    }
}
