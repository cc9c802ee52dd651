internal import Isolates
internal import Model
internal import WebAPI

/// The body of a request on its way into JavaScript: read piece by piece as the worker asks, or as a whole.
final class RequestBody {
    private enum Demand {
        case none
        case piece(ticket: Int)
        case whole(ticket: Int, gathered: [UInt8])
    }

    /// Bytes handed to JavaScript at a time.
    private static let pieceSize = 64 << 10

    private let context: RequestContext
    private let isolate: Isolate
    private var demand = Demand.none

    init(of context: RequestContext, isolate: Isolate) {
        self.context = context
        self.isolate = isolate
    }

    func read() throws(OpError) -> BodyPiece {
        try requireIdle()
        switch try readPiece() {
        case .some(let piece): return piece
        case .none:
            let ticket = context.instance.openTicket(for: context)
            demand = .piece(ticket: ticket)
            return .ticket(ticket)
        }
    }

    func readWhole() throws(OpError) -> BodyPiece {
        try requireIdle()
        if context.exchange.isBodyComplete { return .bytes(try gatherAtOnce()) }
        let ticket = context.instance.openTicket(for: context)
        demand = .whole(ticket: ticket, gathered: [])
        // What is there already is taken when this turn is over: reading may bring the end at once.
        context.instance.enqueue { [self] in becameReady() }
        return .ticket(ticket)
    }

    func cancel() {
        demand = .none
        context.exchange.discardBody()
    }

    /// More of the body, its end or its failure has arrived.
    func becameReady() {
        switch demand {
        case .none: break
        case .piece(let ticket): deliverPiece(ticket)
        case .whole(let ticket, let gathered): gather(ticket, gathered)
        }
    }

    private func requireIdle() throws(OpError) {
        guard case .none = demand else { throw .type("The body is being read already") }
    }

    /// Nil if nothing has arrived yet; then `becameReady` follows.
    private func readPiece() throws(OpError) -> BodyPiece? {
        var piece: OwnedBytes?
        let progress = context.exchange.readBody(limit: Self.pieceSize) { bytes in
            piece = isolate.allocateBytes(bytes.count)
            piece?.bytes.copyMemory(from: bytes)
        }
        switch progress {
        case .bytes:
            guard let piece else { throw .range("Array buffer allocation failed") }
            return .bytes(piece)
        case .end: return .end
        case .pending: return nil
        case .failed(let reason): throw .type(reason)
        }
    }

    private func gatherAtOnce() throws(OpError) -> OwnedBytes {
        guard let whole = isolate.allocateBytes(context.exchange.bodyBytesBuffered) else {
            throw .range("The body is larger than the memory that is left")
        }
        var offset = 0
        while offset < whole.count {
            let progress = context.exchange.readBody(limit: whole.count - offset) { bytes in
                UnsafeMutableRawBufferPointer(rebasing: whole.bytes[offset...]).copyMemory(from: bytes)
                offset += bytes.count
            }
            if progress != .bytes { break }
        }
        return whole
    }

    private func deliverPiece(_ ticket: Int) {
        var piece: [UInt8] = []
        let progress = context.exchange.readBody(limit: Self.pieceSize) { piece = Array($0) }
        guard progress != .pending else { return }
        demand = .none
        context.instance.settle(ticket, of: context, with: Self.value(of: progress, piece))
    }

    private func gather(_ ticket: Int, _ soFar: [UInt8]) {
        var gathered = soFar
        // Taken out of the enum, so that appending does not copy.
        demand = .none
        while true {
            let progress = context.exchange.readBody(limit: Self.pieceSize) { gathered.append(contentsOf: $0) }
            switch progress {
            case .bytes where gathered.count <= context.instance.memoryLimit: continue
            case .bytes:
                context.exchange.discardBody()
                let failure = FlatValue.error(
                    name: "RangeError", message: "The body is larger than the worker's memory limit")
                return context.instance.settle(ticket, of: context, with: failure)
            case .pending:
                demand = .whole(ticket: ticket, gathered: gathered)
                return
            case .end: return context.instance.settle(ticket, of: context, with: .bytes(gathered))
            case .failed: return context.instance.settle(ticket, of: context, with: Self.value(of: progress, []))
            }
        }
    }

    private static func value(of progress: BodyProgress, _ piece: [UInt8]) -> FlatValue {
        switch progress {
        case .bytes: .bytes(piece)
        case .end, .pending: .null
        case .failed(let reason): .error(name: "TypeError", message: reason)
        }
    }
}

/// A request's body on its way straight into the answer, without JavaScript.
final class BodyPump {
    private static let pieceSize = 64 << 10

    private let context: RequestContext

    init(for context: RequestContext) { self.context = context }

    func advance() {
        let exchange = context.exchange
        while true {
            var hasRoom = true
            let progress = exchange.readBody(limit: Self.pieceSize) { hasRoom = exchange.writeResponse($0) }
            switch progress {
            case .bytes where hasRoom: continue
            case .bytes, .pending: return
            case .end:
                exchange.finishResponse()
                return context.instance.pumpEnded(context)
            case .failed:
                exchange.abort()
                return context.instance.pumpEnded(context)
            }
        }
    }
}
