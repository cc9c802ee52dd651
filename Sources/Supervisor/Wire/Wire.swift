internal import Foundation

/// Builds a frame's content. Numbers are little-endian, texts UTF-8 behind their length.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func number(_ value: Int) { number(UInt64(bitPattern: Int64(value))) }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func blob(_ value: [UInt8]) {
        number(value.count)
        bytes.append(contentsOf: value)
    }

    mutating func text(_ value: String) { blob(Array(value.utf8)) }

    mutating func list<Element>(_ values: some Collection<Element>, _ write: (inout WireWriter, Element) -> Void) {
        number(values.count)
        for value in values { write(&self, value) }
    }

    mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    /// A value that may get more properties, none of which may be left behind: whatever it has, as JSON.
    mutating func value(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let json = try? encoder.encode(value) else { preconditionFailure("\(value) has no JSON") }
        blob(Array(json))
    }
}

/// What came is not what may come: one line for the log.
package struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Takes a frame's content apart and believes nothing: each length is checked against what is there.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func unsigned() throws(WireError) -> UInt64 {
        guard rest.count >= 8 else { throw WireError("a number is cut off") }
        let value = rest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        rest = rest.dropFirst(8)
        return UInt64(littleEndian: value)
    }

    mutating func number() throws(WireError) -> Int { Int(truncatingIfNeeded: try unsigned()) }

    /// A number that cannot be negative, such as a count.
    mutating func count() throws(WireError) -> Int {
        guard let value = Int(exactly: try unsigned()) else { throw WireError("a count is too large") }
        return value
    }

    mutating func byte() throws(WireError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw WireError("nothing is left") }
        return byte
    }

    mutating func flag() throws(WireError) -> Bool {
        guard let byte = rest.popFirst(), byte < 2 else { throw WireError("not a flag") }
        return byte == 1
    }

    mutating func blob() throws(WireError) -> [UInt8] {
        let length = try count()
        guard length <= rest.count else { throw WireError("a text of \(length) bytes is cut off") }
        defer { rest = rest.dropFirst(length) }
        return Array(rest.prefix(length))
    }

    mutating func text() throws(WireError) -> String {
        guard let text = String(validating: try blob(), as: UTF8.self) else { throw WireError("a text is not UTF-8") }
        return text
    }

    /// - Parameter least: bytes that an element has at least, so that a count cannot claim more than can be there.
    mutating func list<Element>(
        least: Int, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try count()
        guard count <= rest.count / least else { throw WireError("a list of \(count) is cut off") }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    mutating func optional<Value>(
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try flag() ? try read(&self) : nil
    }

    mutating func value<Value: Decodable>(_ type: Value.Type) throws(WireError) -> Value {
        let json = Data(try blob())
        do {
            return try JSONDecoder().decode(type, from: json)
        } catch {
            throw WireError("not a \(type): \(error)")
        }
    }

    mutating func texts() throws(WireError) -> [String] {
        try list(least: 8) { (reader) throws(WireError) in try reader.text() }
    }

    func end() throws(WireError) {
        guard rest.isEmpty else { throw WireError("\(rest.count) bytes too many") }
    }
}
