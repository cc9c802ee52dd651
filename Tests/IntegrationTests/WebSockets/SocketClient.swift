/// A WebSocket client that says what it is told to, right or wrong.
final class SocketClient {
    enum Frame: Equatable {
        case text(String)
        case binary([UInt8])
        case pong([UInt8])
        /// 1005 for none.
        case close(Int, String)
    }

    let answer: String
    private let socket: Socket
    private var input: [UInt8] = []

    /// - Parameter fields: those that a handshake needs, unless told otherwise.
    convenience init(
        _ martlet: Martlet, _ path: String = "/", host: String = "localhost",
        fields: [(String, String)] = [
            ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
    ) throws {
        try self.init(port: martlet.port, path, host: host, fields: fields)
    }

    init(port: Int, _ path: String, host: String, fields: [(String, String)], receiveBuffer: Int32? = nil) throws {
        socket = try Client(port: port, receiveBuffer: receiveBuffer).socket
        try socket.sendAll(Client.head("GET", path, host: host, fields: fields))
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            if input.isEmpty {
                guard let bytes = try socket.receive() else { break }
                input = bytes
            }
            head.append(input.removeFirst())
        }
        answer = String(decoding: head, as: UTF8.self)
    }

    func send(_ bytes: [UInt8]) throws { try socket.sendAll(bytes) }

    func send(_ text: String) throws { try send(Self.frame(1, Array(text.utf8))) }

    static func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        let count = payload.count
        if count < 126 {
            bytes.append(0x80 | UInt8(count))
        } else {
            let size = count < 65_536 ? 2 : 8
            bytes.append(size == 2 ? 0xfe : 0xff)
            bytes += (0..<size).reversed().map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        }
        bytes += mask
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ mask[index & 3]) }
        return bytes
    }

    static func close(_ code: Int, _ reason: String = "") -> [UInt8] {
        frame(8, [UInt8(code >> 8), UInt8(code & 0xff)] + Array(reason.utf8))
    }

    /// The next frame; nil if the connection has ended.
    func next(by deadline: Deadline = .patient) throws -> Frame? {
        guard let head = try take(2, by: deadline) else { return nil }
        var count = Int(head[1] & 0x7f)
        guard head[0] & 0x70 == 0, head[1] & 0x80 == 0 else { throw Failure("a server's frame is malformed") }
        if count >= 126 { count = try take(count == 126 ? 2 : 8, by: deadline)!.reduce(0) { $0 << 8 | Int($1) } }
        guard let payload = try take(count, by: deadline) else { throw Failure("a frame is cut") }
        switch head[0] {
        case 0x81: return .text(String(decoding: payload, as: UTF8.self))
        case 0x82: return .binary(payload)
        case 0x8a: return .pong(payload)
        case 0x88 where payload.isEmpty: return .close(1005, "")
        case 0x88:
            return .close(Int(payload[0]) << 8 | Int(payload[1]), String(decoding: payload[2...], as: UTF8.self))
        default: throw Failure("a frame of an unknown kind")
        }
    }

    /// The bytes that come next; they stay.
    func peek(_ count: Int, by deadline: Deadline = .patient) throws -> [UInt8]? {
        let bytes = try take(count, by: deadline)
        input = (bytes ?? []) + input
        return bytes
    }

    private func take(_ count: Int, by deadline: Deadline) throws -> [UInt8]? {
        while input.count < count {
            guard let bytes = try socket.receive(by: deadline) else { return nil }
            input += bytes
        }
        defer { input.removeFirst(count) }
        return Array(input[..<count])
    }

    func cut() { socket.close() }
}
