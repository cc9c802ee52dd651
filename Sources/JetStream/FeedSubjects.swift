internal import Crypto
package import Feed
internal import Foundation
internal import Model

/// What the feed of an installation is called in NATS, for those locations that get the same accounts: each set of
/// accounts has a stream of its own, since a server can grant or refuse a stream as a whole. A subject has one message,
/// the latest: all of them together are the truth.
struct FeedSubjects {
    /// Of the stream.
    let stream: String
    private let installation: String
    private let root: String

    /// Bytes of a blob's form in one message: NATS takes a mebibyte as it comes.
    static let pieceBytes = 512 << 10
    private static let nameLength = 16

    /// - Parameter accounts: nil for all.
    init(installation: String, accounts: Set<String>?) {
        let name = String(installation.prefix(Self.nameLength))
        let set = accounts.map { Self.name(of: $0.sorted().joined(separator: "\0")) } ?? "all"
        self.installation = name
        stream = "MARTLET_FEED_\(name)_\(set)"
        root = "martlet.feed.\(name).\(set)"
    }

    /// The same for whatever has the same text, and nothing that a subject cannot have.
    private static func name(of text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).prefix(nameLength).map(Identifier.hexDigits).joined()
    }

    var all: String { root + ".>" }
    /// Of all streams of the installation.
    var allStreams: String { "martlet.feed.\(installation).>" }
    var head: String { root + ".head" }
    var orders: String { root + ".orders" }
    /// What tells a stream from the one before it, which counted its messages from one too.
    var birth: String { root + ".birth" }

    func record(_ record: FeedRecord) -> String {
        "\(root).record.\(record.key.kind.rawValue).\(Self.name(of: record.key.id))"
    }

    func keys(of location: String) -> String { "\(root).keys.\(location)" }
    func piece(_ hash: String, _ index: Int) -> String { "\(root).blob.\(hash).\(index)" }
    func pieces(of hash: String) -> String { "\(root).blob.\(hash).*" }
    var allPieces: String { "\(root).blob.>" }

    /// Nil if it is not that of a piece.
    func blob(ofPiece subject: String) -> String? {
        guard subject.hasPrefix("\(root).blob.") else { return nil }
        return subject.split(separator: ".").dropLast().last.map { String($0) }
    }

    /// Where locations ask the control node; outside of the streams.
    func calls(of location: String) -> String { "martlet.call.\(installation).\(location)" }
    var allCalls: String { calls(of: "*") }

    /// What the subjects begin with under which a node gets answers.
    func inbox(of location: String?) -> String { "martlet.inbox.\(installation).\(location ?? "control")" }
}

/// What a NATS server has to allow a node, and may refuse it beyond that.
package struct NATSPermissions {
    package let publish: [String]
    package let subscribe: [String]

    /// Of a location.
    package init(of credentials: LocationCredentials) {
        let subjects = FeedSubjects(
            installation: credentials.installation, accounts: credentials.accounts.map { Set($0) })
        let schedules = ScheduleSubjects(installation: credentials.installation)
        let claims = [schedules.all, "$JS.API.STREAM.MSG.GET.\(schedules.stream)"]
        publish =
            [
                subjects.calls(of: credentials.location), "$JS.API.STREAM.MSG.GET.\(subjects.stream)",
                "$JS.API.CONSUMER.CREATE.\(subjects.stream)", "$JS.FC.\(subjects.stream).>",
            ] + (credentials.accounts == nil ? claims : [])
        subscribe = [subjects.inbox(of: credentials.location) + ".>"]
    }

    /// Of the control node.
    package static let control = NATSPermissions(
        publish: ["martlet.>", "$JS.>"], subscribe: ["martlet.call.>", "martlet.inbox.*.control.>"])

    private init(publish: [String], subscribe: [String]) {
        self.publish = publish
        self.subscribe = subscribe
    }

    /// A user, as a server's configuration has it.
    package func user(_ publicKey: String) -> String {
        func list(_ subjects: [String]) -> String {
            "[" + subjects.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        }
        return """
            { nkey: \(publicKey), permissions: {
                publish: \(list(publish)),
                subscribe: \(list(subscribe)) } }
            """
    }
}
