internal import Crypto
package import Feed
internal import Foundation
package import Model
internal import Synchronization

/// Connects a location with the feed in a NATS server. The control node need not be there: what it has published is.
package struct NATSConnector: FeedConnector {
    private let settings: NATSSettings
    private let credentials: LocationCredentials
    /// The control node may be busy, or away.
    private static let helloSeconds = 2.0

    package init(_ settings: NATSSettings, credentials: LocationCredentials) throws(FeedError) {
        guard credentials.accounts == nil else {
            throw FeedError(.refused, "a location of some accounts joins the control node itself, by http or https")
        }
        self.settings = settings
        self.credentials = credentials
    }

    package func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection {
        let link = try NATSLink(settings)
        let subjects = FeedSubjects(installation: credentials.installation)
        let connection = NATSConnection(link, subjects, credentials, instance: subscribe.instance)
        do {
            _ = try connection.call(NATSResponder.hello, NATSResponder.version, within: Self.helloSeconds)
        } catch let error as FeedError where error.kind == .away {
            // What is in the stream is served without it.
        }
        guard let state = try link.state(ofStream: subjects.stream),
            let last = try link.last(subjects.head, ofStream: subjects.stream),
            case .head(let head, _) = try FeedFrame(last.bytes)
        else { throw FeedError(.away, "there is no feed of this installation at \(settings.address.text) yet") }
        let position = subscribe.position
        var isFresh = true
        var start: UInt64 = 1
        if let position, let mark = NATSMark(mark), position.epoch == head.position.epoch,
            position.revision <= head.position.revision, mark.created == state.created, mark.sequence <= state.last
        {
            isFresh = false
            start = mark.sequence + 1
        }
        let welcome = FeedWelcome(
            installation: credentials.installation, epoch: head.position.epoch, isFresh: isFresh)
        try connection.begin(welcome, created: state.created, from: start)
        // The head itself may lie behind the start: then nothing tells that all is there.
        if start > last.sequence { connection.push(try FeedFrame(last.bytes)) }
        return connection
    }
}

/// A place in a stream, and which stream it is: one that was wiped counts from the beginning.
struct NATSMark {
    let created: Int64
    let sequence: UInt64

    init(created: Int64, sequence: UInt64) {
        self.created = created
        self.sequence = sequence
    }

    init?(_ text: String?) {
        let parts = text?.split(separator: ":") ?? []
        guard parts.count == 2, let created = Int64(parts[0]), let sequence = UInt64(parts[1]) else { return nil }
        self.init(created: created, sequence: sequence)
    }

    var text: String { "\(created):\(sequence)" }
}

private final class NATSConnection: FeedConnection {
    private struct State {
        var subscription: NATSLink.Subscription?
        var created: Int64 = 0
        var sequence: UInt64 = 0
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
    /// Of the last call. Begins with the time, so that it grows over restarts too.
    private let number = Mutex<Int64>(Timestamp.now.milliseconds * 1_000)

    init(_ link: NATSLink, _ subjects: FeedSubjects, _ credentials: LocationCredentials, instance: String) {
        self.link = link
        self.subjects = subjects
        self.instance = instance
        location = credentials.location
        key = Array(SHA256.hash(data: Array(credentials.token.utf8)))
    }

    func begin(_ welcome: FeedWelcome, created: Int64, from sequence: UInt64) throws {
        let subscription = try link.follow(subjects.stream, subject: subjects.all, from: sequence)
        state.withLock { state in
            state.subscription = subscription
            state.created = created
            state.sequence = sequence - 1
            state.ahead = [.welcome(welcome)]
        }
    }

    func push(_ frame: FeedFrame) { state.withLock { $0.ahead.append(frame) } }

    var mark: String? { state.withLock { NATSMark(created: $0.created, sequence: $0.sequence).text } }
    var isCompacted: Bool { true }
    var silence: Double? { nil }

    func next(within seconds: Double) throws -> FeedFrame? {
        let (ahead, subscription) = state.withLock { state in
            (state.ahead.isEmpty ? nil : state.ahead.removeFirst(), state.subscription)
        }
        if let ahead { return ahead }
        guard let subscription else { throw FeedError(.away, "the connection has not begun") }
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            guard let message = try subscription.next(within: min(seconds, Self.glance)) else { continue }
            state.withLock { $0.sequence = message.sequence }
            if let frame = frame(of: message) { return frame }
        }
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
        let reply = try link.request(subjects.calls(of: location), try sealed(name, body), within: seconds)
        switch try FeedFrame(reply) {
        case .reply(_, let body): return body
        case .refusal(_, let error): throw error
        default: throw FeedError(.malformed, "a call was answered with something else")
        }
    }

    func tell(_ name: String, _ body: [UInt8]) {
        // Who is away is told again.
        if let bytes = try? sealed(name, body) { try? link.publish(subjects.calls(of: location), bytes) }
    }

    private func sealed(_ name: String, _ body: [UInt8]) throws -> [UInt8] {
        let number = number.withLock { number in
            number += 1
            return number
        }
        let call = SignedCall(location: location, instance: instance, number: number, name: name, body: body)
        let bytes = call.signed(with: key)
        guard bytes.count <= link.mostBytes else {
            throw FeedError(.failed, "\(bytes.count) bytes are more than NATS takes at once: raise its max_payload")
        }
        return bytes
    }

    func close() { link.close() }
}
