internal import Crypto
internal import FoundationEssentials
internal import NIOHTTP1

/// The client's half of a WebSocket's opening handshake (RFC 6455, section 4.1), for one connection.
struct SocketHandshake {
    /// 16 random bytes.
    private let key = Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()

    private var accept: String {
        Data(Insecure.SHA1.hash(data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).base64EncodedString()
    }

    /// What a worker says of the handshake does not count, save the protocols to choose from: it is about a connection
    /// that is ours, or about the client's.
    func add(to fields: inout HTTPHeaders) {
        for name in ["sec-websocket-key", "sec-websocket-version", "sec-websocket-accept", "sec-websocket-extensions"] {
            fields.remove(name: name)
        }
        fields.add(name: "Upgrade", value: "websocket")
        fields.add(name: "Connection", value: "Upgrade")
        fields.add(name: "Sec-WebSocket-Version", value: "13")
        fields.add(name: "Sec-WebSocket-Key", value: key)
    }

    /// Whether an answer of 101 means this handshake, and nothing that nobody asked for.
    func isAgreedTo(by fields: HTTPHeaders) -> Bool {
        fields[canonicalForm: "upgrade"].map { $0.lowercased() } == ["websocket"]
            && fields[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && fields["sec-websocket-accept"] == [accept]
            && fields[canonicalForm: "sec-websocket-extensions"].isEmpty
    }
}
