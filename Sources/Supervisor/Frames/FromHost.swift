package import Model

/// What a host tells its supervisor. A host may have been taken over: everything in it is a claim.
package enum FromHost: Sendable, Equatable {
    /// Frames of another version are not understood.
    package static let version = 4
    /// Longest frame, in bytes: a host cannot make the supervisor hold more. The largest value of KV has to fit.
    package static let longestFrame = 32 << 20
    /// Longest text of a log line, in bytes; hosts cut what is longer.
    package static let longestText = 1 << 20
    /// What a handshake has signed, in bytes: hashes and a text around them.
    static let longestSigned = 1 << 10

    /// The host has locked itself in. What the kernel refused is said, one line each.
    case locked(version: Int, refusals: [String])
    /// It accepts connections, or is ready to check Workers.
    case serving
    /// It cannot start; the text is for people.
    case failed(String)
    case log(LogEvent)
    case requestEnded(RequestEvent)
    case trace(Trace)
    case status(id: Int, RuntimeStatus)
    /// It lives, and has lost so many isolates and lanes.
    case pulse(id: Int, taint: Int)
    /// About a subrequest or an operation on a cache, by its number.
    case exchange(id: Int, ExchangeOrder)
    case call(id: Int, StoreCall)
    /// It tells of those Workers, and no others, from now on.
    case following(id: Int)
    /// What comes of a call that another host makes.
    case service(id: Int, [EgressEvent])
    /// Requests are routed as of that revision.
    case applied(revision: Int64)
    /// How an event has ended that it was told to run.
    case ran(id: Int, EventResult)
    /// - Parameter isTainted: whether that has left something behind in the host.
    case checked(id: Int, StartupReport, isTainted: Bool)
    /// Asks for a handshake's signature by a certificate's key.
    case sign(id: Int, certificate: Int, algorithm: UInt16, [UInt8])
    /// The next request of a connection of that listener is another host's: the bytes are what was received of it and
    /// not answered. Its descriptor comes along.
    case handBack(listener: Int, [UInt8])
    /// It has taken the connection that it was given first of those that it had not.
    case taken
    /// It takes no more connections.
    case closed
    /// What it has counted, at its end.
    case counted(RuntimeStatus)
    /// No request is left, and it is about to end.
    case drained

    private enum Kind: UInt8 {
        case locked = 1
        case serving, failed, log, requestEnded, status, drained, exchange, trace, call, applied, ran, checked, sign,
            closed, taken, following, service, handBack, counted, pulse
    }

    /// A frame's content: a byte for the kind, and what belongs to it.
    package var bytes: [UInt8] {
        var writer = WireWriter()
        func begin(_ kind: Kind) { writer.byte(kind.rawValue) }
        switch self {
        case .locked(let version, let refusals):
            begin(.locked)
            writer.number(version)
            writer.list(refusals) { $0.text($1) }
        case .serving: begin(.serving)
        case .failed(let text):
            begin(.failed)
            writer.text(text)
        case .log(let event):
            begin(.log)
            event.write(to: &writer)
        case .requestEnded(let event):
            begin(.requestEnded)
            event.write(to: &writer)
        case .trace(let trace):
            begin(.trace)
            trace.write(to: &writer)
        case .status(let id, let status):
            begin(.status)
            writer.number(id)
            writer.value(status)
        case .pulse(let id, let taint):
            begin(.pulse)
            writer.number(id)
            writer.number(taint)
        case .exchange(let id, let order):
            begin(.exchange)
            writer.number(id)
            order.write(to: &writer)
        case .call(let id, let call):
            begin(.call)
            writer.number(id)
            call.write(to: &writer)
        case .service(let id, let events):
            begin(.service)
            writer.number(id)
            writer.list(events) { $1.write(to: &$0) }
        case .applied(let revision):
            begin(.applied)
            writer.number(Int(revision))
        case .ran(let id, let result):
            begin(.ran)
            writer.number(id)
            writer.value(result)
        case .checked(let id, let report, let isTainted):
            begin(.checked)
            writer.number(id)
            writer.value(report)
            writer.flag(isTainted)
        case .sign(let id, let certificate, let algorithm, let bytes):
            begin(.sign)
            writer.number(id)
            writer.number(certificate)
            writer.number(Int(algorithm))
            writer.blob(bytes)
        case .following(let id):
            begin(.following)
            writer.number(id)
        case .handBack(let listener, let bytes):
            begin(.handBack)
            writer.number(listener)
            writer.blob(bytes)
        case .taken: begin(.taken)
        case .counted(let status):
            begin(.counted)
            writer.value(status)
        case .closed: begin(.closed)
        case .drained: begin(.drained)
        }
        return writer.bytes
    }

    package init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        guard let first = bytes.first, let kind = Kind(rawValue: first) else { throw WireError("no such frame") }
        var reader = WireReader(bytes.dropFirst())
        switch kind {
        case .locked: self = .locked(version: try reader.number(), refusals: try reader.texts())
        case .serving: self = .serving
        case .failed: self = .failed(try reader.text())
        case .log: self = .log(try LogEvent(from: &reader))
        case .requestEnded: self = .requestEnded(try RequestEvent(from: &reader))
        case .trace: self = .trace(try Trace(from: &reader))
        case .status: self = .status(id: try reader.number(), try reader.value(RuntimeStatus.self))
        case .pulse: self = .pulse(id: try reader.number(), taint: try reader.count())
        case .exchange: self = .exchange(id: try reader.number(), try ExchangeOrder(from: &reader))
        case .call: self = .call(id: try reader.number(), try StoreCall(from: &reader))
        case .service:
            self = .service(
                id: try reader.number(),
                try reader.list(least: 1) { (reader) throws(WireError) in try EgressEvent(from: &reader) })
        case .applied: self = .applied(revision: Int64(try reader.number()))
        case .ran: self = .ran(id: try reader.number(), try reader.value(EventResult.self))
        case .checked:
            self = .checked(
                id: try reader.number(), try reader.value(StartupReport.self), isTainted: try reader.flag())
        case .sign:
            let (id, certificate) = (try reader.number(), try reader.number())
            guard let algorithm = UInt16(exactly: try reader.count()) else { throw WireError("no such algorithm") }
            let bytes = try reader.blob()
            guard bytes.count <= Self.longestSigned else { throw WireError("too much to sign") }
            self = .sign(id: id, certificate: certificate, algorithm: algorithm, bytes)
        case .following: self = .following(id: try reader.number())
        case .handBack:
            self = .handBack(listener: try reader.count(), try reader.blob())
            guard case .handBack(_, let bytes) = self, bytes.count <= PassedConnection.mostReceived else {
                throw WireError("too much of a connection")
            }
        case .taken: self = .taken
        case .counted: self = .counted(try reader.value(RuntimeStatus.self))
        case .closed: self = .closed
        case .drained: self = .drained
        }
        try reader.end()
    }
}
