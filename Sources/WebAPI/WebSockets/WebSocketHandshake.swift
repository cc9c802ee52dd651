internal import Crypto
internal import FoundationEssentials
package import Model

/// The opening handshake (RFC 6455, section 4).
package enum WebSocketHandshake {
    /// The key of a request that asks for a WebSocket; nil for any other, and for one that is malformed. (What the
    /// field Connection says is the ingress's to know.)
    package static func key(of head: RequestHead) -> String? {
        guard head.methodString == "GET", FieldList.tokens(in: head.firstValue(of: "upgrade")).contains("websocket"),
            head.firstValue(of: "sec-websocket-version").map({ $0.elementsEqual("13".utf8) }) == true,
            let key = head.firstValue(of: "sec-websocket-key").map({ String(decoding: $0, as: UTF8.self) }),
            Data(base64Encoded: key)?.count == 16
        else { return nil }
        return key
    }

    /// Whether a request that a worker makes asks for a WebSocket.
    package static func isAskedFor(by head: RequestHead) -> Bool {
        head.methodString == "GET" && FieldList.tokens(in: head.firstValue(of: "upgrade")) == ["websocket"]
    }

    /// The head with what a request for a WebSocket needs, for one that never was on a connection.
    package static func request(like head: RequestHead) -> RequestHead {
        var request = head
        if head.firstValue(of: "sec-websocket-key") == nil {
            request.append("sec-websocket-key".utf8)
            request.append(Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString().utf8)
        }
        if head.firstValue(of: "sec-websocket-version") == nil {
            request.append("sec-websocket-version".utf8)
            request.append("13".utf8)
        }
        return request
    }

    /// What a worker says of an answer of 101, without what is about the connection: an origin's may be meant for
    /// another.
    /// - Parameter fields: "name: value\r\n" for each, names in lower case.
    package static func fields(_ fields: UnsafeRawBufferPointer) -> [UInt8] {
        var kept: [UInt8] = []
        for line in fields.split(separator: 10) {
            let isOurs = ["sec-websocket-accept:", "sec-websocket-extensions:"].contains { line.starts(with: $0.utf8) }
            if !isOurs { kept += line + [10] }
        }
        return kept
    }

    /// The value of Sec-WebSocket-Accept.
    package static func accept(_ key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return Data(digest).base64EncodedString()
    }
}
