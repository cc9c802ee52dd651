import Testing

/// Workers that answer a client's handshake with an origin's.
@Suite("WebSockets passed on") struct SocketRelayTests {
    private func relay(_ origin: Origin) throws -> FetchingWorker {
        try FetchingWorker(
            """
            const response = await fetch(env.ORIGIN + url.pathname, request);
            if (url.pathname === "/taken") response.webSocket.accept();
            return url.pathname === "/remade" ? new Response(null, response) : response;
            """, origin: origin)
    }

    @Test(arguments: ["/", "/remade"])
    func bothWays(_ path: String) throws {
        let origin = try Origin { connection in
            let fields = [("X-Field", "value"), ("Sec-WebSocket-Protocol", "chat")]
            guard let socket = try OriginSocket(connection, fields: fields) else { return }
            try socket.send("greeting")
            try socket.echo()
        }
        let worker = try relay(origin)
        let client = try SocketClient(
            worker.martlet, path,
            fields: [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", "chat"),
                ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ])
        #expect(client.answer.hasPrefix("HTTP/1.1 101 "))
        let fields = client.answer.split(separator: "\r\n")
        #expect(fields.contains("x-field: value") && fields.contains("sec-websocket-protocol: chat"))
        #expect(
            fields.filter { $0.hasPrefix("sec-websocket-accept") }
                == ["sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
        #expect(try client.next() == .text("greeting"))
        for count in [0, 1, 70_000, 3_000_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try client.send(SocketClient.frame(2, bytes))
            #expect(try client.next() == .binary(bytes), "\(count)")
        }
        try client.send(SocketClient.close(3500, "done"))
        #expect(try client.next() == .close(3500, "done"))
        #expect(try client.next() == nil)
        let request = try #require(origin.requests.first)
        #expect(request["sec-websocket-key"] != "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(request["sec-websocket-protocol"] == "chat" && request["sec-websocket-extensions"] == nil)
        try worker.martlet.logLine(containing: " 101 (")
    }

    @Test func aClientThatIsCutOff() throws {
        let origin = try Origin { connection in
            _ = try OriginSocket(connection)
            try connection.waitForEnd()
        }
        let worker = try relay(origin)
        let client = try SocketClient(worker.martlet)
        #expect(client.answer.hasPrefix("HTTP/1.1 101 "))
        client.cut()
        try wait(until: "the origin's connection is closed") { origin.endedConnections == 1 }
    }

    @Test func anOriginThatIsCutOff() throws {
        let origin = try Origin { connection in
            guard let socket = try OriginSocket(connection) else { return }
            try socket.send("last")
        }
        let worker = try relay(origin)
        let client = try SocketClient(worker.martlet)
        #expect(try client.next() == .text("last"))
        #expect(try client.next() == nil)
    }

    @Test func whatWasAcceptedIsTheWorkers() throws {
        let origin = try Origin.echoingSockets()
        let worker = try relay(origin)
        #expect(try SocketClient(worker.martlet, "/taken").answer.hasPrefix("HTTP/1.1 500 "))
        try worker.martlet.logLine(containing: "after calling accept()")
        #expect(try SocketClient(worker.martlet).answer.hasPrefix("HTTP/1.1 101 "))
    }
}
