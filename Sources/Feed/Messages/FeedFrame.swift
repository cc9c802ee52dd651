internal import Foundation
package import Model
package import NIOCore

/// What is said on a link between the control node and a location. A frame is four bytes of length, one that says what
/// it is, and the rest.
package enum FeedFrame: Sendable {
    // To the location.
    case welcome(FeedWelcome)
    /// A blob that records behind it refer to, in its form for the way.
    case blob(hash: String, form: [UInt8])
    case records([FeedRecord], signature: [UInt8])
    /// One of the records of a tree that was signed, with what leads from it to the root.
    case proven(FeedRecord, path: [(isLeft: Bool, node: HashTree.Node)], signature: [UInt8])
    /// A piece of a blob's form.
    case piece(hash: String, index: Int, count: Int, bytes: [UInt8])
    case head(FeedHead, signature: [UInt8])
    /// The keys of secrets, sealed to the location's own.
    case keys([UInt8], signature: [UInt8])
    /// `FeedOrders`, which take the place of those before.
    case orders([UInt8], signature: [UInt8])
    case reply(call: Int64, body: [UInt8])
    /// Why a call failed, or, with call 0, why the location is not served.
    case refusal(call: Int64, FeedError)
    // To the control node.
    case subscribe(FeedSubscribe)
    case call(Int64, name: String, body: [UInt8])

    /// The largest there is: the form of a blob.
    package static let mostBytes = 72 << 20
    /// Counts the forms of the feed.
    package static let version = 2
    /// What a connection is upgraded to.
    package static let upgrade = "martlet-feed"
    package static let versionField = "martlet-feed-version"
    package static let path = "/client/v4/feed"

    private static let mostPieces: Int64 = 4_096

    /// With its length.
    package var encoded: ByteBuffer {
        let bytes = body
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 4)
        buffer.writeInteger(UInt32(bytes.count))
        buffer.writeBytes(bytes)
        return buffer
    }

    /// Without its length.
    package var body: [UInt8] {
        var writer = FeedWriter()
        switch self {
        case .welcome(let welcome): writer.json(1, welcome)
        case .blob(let hash, let form):
            writer.byte(2)
            writer.text(hash)
            writer.data(form)
        case .records(let records, let signature):
            writer.byte(3)
            writer.data(signature)
            for record in records { writer.data(record.encoded) }
        case .proven(let record, let path, let signature):
            writer.byte(8)
            writer.data(signature)
            writer.data(record.encoded)
            for step in path {
                writer.byte(step.isLeft ? 1 : 0)
                writer.data(step.node.bytes)
            }
        case .piece(let hash, let index, let count, let bytes):
            writer.byte(9)
            writer.text(hash)
            writer.number(Int64(index))
            writer.number(Int64(count))
            writer.data(bytes)
        case .head(let head, let signature):
            writer.byte(4)
            writer.data(signature)
            writer.data(head.encoded)
        case .keys(let sealed, let signature):
            writer.byte(5)
            writer.data(signature)
            writer.data(sealed)
        case .orders(let orders, let signature):
            writer.byte(10)
            writer.data(signature)
            writer.data(orders)
        case .reply(let call, let body):
            writer.byte(6)
            writer.number(call)
            writer.data(body)
        case .refusal(let call, let error):
            writer.byte(7)
            writer.number(call)
            writer.text(error.kind.rawValue)
            writer.text(error.message)
        case .subscribe(let subscribe): writer.json(16, subscribe)
        case .call(let call, let name, let body):
            writer.byte(17)
            writer.number(call)
            writer.text(name)
            writer.data(body)
        }
        return writer.bytes
    }

    /// - Parameter bytes: without the length.
    package init(_ bytes: [UInt8]) throws(FeedError) {
        var reader = FeedReader(bytes)
        switch try reader.byte() {
        case 1: self = .welcome(try reader.json())
        case 2: self = .blob(hash: try reader.text(), form: try reader.data())
        case 3:
            let signature = try reader.data()
            var records: [FeedRecord] = []
            while !reader.isAtEnd { records.append(try FeedRecord(encoded: try reader.data())) }
            self = .records(records, signature: signature)
        case 4:
            let signature = try reader.data()
            self = .head(try FeedHead(encoded: try reader.data()), signature: signature)
        case 5:
            let signature = try reader.data()
            self = .keys(try reader.data(), signature: signature)
        case 6: self = .reply(call: try reader.number(), body: try reader.data())
        case 7:
            let call = try reader.number()
            let kind = FeedError.Kind(rawValue: try reader.text()) ?? .failed
            self = .refusal(call: call, FeedError(kind, try reader.text()))
        case 8:
            let signature = try reader.data()
            let record = try FeedRecord(encoded: try reader.data())
            var path: [(isLeft: Bool, node: HashTree.Node)] = []
            while !reader.isAtEnd {
                path.append((isLeft: try reader.byte() == 1, node: HashTree.Node(bytes: try reader.data())))
            }
            self = .proven(record, path: path, signature: signature)
        case 9:
            let hash = try reader.text()
            let (index, count) = (try reader.number(), try reader.number())
            guard (0..<Self.mostPieces).contains(index), (1...Self.mostPieces).contains(count) else {
                throw FeedError(.malformed, "a piece of a blob that cannot be")
            }
            self = .piece(hash: hash, index: Int(index), count: Int(count), bytes: try reader.data())
        case 10:
            let signature = try reader.data()
            self = .orders(try reader.data(), signature: signature)
        case 16: self = .subscribe(try reader.json())
        case 17: self = .call(try reader.number(), name: try reader.text(), body: try reader.data())
        default: throw FeedError(.version, "a message is of a kind that this version does not know")
        }
    }

    /// Takes the next whole frame off a buffer.
    /// - Returns: nil if there is none yet.
    static func next(in buffer: inout ByteBuffer) throws(FeedError) -> FeedFrame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard length <= mostBytes else { throw FeedError(.malformed, "a message of \(length) bytes") }
        guard buffer.readableBytes >= Int(length) + 4 else { return nil }
        buffer.moveReaderIndex(forwardBy: 4)
        return try FeedFrame(buffer.readBytes(length: Int(length)) ?? [])
    }
}

/// What a location is told first.
package struct FeedWelcome: Sendable, Codable {
    /// Names the installation, and is what its signatures are checked with.
    package var installation: String
    package var epoch: String
    /// What follows is all there is: the location's copy has no part in it.
    package var isFresh: Bool

    package init(installation: String, epoch: String, isFresh: Bool) {
        self.installation = installation
        self.epoch = epoch
        self.isFresh = isFresh
    }
}

/// What a location says first.
package struct FeedSubscribe: Sendable, Codable {
    package var version: Int
    /// Names the folder of its copy: two places must not be one location at a time.
    package var instance: String
    /// Where its copy is; nil if it has none.
    package var epoch: String?
    package var revision: Int64
    package var digest: [UInt8]

    package init(instance: String, position: FeedPosition?) {
        version = FeedFrame.version
        self.instance = instance
        epoch = position?.epoch
        revision = position?.revision ?? 0
        digest = position?.digest.bytes ?? FeedDigest().bytes
    }

    package var position: FeedPosition? {
        guard let epoch, digest.count == 32 else { return nil }
        return FeedPosition(epoch: epoch, revision: revision, digest: FeedDigest(digest))
    }
}

extension FeedWriter {
    fileprivate mutating func json(_ type: UInt8, _ value: some Encodable) {
        byte(type)
        guard let body = try? JSONEncoder().encode(value) else { preconditionFailure("a message that is no JSON") }
        data(Array(body))
    }
}

extension FeedReader {
    fileprivate mutating func json<Value: Decodable>() throws(FeedError) -> Value {
        let body = try data()
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(body)) else {
            throw FeedError(.malformed, "a message is not of its form")
        }
        return value
    }
}
