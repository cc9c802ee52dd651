internal import Crypto
package import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Connects a location with the feed in a NATS server. The control node need not be there: what it has published is.
package struct NATSConnector: FeedConnector {
    private let settings: NATSSettings
    private let credentials: LocationCredentials
    private let turn = NATSTurn()

    package init(_ settings: NATSSettings, credentials: LocationCredentials) {
        self.settings = settings
        self.credentials = credentials
    }

    package func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection {
        let subjects = FeedSubjects(
            installation: credentials.installation, accounts: credentials.accounts.map { Set($0) })
        let link = try NATSLink(settings, inbox: subjects.inbox(of: credentials.location), turn: turn.first)
        let connection = NATSConnection(
            link, subjects, credentials, instance: subscribe.instance, settings.addresses.count > 1 ? turn : nil)
        do {
            try connection.greet()
        } catch let error as FeedError where error.kind == .away {
            // What is in the stream is served without it.
        }
        guard let birth = try link.last(subjects.birth, ofStream: subjects.stream),
            let last = try link.last(subjects.head, ofStream: subjects.stream),
            case .head(let head, _) = try FeedFrame(last.bytes)
        else { throw FeedError(.away, "there is no feed of this installation at \(settings.text) yet") }
        let here = NATSMark(birth: String(decoding: birth.bytes, as: UTF8.self), sequence: last.sequence)
        let position = subscribe.position
        var isFresh = true
        var start: UInt64 = 1
        if let position, let mark = NATSMark(mark), position.epoch == head.position.epoch,
            position.revision <= head.position.revision, mark.birth == here.birth, mark.sequence <= here.sequence
        {
            isFresh = false
            start = mark.sequence + 1
        }
        let welcome = FeedWelcome(
            installation: credentials.installation, epoch: head.position.epoch, isFresh: isFresh)
        try connection.begin(welcome, NATSMark(birth: here.birth, sequence: start - 1))
        // The head itself may lie behind the start: then nothing tells that all is there.
        if start > last.sequence { connection.push(try FeedFrame(last.bytes)) }
        return connection
    }
}

/// A place in a stream, and which stream it is: one that was made anew counts from the beginning. Mirrors count as the
/// stream does that they are of.
struct NATSMark {
    let birth: String
    var sequence: UInt64

    init(birth: String, sequence: UInt64) {
        self.birth = birth
        self.sequence = sequence
    }

    init?(_ text: String?) {
        let parts = text?.split(separator: ":") ?? []
        guard parts.count == 2, let sequence = UInt64(parts[1]) else { return nil }
        self.init(birth: String(parts[0]), sequence: sequence)
    }

    var text: String { "\(birth):\(sequence)" }
}

/// Which of several servers is tried first. The first one that is given, unless a server that is there has nothing to
/// tell: it may be cut off itself.
final class NATSTurn: Sendable {
    /// Without a word for so long, in seconds, another server is tried; and for twice as long the next time, since the
    /// control node may be what is away.
    private static let firstPatience = 10.0
    private static let longestPatience = 320.0

    private let state = Mutex<(first: Int, patience: Double)>((0, firstPatience))

    var first: Int { state.withLock { $0.first } }
    var patience: Double { state.withLock { $0.patience } }

    func heard() { state.withLock { $0.patience = Self.firstPatience } }

    func wasSilent() {
        state.withLock { state in
            state.first += 1
            state.patience = min(Self.longestPatience, state.patience * 2)
        }
    }
}

private final class NATSConnection: FeedConnection {
    private struct State {
        var subscription: NATSLink.Subscription?
        var mark = NATSMark(birth: "", sequence: 0)
        /// What comes before what the stream has.
        var ahead: [FeedFrame] = []
        /// Pieces of blobs, until the last is here.
        var pieces: [String: [Int: [UInt8]]] = [:]
    }

    /// How long to wait at a time before looking whether the connection still is, in seconds.
    private static let glance = 0.5

    private let link: NATSLink
    private let subjects: FeedSubjects
    private let location: String
    private let instance: String
    private let key: [UInt8]
    private let state = Mutex(State())
    /// Of the last call. Begins with the time, so that it grows over restarts too, as far as clocks can be trusted.
    private let number = Mutex<Int64>(Timestamp.now.milliseconds * 1_000)
    private let hasGreeted = Mutex(false)
    /// The control node may be busy, or away.
    private static let helloSeconds = 2.0

    /// Nil if there is one server only.
    private let turn: NATSTurn?

    init(
        _ link: NATSLink, _ subjects: FeedSubjects, _ credentials: LocationCredentials, instance: String,
        _ turn: NATSTurn?
    ) {
        self.link = link
        self.subjects = subjects
        self.instance = instance
        self.turn = turn
        location = credentials.location
        key = Array(SHA256.hash(data: Array(credentials.token.utf8)))
    }

    /// - Parameter mark: what follows it comes.
    func begin(_ welcome: FeedWelcome, _ mark: NATSMark) throws {
        let subscription = try link.follow(subjects.stream, subject: subjects.all, from: mark.sequence + 1)
        state.withLock { state in
            state.subscription = subscription
            state.mark = mark
            state.ahead = [.welcome(welcome)]
        }
    }

    func push(_ frame: FeedFrame) { state.withLock { $0.ahead.append(frame) } }

    var mark: String? { state.withLock { $0.mark.text } }
    var isCompacted: Bool { true }
    var silence: Double? { turn?.patience }

    func next(within seconds: Double) throws -> FeedFrame? {
        let (ahead, subscription) = state.withLock { state in
            (state.ahead.isEmpty ? nil : state.ahead.removeFirst(), state.subscription)
        }
        if let ahead { return ahead }
        guard let subscription else { throw FeedError(.away, "the connection has not begun") }
        let end = Date(timeIntervalSinceNow: seconds)
        repeat {
            guard let message = try subscription.next(within: min(seconds, Self.glance)) else { continue }
            turn?.heard()
            state.withLock { $0.mark.sequence = message.sequence }
            if let frame = frame(of: message) { return frame }
        } while Date() < end
        if seconds > 0 { turn?.wasSilent() }
        return nil
    }

    /// Nil if it is not for this location, or not all of it is here.
    private func frame(of message: NATSLink.Subscription.Message) -> FeedFrame? {
        // What cannot be read was not written by the control node.
        guard let frame = try? FeedFrame(message.bytes) else { return nil }
        switch frame {
        case .piece(let hash, let index, let count, let bytes):
            let form = state.withLock { state -> [UInt8]? in
                state.pieces[hash, default: [:]][index] = bytes
                guard let pieces = state.pieces[hash], pieces.count == count else { return nil }
                state.pieces[hash] = nil
                return (0..<count).flatMap { pieces[$0] ?? [] }
            }
            return form.map { .blob(hash: hash, form: $0) }
        case .head:
            // Blobs come before it: what is not whole now will not be.
            state.withLock { $0.pieces = [:] }
            return frame
        case .keys: return message.subject == subjects.keys(of: location) ? frame : nil
        default: return frame
        }
    }

    func blob(_ hash: String) throws -> [UInt8] {
        var form: [UInt8] = []
        var index = 0
        while true {
            guard let found = try link.last(subjects.piece(hash, index), ofStream: subjects.stream),
                case .piece(_, _, let count, let bytes) = try FeedFrame(found.bytes)
            else { throw FeedError(.missing, "blob \(hash) is not in the stream") }
            form += bytes
            index += 1
            if index >= count { return form }
        }
    }

    func call(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] {
        guard body.count > CallPart.bytes else { return try ask(name, body, within: seconds) }
        guard body.count <= PartedCalls.bytesAtMost else {
            throw FeedError(.failed, "\(body.count) bytes are more than the control node takes at once")
        }
        var answer: [UInt8] = []
        for part in CallPart.parts(of: name, body, id: Identifier.hex()) {
            answer = try ask(CallPart.name, part.encoded, within: seconds)
        }
        return answer
    }

    /// Says that this location is there, and hears how its calls are counted.
    func greet() throws {
        var reader = FeedReader(
            try exchange(NATSResponder.hello, NATSResponder.version, within: Self.helloSeconds))
        let highest = try reader.number()
        number.withLock { $0 = max($0, highest) }
        hasGreeted.withLock { $0 = true }
    }

    /// One message, and its answer.
    private func ask(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] {
        if !hasGreeted.withLock({ $0 }) { try greet() }
        return try exchange(name, body, within: seconds)
    }

    private func exchange(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] {
        let call = signed(name, body)
        let reply = try link.request(subjects.calls(of: location), call.signed(with: key), within: seconds)
        let frame = try FeedFrame(Seal.body(of: reply) ?? [])
        switch (frame, Seal.isValid(reply, with: key)) {
        case (.reply(call.number, let body), true): return body
        case (.refusal(call.number, let error), true): throw error
        // The control node has no key to seal with for a location that it does not know.
        case (.refusal(_, let error), _) where error.kind == .refused: throw error
        default: throw FeedError(.forged, "an answer that is not the control node's")
        }
    }

    func tell(_ name: String, _ body: [UInt8]) {
        // Who is away is told again.
        if !hasGreeted.withLock({ $0 }) { guard (try? greet()) != nil else { return } }
        if body.count > CallPart.bytes {
            _ = try? call(name, body, within: feedCallSeconds)
        } else {
            try? link.publish(subjects.calls(of: location), signed(name, body).signed(with: key))
        }
    }

    private func signed(_ name: String, _ body: [UInt8]) -> SignedCall {
        let number = number.withLock { number in
            number += 1
            return number
        }
        return SignedCall(location: location, instance: instance, number: number, name: name, body: body)
    }

    func close() { link.close() }
}
