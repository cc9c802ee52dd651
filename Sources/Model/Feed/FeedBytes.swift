/// Writes the feed's binary forms: numbers big-endian, byte strings with their length before them.
package struct FeedWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func number(_ value: Int64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// - Parameter value: at most 4 GiB.
    package mutating func data(_ value: [UInt8]) {
        withUnsafeBytes(of: UInt32(value.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes += value
    }

    package mutating func text(_ value: String) { data(Array(value.utf8)) }
}

/// Reads what `FeedWriter` wrote. It may come from anybody: nothing in it is trusted.
package struct FeedReader {
    private let bytes: [UInt8]
    private var place = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { place == bytes.count }

    package mutating func byte() throws(FeedError) -> UInt8 {
        guard place < bytes.count else { throw Self.short }
        defer { place += 1 }
        return bytes[place]
    }

    package mutating func number() throws(FeedError) -> Int64 {
        Int64(bitPattern: try unsigned(8))
    }

    package mutating func data() throws(FeedError) -> [UInt8] {
        let count = Int(try unsigned(4))
        guard count <= bytes.count - place else { throw Self.short }
        defer { place += count }
        return Array(bytes[place..<(place + count)])
    }

    package mutating func text() throws(FeedError) -> String {
        guard let text = String(validating: try data(), as: UTF8.self) else {
            throw FeedError(.malformed, "a text is not UTF-8")
        }
        return text
    }

    private mutating func unsigned(_ count: Int) throws(FeedError) -> UInt64 {
        guard count <= bytes.count - place else { throw Self.short }
        defer { place += count }
        return bytes[place..<(place + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static let short = FeedError(.malformed, "a message ends too early")
}

/// What is wrong with the feed, for whoever runs a location.
package struct FeedError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, Equatable {
        /// The other side cannot be reached, or went away.
        case away
        /// The control node does not let this location in.
        case refused
        /// It speaks another version of the feed.
        case version
        /// It is another installation than the one that the credentials are for.
        case foreign
        /// What came is not of the feed's form.
        case malformed
        /// What came was not signed by the control node.
        case forged
        /// What the copy is based on is not the control node's history any more: it has to be made anew.
        case diverged
        /// Something that records refer to is not there, at least not now.
        case missing
        /// The control node could not do what was asked.
        case failed
    }

    package var kind: Kind
    package var message: String
    package var description: String { message }

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
