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

    /// A cycle, broken by the context's end.
    private let context: RequestContext
    private let isolate: Isolate
    private var source: any BodySource
    private var reader = Reader.none
    /// What has come for `Reader.whole`. Not in its payload, which would be copied at each arrival.
    private var gathered: [UInt8] = []
    /// How the source's bytes are coded (Content-Encoding), if that is a coding that we know. JavaScript gets the
    /// decoded bytes.
    private(set) var coding: ContentCoding?
    /// Bytes of the source in all, if known.
    private let length: Int?
    /// Called when nobody will read any more.
    private let whenDone: () -> Void
    private var isDone = false

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
        if source.isBodyComplete { return .bytes(try gatherAtOnce()) }
        let ticket = context.instance.openTicket(for: context)
        reader = .whole(ticket: ticket)
        // What is there already is taken when this turn is over: reading may bring the end at once.
        context.instance.enqueue { [self] in becameReady() }
        return .ticket(ticket)
    }

    func cancel() {
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
        if isBeingRead { throw .type("The body is being read already") }
    }

    private func decode() {
        guard let coding else { return }
        self.coding = nil
        source = DecodedBody(source, coding) { [context] in context.instance.charge($0, to: context) }
    }

    private func done() {
        reader = .none
        gathered = []
        guard !isDone else { return }
        isDone = true
        whenDone()
    }

    /// Nil if nothing has arrived yet; then `becameReady` follows.
    private func readPiece() throws(OpError) -> BodyPiece? {
        var piece: OwnedBytes?
        let progress = source.readBody(limit: Self.pieceSize) { bytes in
            piece = isolate.allocateBytes(bytes.count)
            piece?.bytes.copyMemory(from: bytes)
        }
        switch progress {
        case .bytes:
            guard let piece else { throw .range("Array buffer allocation failed") }
            return .bytes(piece)
        case .end:
            done()
            return .end
        case .pending: return nil
        case .failed(let reason):
            done()
            throw .type(reason)
        }
    }

    private func gatherAtOnce() throws(OpError) -> OwnedBytes {
        guard let whole = isolate.allocateBytes(source.bodyBytesBuffered) else {
            throw .range("The body is larger than the memory that is left")
        }
        var offset = 0
        while offset < whole.count {
            let progress = source.readBody(limit: whole.count - offset) { bytes in
                UnsafeMutableRawBufferPointer(rebasing: whole.bytes[offset...]).copyMemory(from: bytes)
                offset += bytes.count
            }
            if progress != .bytes { break }
        }
        done()
        return whole
    }

    private func deliverPiece(_ ticket: Int) {
        var piece: [UInt8] = []
        let progress = source.readBody(limit: Self.pieceSize) { piece = Array($0) }
        guard progress != .pending else { return }
        reader = .none
        if progress != .bytes { done() }
        context.instance.settle(ticket, of: context, with: Self.value(of: progress, piece))
    }

    private func gather(_ ticket: Int) {
        while true {
            let progress = source.readBody(limit: Self.pieceSize) { gathered.append(contentsOf: $0) }
            switch progress {
            case .bytes where gathered.count <= context.instance.memoryLimit: continue
            case .bytes:
                source.discardBody()
                done()
                let failure = FlatValue.error(
                    name: "RangeError", message: "The body is larger than the worker's memory limit")
                return context.instance.settle(ticket, of: context, with: failure)
            case .pending: return
            case .end:
                let whole = gathered
                done()
                return context.instance.settle(ticket, of: context, with: .bytes(whole))
            case .failed:
                done()
                return context.instance.settle(ticket, of: context, with: Self.value(of: progress, []))
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
