internal import Isolates

/// Two WebSockets that are one, as when a worker answers its client with an origin's: what comes by the one leaves by
/// the other. One leg for each direction. Bound to the lane.
///
/// Bytes pass as they are: a client masks its frames for the origin as for us, and an origin does not.
final class SocketRelay: SocketEnd {
    private static let pieceSize = 64 << 10

    let id: Int
    let isStarted = true
    private let instance: Instance
    /// A cycle, broken when the socket ends or its request does.
    private var source: (any SocketTransport)?
    private var opposite: SocketRelay?
    private var isBlocked = false

    private init(_ id: Int, from source: any SocketTransport, in instance: Instance) {
        self.id = id
        self.source = source
        self.instance = instance
    }

    static func connect(
        _ id: Int, _ client: any SocketTransport, _ origin: any SocketTransport, in instance: Instance
    ) {
        let fromClient = SocketRelay(id, from: client, in: instance)
        let fromOrigin = SocketRelay(id, from: origin, in: instance)
        fromClient.opposite = fromOrigin
        fromOrigin.opposite = fromClient
        client.webSocket = fromClient
        origin.webSocket = fromOrigin
        instance.enqueue {
            fromOrigin.read()
            fromClient.read()
        }
    }

    func read() {
        while !isBlocked, let source, let target = opposite?.source {
            var room = SocketRoom.room
            let progress = source.readSocket(limit: Self.pieceSize) { room = target.writeSocket($0) }
            switch progress {
            case .bytes where room == .refused: return lost()
            case .bytes: isBlocked = room == .full
            case .pending: return
            case .end, .failed: return lost()
            }
        }
    }

    func becameWritable() {
        guard let opposite else { return }
        opposite.isBlocked = false
        opposite.read()
    }

    /// What one side has said to its end the other is still told.
    func lost() {
        let ends = [source, opposite?.source]
        opposite?.release()
        release()
        // Not within a call of JavaScript's.
        instance.enqueue { [instance] in
            for case let end? in ends where instance.state == .running && end.webSocket != nil { end.endSocket() }
        }
    }

    func release() {
        source = nil
        opposite = nil
    }
}
