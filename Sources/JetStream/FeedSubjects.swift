internal import Crypto
internal import Feed
internal import Foundation
internal import Model

/// What the feed of an installation is called in NATS. A subject has one message, the latest: all of them together are
/// the truth.
struct FeedSubjects {
    /// Of the stream.
    let stream: String
    private let root: String

    /// Bytes of a blob's form in one message: NATS takes a mebibyte as it comes.
    static let pieceBytes = 512 << 10
    /// Names of streams begin with it.
    static let streamPrefix = "MARTLET_FEED_"

    init(installation: String) {
        let name = String(installation.prefix(16))
        stream = Self.streamPrefix + name
        root = "martlet.feed.\(name)"
    }

    var all: String { root + ".>" }
    var head: String { root + ".head" }
    var orders: String { root + ".orders" }

    func record(_ record: FeedRecord) -> String {
        let id = SHA256.hash(data: Array(record.key.id.utf8)).prefix(16).map(Identifier.hexDigits).joined()
        return "\(root).record.\(record.account).\(record.key.kind.rawValue).\(id)"
    }

    func keys(of location: String) -> String { "\(root).keys.\(location)" }
    func piece(_ hash: String, _ index: Int) -> String { "\(root).blob.\(hash).\(index)" }

    /// Where locations ask the control node; outside of the stream.
    func calls(of location: String) -> String { "martlet.call.\(root.dropFirst("martlet.feed.".count)).\(location)" }
    var allCalls: String { calls(of: "*") }
}

/// A call as it goes by NATS: who asks is told by a code that only they and the control node can make.
struct SignedCall {
    var location: String
    var instance: String
    /// Grows with each call of an instance, so that none is done twice.
    var number: Int64
    var name: String
    var body: [UInt8]

    private var encoded: [UInt8] {
        var writer = FeedWriter()
        writer.text(location)
        writer.text(instance)
        writer.number(number)
        writer.text(name)
        writer.data(body)
        return writer.bytes
    }

    /// - Parameter key: the SHA-256 of the location's token.
    func signed(with key: [UInt8]) -> [UInt8] {
        let bytes = encoded
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key))) + bytes
    }

    init(location: String, instance: String, number: Int64, name: String, body: [UInt8]) {
        self.location = location
        self.instance = instance
        self.number = number
        self.name = name
        self.body = body
    }

    /// - Parameter key: of a location, by its id.
    /// - Throws: `refused` unless it is the location's.
    init(_ bytes: [UInt8], key: (_ location: String) throws -> [UInt8]?) throws {
        guard bytes.count > 32 else { throw FeedError(.malformed, "a call is too short") }
        let rest = Array(bytes.dropFirst(32))
        var reader = FeedReader(rest)
        location = try reader.text()
        instance = try reader.text()
        number = try reader.number()
        name = try reader.text()
        body = try reader.data()
        guard let key = try key(location),
            HMAC<SHA256>.isValidAuthenticationCode(
                Array(bytes.prefix(32)), authenticating: rest, using: SymmetricKey(data: key))
        else { throw FeedError(.refused, "the control node knows no location '\(location)' with this token") }
    }
}
