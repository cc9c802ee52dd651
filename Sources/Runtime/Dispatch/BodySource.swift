/// A body as it arrives. Bound to the lane.
package protocol BodySource: AnyObject {
    /// Hands over up to `limit` bytes of the body that have arrived. `consume` is called at most once, before this
    /// returns, and must copy what it keeps. `.pending` promises that whoever reads is told of more.
    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress
    /// Whether all that is left of the body has arrived; then `bodyBytesBuffered` is all of it.
    var isBodyComplete: Bool { get }
    var bodyBytesBuffered: Int { get }
    /// The rest of the body is of no interest.
    func discardBody()
}

package enum BodyProgress: Equatable {
    /// Bytes were handed over; there may be more.
    case bytes
    /// The body has ended; nothing was handed over.
    case end
    /// Nothing there yet.
    case pending
    /// The body broke off or grew over its limit; the text says so.
    case failed(String)
}

/// Where a body goes that JavaScript does not look at. Bound to the lane.
protocol BodySink: AnyObject {
    /// Takes a piece (copied). False: enough is buffered, wait before the next.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool
    func finish()
    /// The body broke off; the text says why.
    func fail(_ reason: String)
}

/// A body on its way from its source straight to where it is sent.
final class BodyPump {
    private static let pieceSize = 64 << 10

    private let source: any BodySource
    private let sink: any BodySink
    private(set) var isOver = false
    private let ended: () -> Void

    /// - Parameter ended: called once, when the source has nothing more to give.
    init(from source: any BodySource, to sink: any BodySink, ended: @escaping () -> Void) {
        self.source = source
        self.sink = sink
        self.ended = ended
    }

    /// Called when there may be more, or more room.
    func advance() {
        while !isOver {
            var hasRoom = true
            let progress = source.readBody(limit: Self.pieceSize) { hasRoom = sink.write($0) }
            switch progress {
            case .bytes where hasRoom: continue
            case .bytes, .pending: return
            case .end:
                isOver = true
                sink.finish()
                ended()
            case .failed(let reason):
                isOver = true
                sink.fail(reason)
                ended()
            }
        }
    }

    /// Nobody takes any more of it.
    func stop() {
        guard !isOver else { return }
        isOver = true
        source.discardBody()
        ended()
    }
}
