internal import Isolates

/// The host's half of WebSockets.
enum WebSocketOps {
    static let all: [Op] = [
        .web("respondWebSocket") { host, call throws(OpError) in
            try FetchOps.withAnswer(host, call) { answer throws(OpError) in
                call.returns(try host.sockets.respondWebSocket(to: call.integer(0), answer))
            }
        },
        .web("relayWebSocket") { host, call throws(OpError) in
            try FetchOps.withAnswer(host, call) { answer throws(OpError) in
                try host.sockets.respondWebSocket(to: call.integer(0), answer, relaying: call.integer(4))
            }
        },
        .web("webSocketBuffered") { host, call in
            call.returns(host.sockets.bufferedBytes(ofWebSocket: call.integer(0)))
        },
        .web("webSocketStart") { host, call in host.sockets.startWebSocket(call.integer(0)) },
        .web("webSocketSend") { host, call throws(OpError) in
            if let bytes = call.bytes(1) {
                let bytes = UnsafeRawBufferPointer(bytes)
                return try host.sockets.sendWebSocket(call.integer(0), bytes, isText: false)
            }
            let text = Array((call.text(1)?.string ?? "").utf8)
            var failure: OpError?
            text.withUnsafeBytes { bytes in
                do throws(OpError) {
                    try host.sockets.sendWebSocket(call.integer(0), bytes, isText: true)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        },
        .web("webSocketClose") { host, call in
            host.sockets.closeWebSocket(call.integer(0), code: call.integer(1), reason: call.string(2))
        },
        .web("webSocketFail") { host, call in
            host.sockets.failWebSocket(call.integer(0), code: call.integer(1), reason: call.string(2))
        },
    ]
}
