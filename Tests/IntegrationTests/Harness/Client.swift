/// A keep-alive connection of an HTTP/1.1 client.
final class Client {
    let socket: Socket
    private let host: String
    private var reader: AnswerReader?

    init(port: Int, host: String = "localhost", receiveBuffer: Int32? = nil) throws {
        socket = try Socket(port: port, receiveBuffer: receiveBuffer)
        self.host = host
    }

    func close() { socket.close() }

    // MARK: Requests

    /// A request's head. Says `host` unless the fields do.
    static func head(
        _ method: String, _ path: String, host: String, fields: [(String, String)] = []
    ) -> [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.0.lowercased() == "host" }) { text += "Host: \(host)\r\n" }
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// Sends a request; its answer is to be read before the next one.
    func send(
        _ method: String = "GET", _ path: String = "/", fields: [(String, String)] = [], body: [UInt8]? = nil
    ) throws {
        let length = body.map { [("Content-Length", String($0.count))] } ?? []
        try socket.sendAll(Self.head(method, path, host: host, fields: fields + length) + (body ?? []))
        try expectAnswer(to: method)
    }

    /// Sends the head of a request whose body follows by `sendChunk`.
    func sendHead(_ method: String, _ path: String, fields: [(String, String)] = []) throws {
        let chunked = [("Transfer-Encoding", "chunked")]
        try socket.sendAll(Self.head(method, path, host: host, fields: fields + chunked))
        try expectAnswer(to: method)
    }

    /// Sends a piece of a chunked body; an empty one is its end.
    func sendChunk(_ bytes: [UInt8]) throws {
        try socket.sendAll(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
    }

    /// Called when a request has been sent by other means.
    func expectAnswer(to method: String) throws {
        reader = try AnswerReader(method: method, excess: reader?.excess ?? [])
    }

    // MARK: Answers

    /// Waits for more to arrive.
    private func fill(by deadline: Deadline) throws {
        if let bytes = try socket.receive(by: deadline) {
            try reader?.take(bytes)
        } else {
            try reader?.takeEnd()
        }
    }

    /// Waits for the answer's head, which has no body yet.
    func answerHead(by deadline: Deadline = .soon) throws -> Answer {
        while true {
            guard let reader else { throw Failure("no answer is expected") }
            if let answer = reader.answer { return answer }
            try fill(by: deadline)
        }
    }

    /// The next piece of the answer's body, as it arrives; nil at its end.
    func piece(by deadline: Deadline = .soon) throws -> [UInt8]? {
        _ = try answerHead(by: deadline)
        while true {
            if let body = reader?.takeBody(), !body.isEmpty { return body }
            if reader?.isComplete ?? true { return nil }
            try fill(by: deadline)
        }
    }

    /// The whole answer.
    func answer(by deadline: Deadline = .soon) throws -> Answer {
        var answer = try answerHead(by: deadline)
        while let piece = try piece(by: deadline) { answer.body += piece }
        return answer
    }

    func get(_ path: String = "/", fields: [(String, String)] = [], by deadline: Deadline = .soon) throws -> Answer {
        try send("GET", path, fields: fields)
        return try answer(by: deadline)
    }

    /// Whether the server closes the connection without another byte.
    func isCut(by deadline: Deadline = .soon) throws -> Bool { try socket.receive(by: deadline) == nil }
}
