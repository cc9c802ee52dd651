import Testing

// Tails without the command line.

extension Platform {
    static let tailHandshake = [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", "trace-v1"),
    ]

    /// Makes a tail and connects to it.
    func tail(_ name: String, filters: String = "[]", receiveBuffer: Int32? = nil) throws -> SocketClient {
        let path = "/accounts/{A}/workers/scripts/\(name)/tails"
        return try connect(
            toTail: try done("POST", path, json: #"{"filters":\#(filters)}"#), receiveBuffer: receiveBuffer)
    }

    /// Connects to a tail that the API has told of.
    func connect(toTail tail: JSON, receiveBuffer: Int32? = nil) throws -> SocketClient {
        let url = try #require(tail["url"].string)
        let path = try #require(url.firstRange(of: "/client/v4/tails/")).lowerBound
        let socket = try SocketClient(
            port: martlet.ports[1], String(url[path...]), host: "localhost", fields: Self.tailHandshake,
            receiveBuffer: receiveBuffer)
        guard socket.answer.hasPrefix("HTTP/1.1 101 ") else { throw Failure("no tail: \(socket.answer)") }
        return socket
    }
}

extension SocketClient {
    /// The next event of a tail.
    func event(by deadline: Deadline = .patient) throws -> JSON {
        guard case .text(let text) = try next(by: deadline) else { throw Failure("no event") }
        return try JSON(text.utf8)
    }
}
