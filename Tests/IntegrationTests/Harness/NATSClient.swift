import Crypto
import Foundation

/// Speaks to a NATS server as whoever has stolen credentials would: what it likes.
final class NATSClient {
    private let socket: Socket
    private var buffer: [UInt8] = []

    /// - Parameter seed: a file with that of an nkey.
    init(_ server: NATSServer, seed: String? = nil) throws {
        socket = try Socket(port: server.port)
        let info = try line()
        var fields = #""verbose":false,"pedantic":false,"lang":"swift","version":"1","protocol":1"#
        if let seed {
            let key = try Self.key(seed)
            guard let nonce = info.firstMatch(of: #/"nonce":"([^"]+)"/#)?.1 else { throw Failure("no nonce: \(info)") }
            let signature = try key.signature(for: Data(nonce.utf8)).base64EncodedString()
                .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            let text = try String(contentsOfFile: seed + ".pub", encoding: .utf8)
            fields += #","nkey":"\#(text)","sig":"\#(signature)""#
        }
        try send("CONNECT {\(fields)}\r\n")
        if let refusal = try errors().first { throw Failure(refusal) }
    }

    /// Of the seed in a file.
    private static func key(_ file: String) throws -> Curve25519.Signing.PrivateKey {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var bits: [Bool] = []
        for letter in try String(contentsOfFile: file, encoding: .utf8) where !letter.isWhitespace {
            guard let value = letters.firstIndex(of: letter) else { throw Failure("no seed in \(file)") }
            bits += (0..<5).map { value & 16 >> $0 != 0 }
        }
        // Two bytes tell what it is.
        let bytes = (2..<34).map { byte in
            (0..<8).reduce(UInt8(0)) { $0 << 1 | (bits[byte * 8 + $1] ? 1 : 0) }
        }
        return try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    }

    private func send(_ text: String) throws { try socket.sendAll(Array(text.utf8)) }

    private func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            guard let more = try socket.receive(by: .patient) else { throw Failure("the NATS server has ended it") }
            buffer += more
        }
    }

    /// What the server complains about in what was sent until now.
    private func errors() throws -> [String] {
        try send("PING\r\n")
        var found: [String] = []
        while true {
            let line = try line()
            if line == "PONG" { return found }
            if line.hasPrefix("-ERR") {
                found.append(line)
                if line.contains("Authorization Violation") { return found }
            }
        }
    }

    /// Whether the server takes it.
    func mayPublish(_ subject: String, _ payload: String = "poison") throws -> Bool {
        try send("PUB \(subject) \(payload.utf8.count)\r\n\(payload)\r\n")
        return try errors().isEmpty
    }

    func maySubscribe(_ subject: String) throws -> Bool {
        try send("SUB \(subject) 1\r\n")
        return try errors().isEmpty
    }

    /// The subjects of what has come by now.
    func heard() throws -> [String] {
        try send("PING\r\n")
        var subjects: [String] = []
        while case let line = try line(), line != "PONG" {
            if line.hasPrefix("MSG ") { subjects.append(String(line.split(separator: " ")[1])) }
        }
        return subjects
    }

    /// Asks, and returns the answer.
    func request(_ subject: String, _ payload: String) throws -> JSON {
        let inbox = "_INBOX.\(UInt64.random(in: 0...UInt64.max))"
        try send("SUB \(inbox) 9\r\nUNSUB 9 1\r\nPUB \(subject) \(inbox) \(payload.utf8.count)\r\n\(payload)\r\n")
        while true {
            let words = try line().split(separator: " ")
            guard words.first == "MSG", let count = words.last.flatMap({ Int($0) }) else { continue }
            while buffer.count < count + 2 { buffer += try socket.receive(by: .patient) ?? [] }
            defer { buffer.removeFirst(count + 2) }
            return try JSONDecoder().decode(JSON.self, from: Data(buffer.prefix(count)))
        }
    }

    /// The blobs that a stream has.
    func blobs(of stream: String, _ root: String) throws -> Set<String> {
        let answer = try request("$JS.API.STREAM.INFO.\(stream)", #"{"subjects_filter":"\#(root).blob.>"}"#)
        return Set(answer["state"]["subjects"].keys.map { String($0.split(separator: ".").dropLast().last ?? "") })
    }
}
