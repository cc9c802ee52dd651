internal import Foundation
internal import Model

/// A request that was let in, with its whole body.
struct Call: Sendable {
    /// Of the path, decoded.
    var parameters: [String: String]
    var query: [String: String]
    var contentType: String
    var userAgent: String
    /// Where the client found this server: "ws://127.0.0.1:8788".
    var socketOrigin: String
    var body: [UInt8]
    var token: Token

    /// A parameter of the path, which its pattern names.
    subscript(name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the path has no parameter \(name)") }
        return value
    }

    var account: String { self["account"] }
    var script: ScriptKey { ScriptKey(account: account, name: self["script"]) }

    /// Who asks, for `source`: "wrangler", "martlet" or "api".
    var source: String {
        for client in ["wrangler", "martlet"] where userAgent.lowercased().hasPrefix("\(client)/") { return client }
        return "api"
    }

    /// A number of the query; nil if it is not given.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw APIError.badBody("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) -> Bool { query[name] == "true" || query[name] == "1" }

    /// The body as JSON, whatever type it says it is of.
    func json() throws -> JSONValue { try Self.json(body) }

    static func json(_ bytes: [UInt8]) throws -> JSONValue {
        guard !bytes.isEmpty else { throw APIError.malformed("it is empty, and should be JSON") }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw APIError.malformed("it is not JSON")
        }
    }

    /// The body as a JSON object.
    func object() throws -> [String: JSONValue] {
        guard let object = try json().object else { throw APIError.badBody("the body must be a JSON object") }
        return object
    }
}

/// `%41` and such (RFC 3986, section 2.1).
enum PercentCoding {
    /// - Returns: nil if an escape is broken or the bytes are not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                    rest[rest.startIndex] != UInt8(ascii: "+")
                else { return nil }
                rest = rest.dropFirst(2)
                bytes.append(value)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Names and values of a query. What comes later wins.
    static func query(_ text: String) -> [String: String]? {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0], plusIsSpace: true),
                let value = decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            values[name] = value
        }
        return values
    }
}
