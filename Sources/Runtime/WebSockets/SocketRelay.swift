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
    private var frames = FrameBoundary()
    /// For a close frame of ours: only what goes to an origin is masked.
    private let masksClose: Bool
    private var isGoingAway = false
    private var hasSentClose = false
    private var closeTimer: TimerToken?

    private init(_ id: Int, from source: any SocketTransport, masksClose: Bool, in instance: Instance) {
        self.id = id
        self.source = source
        self.masksClose = masksClose
        self.instance = instance
    }

    static func connect(
        _ id: Int, _ client: any SocketTransport, _ origin: any SocketTransport, in instance: Instance
    ) {
        let fromClient = SocketRelay(id, from: client, masksClose: true, in: instance)
        let fromOrigin = SocketRelay(id, from: origin, masksClose: false, in: instance)
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
            let progress = source.readSocket(limit: Self.pieceSize) { room = pass($0, to: target) }
            switch progress {
            case .bytes where room == .refused: return lost()
            case .bytes: isBlocked = room == .full
            case .pending: return
            case .end, .failed: return lost()
            }
            sendCloseIfPossible()
        }
    }

    /// All of the bytes, or those up to the end of a frame if a close frame is to follow; behind that, none.
    private func pass(_ bytes: UnsafeRawBufferPointer, to target: any SocketTransport) -> SocketRoom {
        if hasSentClose { return .room }
        let count = isGoingAway ? frames.passToBoundary(bytes) : frames.pass(bytes)
        return target.writeSocket(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }

    func becameWritable() {
        guard let opposite else { return }
        opposite.isBlocked = false
        opposite.read()
    }

    // MARK: The end

    /// Tells both sides, each as soon as the frame on its way there is whole.
    func goAway() {
        guard let opposite, !isGoingAway else { return }
        closeTimer = instance.lane.loop.schedule(after: GoingAway.time) { [self] in
            closeTimer = nil
            lost()
        }
        for leg in [self, opposite] {
            leg.isGoingAway = true
            leg.sendCloseIfPossible()
        }
    }

    private func sendCloseIfPossible() {
        guard isGoingAway, !hasSentClose, frames.isAtBoundary, let opposite else { return }
        hasSentClose = true
        let frame = FrameEncoder.closing(code: GoingAway.code, reason: GoingAway.reason).withUnsafeBytes {
            FrameEncoder.frame(.close, $0, mask: masksClose ? .random(in: 0...UInt32.max) : nil)
        }
        if let target = opposite.source { _ = frame.withUnsafeBytes(target.writeSocket) }
        if opposite.hasSentClose { lost() }
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
        if let closeTimer { instance.lane.loop.cancel(closeTimer) }
        closeTimer = nil
        source = nil
        opposite = nil
    }
}
