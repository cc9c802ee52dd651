import Crypto
import Foundation

/// A WebSocket server's end of a connection, that says what it is told to, right or wrong.
struct OriginSocket {
    let request: OriginRequest
    let connection: OriginConnection

    /// Nil if the connection asks for nothing.
    /// - Parameters:
    ///   - accept: in the place of the right Sec-WebSocket-Accept.
    ///   - fields: besides.
    init?(_ connection: OriginConnection, accept: String? = nil, fields: [(String, String)] = []) throws {
        guard let request = try connection.head() else { return nil }
        connection.began(request)
        self.request = request
        self.connection = connection
        let accept = accept ?? Self.accept(request["sec-websocket-key"] ?? "")
        var head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        for (name, value) in fields + [("Sec-WebSocket-Accept", accept)] { head += "\(name): \(value)\r\n" }
        try connection.send("\(head)\r\n")
    }

    static func accept(_ key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return Data(digest).base64EncodedString()
    }

    /// A frame as servers send it, without a mask.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        let count = payload.count
        if count < 126 {
            bytes.append(UInt8(count))
        } else {
            let size = count < 65_536 ? 2 : 8
            bytes.append(size == 2 ? 126 : 127)
            bytes += (0..<size).reversed().map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        }
        return bytes + payload
    }

    static func close(_ code: Int, _ reason: String = "") -> [UInt8] {
        frame(8, [UInt8(code >> 8), UInt8(code & 0xff)] + Array(reason.utf8))
    }

    func send(_ bytes: [UInt8]) throws { try connection.send(bytes) }
    func send(_ text: String) throws { try send(Self.frame(1, Array(text.utf8))) }

    /// The next frame; nil if the connection has ended. Throws if it is not masked.
    func next() throws -> SocketClient.Frame? {
        guard let head = try connection.bytes(2) else { return nil }
        guard head[0] & 0x70 == 0, head[1] & 0x80 != 0 else { throw Failure("a client's frame is malformed") }
        var count = Int(head[1] & 0x7f)
        if count >= 126 { count = try connection.bytes(count == 126 ? 2 : 8)?.reduce(0) { $0 << 8 | Int($1) } ?? 0 }
        guard let mask = try connection.bytes(4), var payload = try connection.bytes(count) else {
            throw Failure("a frame is cut")
        }
        for index in payload.indices { payload[index] ^= mask[index & 3] }
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

    /// Sends back what comes, and answers the close.
    func echo() throws {
        while let frame = try next() {
            switch frame {
            case .text(let text): try send("re \(text)")
            case .binary(let bytes): try send(Self.frame(2, bytes))
            case .pong: break
            case .close(1005, _): return try send(Self.frame(8, []))
            case .close(let code, let reason): return try send(Self.close(code, reason))
            }
        }
    }
}

extension Origin {
    static func echoingSockets(fields: [(String, String)] = []) throws -> Origin {
        try Origin { connection in try OriginSocket(connection, fields: fields)?.echo() }
    }
}
