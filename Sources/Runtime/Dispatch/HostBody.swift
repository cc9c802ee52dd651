internal import Isolates
internal import Model
internal import WebAPI

/// A body that the host holds: read piece by piece or as a whole by JavaScript, or sent on without it. Bound to the
/// lane.
final class HostBody {
    private enum Reader {
        case none
        case piece(ticket: Int)
        case whole(ticket: Int)
        case pump(BodyPump)
    }

    /// Bytes handed to JavaScript at a time.
    private static let pieceSize = 64 << 10
    /// A body that is made of few bytes by decoding leaves the lane to others after so many.
    private static let piecesPerTurn = 16
    /// So many bytes are reserved before they have come. What a client merely announces must not keep memory from the
    /// isolate's other requests.
    private static let largestReservation = 1 << 20

    /// A cycle, broken by the context's end.
    private let context: RequestContext
    private let isolate: Isolate
    private var source: any BodySource
    private var reader = Reader.none
    /// What has come for `Reader.whole`. Not in its payload, which would be copied at each arrival.
    private var gathered: ChargedBuffer?
    /// How the source's bytes are coded (Content-Encoding), if that is a coding that we know. JavaScript gets the
    /// decoded bytes.
    private(set) var coding: ContentCoding?
    private var isDecoded = false
    /// Bytes of the source in all, if known.
    private let length: Int?
    /// Called when nobody will read any more.
    private let whenDone: () -> Void
    private var isDone = false
    /// Nobody has asked for any of it.
    private(set) var isUntouched = true

    init(
        _ source: any BodySource, of context: RequestContext, isolate: Isolate, coding: ContentCoding? = nil,
        length: Int? = nil, whenDone: @escaping () -> Void = {}
    ) {
        self.source = source
        self.context = context
        self.isolate = isolate
        self.coding = coding
        self.length = length
        self.whenDone = whenDone
    }

    /// Whether somebody waits for more of the body.
    var isBeingRead: Bool {
        if case .none = reader { return false }
        return true
    }

    // MARK: By JavaScript

    func read() throws(OpError) -> BodyPiece {
        try requireIdle()
        decode()
        switch try readPiece() {
        case .some(let piece): return piece
        case .none:
            let ticket = context.instance.openTicket(for: context)
            reader = .piece(ticket: ticket)
            return .ticket(ticket)
        }
    }

    func readWhole() throws(OpError) -> BodyPiece {
        try requireIdle()
        decode()
        let gathered = ChargedBuffer(chargedTo: isolate.account)
        if source.isBodyComplete, gathered.reserve(source.bodyBytesBuffered) {
            gatherAtOnce(into: gathered)
            return .bytes(gathered)
        }
        let ticket = context.instance.openTicket(for: context)
        reader = .whole(ticket: ticket)
        self.gathered = gathered
        // A decoded body has another length.
        if !isDecoded, let length { _ = gathered.reserve(min(length, Self.largestReservation)) }
        // What is there already is taken when this turn is over: reading may bring the end at once.
        context.instance.enqueue { [self] in becameReady() }
        return .ticket(ticket)
    }

    func cancel() {
        isUntouched = false
        if case .pump(let pump) = reader { return pump.stop() }
        reader = .none
        source.discardBody()
        done()
    }

    /// Gives up whoever reads. The number of the ticket that will never be settled, 0 if there is none.
    func abandon() -> Int {
        defer { cancel() }
        switch reader {
        case .none, .pump: return 0
        case .piece(let ticket), .whole(let ticket): return ticket
        }
    }

    /// Its request is over: nobody will hear of it.
    func release() {
        if case .pump(let pump) = reader { pump.stop() }
        reader = .none
        gathered = nil
        isDone = true
    }

    // MARK: Past JavaScript

    /// All bytes of it, if they are here and few, coded as asked for: the whole of a small answer.
    func takeWhole(coded wanted: ContentCoding?) throws(OpError) -> [UInt8]? {
        try requireIdle()
        guard coding == nil || coding == wanted, source.isBodyComplete, source.bodyBytesBuffered <= Self.pieceSize
        else {
            return nil
        }
        var bytes: [UInt8] = []
        while source.readBody(limit: Self.pieceSize, { bytes.append(contentsOf: $0) }) == .bytes {}
        done()
        return bytes
    }

    /// How many bytes a pump will give, if that is known.
    func length(coded wanted: ContentCoding?) -> Int? {
        guard coding == nil || coding == wanted else { return nil }
        return source.isBodyComplete ? source.bodyBytesBuffered : length
    }

    /// Sends the body on, coded as asked for or not at all.
    func pump(to sink: any BodySink, coded wanted: ContentCoding?) throws(OpError) -> BodyPump {
        try requireIdle()
        if coding != wanted { decode() }
        let pump = BodyPump(from: source, to: sink) { [weak self] in self?.done() }
        reader = .pump(pump)
        return pump
    }

    // MARK: Arrivals

    /// More of the body, its end or its failure has arrived.
    func becameReady() {
        switch reader {
        case .none: break
        case .piece(let ticket): deliverPiece(ticket)
        case .whole(let ticket): gather(ticket)
        case .pump(let pump): pump.advance()
        }
    }

    private func requireIdle() throws(OpError) {
        isUntouched = false
        if isBeingRead { throw .type("The body is being read already") }
    }

    private func decode() {
        guard let coding else { return }
        self.coding = nil
        isDecoded = true
        source = DecodedBody(source, coding, account: context.instance.isolate.account) { [context] in
            context.instance.charge($0, to: context)
        }
    }

    private func done() {
        reader = .none
        gathered = nil
        guard !isDone else { return }
        isDone = true
        whenDone()
    }

    /// As much as is there, if that is known.
    private var nextPieceSize: Int {
        let buffered = source.bodyBytesBuffered
        return buffered > 0 ? min(buffered, Self.pieceSize) : Self.pieceSize
    }

    /// Nil if nothing has arrived yet; then `becameReady` follows.
    private func readPiece() throws(OpError) -> BodyPiece? {
        let piece = ChargedBuffer(chargedTo: isolate.account)
        guard piece.reserve(nextPieceSize) else {
            // There is room when the garbage is collected, which has to wait for this call's end.
            context.instance.enqueue { [self] in becameReady() }
            return nil
        }
        let progress = source.readBody(limit: nextPieceSize) { _ = piece.append($0) }
        switch progress {
        case .bytes: return .bytes(piece)
        case .end:
            done()
            return .end
        case .pending: return nil
        case .failed(let reason):
            done()
            throw .type(reason)
        }
    }

    private func gatherAtOnce(into whole: ChargedBuffer) {
        while source.readBody(limit: Self.pieceSize, { _ = whole.append($0) }) == .bytes {}
        done()
    }

    private func deliverPiece(_ ticket: Int) {
        let piece = ChargedBuffer(chargedTo: isolate.account)
        let size = nextPieceSize
        guard withRoom({ piece.reserve(size) }) else { return failForMemory(ticket) }
        let progress = source.readBody(limit: size) { _ = piece.append($0) }
        guard progress != .pending else { return }
        reader = .none
        if progress != .bytes { done() }
        context.instance.settle(ticket, of: context, with: Self.value(of: progress, piece))
    }

    private func gather(_ ticket: Int) {
        var pieces = 0
        while let gathered {
            if pieces == Self.piecesPerTurn { return context.instance.enqueue { [self] in becameReady() } }
            pieces += 1
            var hasRoom = true
            var refused: [UInt8] = []
            let progress = source.readBody(limit: Self.pieceSize) { bytes in
                hasRoom = gathered.append(bytes)
                if !hasRoom { refused = Array(bytes) }
            }
            if !hasRoom, !withRoom({ refused.withUnsafeBytes(gathered.append) }) { return failForMemory(ticket) }
            switch progress {
            case .bytes: continue
            case .pending: return
            case .end, .failed:
                done()
                let value = Self.value(of: progress, gathered, atEnd: .owned(gathered))
                return context.instance.settle(ticket, of: context, with: value)
            }
        }
    }

    /// Whether memory can be had, after garbage was collected if need be. Not within a call.
    private func withRoom(_ reserve: () -> Bool) -> Bool {
        if reserve() { return true }
        context.instance.collectGarbage(for: context)
        return !isDone && reserve()
    }

    private func failForMemory(_ ticket: Int) {
        guard !isDone else { return }
        source.discardBody()
        done()
        let message = "The body is larger than the memory that the worker has left"
        context.instance.settle(ticket, of: context, with: .error(name: "RangeError", message: message))
    }

    private static func value(
        of progress: BodyProgress, _ piece: ChargedBuffer, atEnd end: FlatValue = .null
    ) -> FlatValue {
        switch progress {
        case .bytes: .owned(piece)
        case .end, .pending: end
        case .failed(let reason): .error(name: "TypeError", message: reason)
        }
    }
}
