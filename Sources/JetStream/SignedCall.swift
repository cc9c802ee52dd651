internal import Crypto
internal import Feed
internal import Foundation
internal import Model

/// A code that only a location and the control node can make, before what it stands for.
enum Seal {
    private static let bytes = 32

    /// - Parameter key: the SHA-256 of the location's token.
    static func around(_ body: [UInt8], with key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: key))) + body
    }

    /// Nil if it is not whole.
    static func body(of sealed: [UInt8]) -> [UInt8]? {
        sealed.count >= bytes ? Array(sealed.dropFirst(bytes)) : nil
    }

    static func isValid(_ sealed: [UInt8], with key: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            Array(sealed.prefix(bytes)), authenticating: Array(sealed.dropFirst(bytes)),
            using: SymmetricKey(data: key))
    }
}

/// A call as it goes by NATS.
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
    func signed(with key: [UInt8]) -> [UInt8] { Seal.around(encoded, with: key) }

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
        guard let body = Seal.body(of: bytes) else { throw FeedError(.malformed, "a call is too short") }
        var reader = FeedReader(body)
        location = try reader.text()
        instance = try reader.text()
        number = try reader.number()
        name = try reader.text()
        self.body = try reader.data()
        guard let key = try key(location), Seal.isValid(bytes, with: key) else {
            throw FeedError(.refused, "the control node knows no location '\(location)' with this token")
        }
    }
}

/// A part of a call that is too large for one message. Parts are sent one after the other; the answer to the last is
/// that to the call.
struct CallPart {
    /// The name of the call that brings one.
    static let name = "part"
    /// Bytes of a call's body in one message.
    static let bytes = 512 << 10

    /// Names the whole call.
    var id: String
    var call: String
    var index: Int
    var count: Int
    var bytes: [UInt8]

    var encoded: [UInt8] {
        var writer = FeedWriter()
        writer.text(id)
        writer.text(call)
        writer.number(Int64(index))
        writer.number(Int64(count))
        writer.data(bytes)
        return writer.bytes
    }

    /// The parts of a call.
    static func parts(of call: String, _ body: [UInt8], id: String) -> [CallPart] {
        let starts = Array(stride(from: 0, to: body.count, by: bytes))
        return starts.enumerated().map { index, start in
            CallPart(
                id: id, call: call, index: index, count: starts.count,
                bytes: Array(body[start..<min(start + bytes, body.count)]))
        }
    }

    private init(id: String, call: String, index: Int, count: Int, bytes: [UInt8]) {
        self.id = id
        self.call = call
        self.index = index
        self.count = count
        self.bytes = bytes
    }

    init(_ encoded: [UInt8]) throws(FeedError) {
        var reader = FeedReader(encoded)
        id = try reader.text()
        call = try reader.text()
        let (index, count) = (try reader.number(), try reader.number())
        bytes = try reader.data()
        guard (2...Int64(PartedCalls.bytesAtMost / Self.bytes)).contains(count), (0..<count).contains(index),
            bytes.count <= Self.bytes
        else { throw FeedError(.malformed, "a part of a call that cannot be") }
        self.index = Int(index)
        self.count = Int(count)
    }
}

/// The calls whose parts are coming.
struct PartedCalls {
    /// Bytes of a call in parts: a value of KV with what stands beside it, and as much again.
    static let bytesAtMost = 64 << 20
    /// Calls in parts of one location that may be under way.
    private static let callsAtMost = 2
    /// Between two parts, in milliseconds; then the call is forgotten.
    private static let lifetime: Int64 = 60_000

    private struct Call {
        var body: [UInt8] = []
        var count = 0
        var time = Timestamp.now
    }

    /// By location, and their own names.
    private var calls: [String: [String: Call]] = [:]

    /// - Returns: the body of the call, with its last part.
    /// - Throws: `failed` if the part does not follow the one before, or there are too many.
    mutating func take(_ part: CallPart, of location: String) throws(FeedError) -> [UInt8]? {
        let now = Timestamp.now.milliseconds
        var own = (calls[location] ?? [:]).filter { now - $0.value.time.milliseconds < Self.lifetime }
        defer { calls[location] = own.isEmpty ? nil : own }
        guard part.index > 0 || own.count < Self.callsAtMost else {
            throw FeedError(.failed, "too many large writes of this location are under way")
        }
        guard var call = part.index == 0 ? Call() : own[part.id], call.count == part.index else {
            own[part.id] = nil
            throw FeedError(.failed, "a part of a call is missing")
        }
        call.body += part.bytes
        call.count += 1
        call.time = .now
        own[part.id] = call.count == part.count ? nil : call
        return call.count == part.count ? call.body : nil
    }
}
