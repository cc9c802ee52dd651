internal import Synchronization

/// The source maps of a Worker's modules: gives its stack traces the places that its author knows.
package final class SourceMaps: Sendable {
    /// Bytes of memory that the maps of a Worker may take, before and after they are read. What is beyond is left out:
    /// its modules' traces name places of what was uploaded.
    package static let mostBytes = 32 << 20

    private let maps: [String: Lazy]
    private let room: Room

    package init(_ maps: [String: [UInt8]], mostBytes: Int = SourceMaps.mostBytes) {
        let room = Room(mostBytes)
        var kept: [String: Lazy] = [:]
        for (module, bytes) in maps.sorted(by: { $0.key < $1.key }) where room.take(bytes.count) {
            kept[module] = Lazy(bytes)
        }
        self.maps = kept
        self.room = room
    }

    /// What is left of the bytes.
    private final class Room: Sendable {
        private let left: Mutex<Int>

        init(_ bytes: Int) { left = Mutex(bytes) }

        /// False if it is not there.
        func take(_ bytes: Int) -> Bool {
            left.withLock { left in
                guard bytes <= left else { return false }
                left -= bytes
                return true
            }
        }

        func give(_ bytes: Int) { left.withLock { $0 += bytes } }
    }

    /// A map, read when it is first needed. Lanes that need it meanwhile wait, which takes no longer than to read it.
    private final class Lazy: Sendable {
        private enum State {
            case unread([UInt8])
            case read(SourceMap?)
        }

        private let state: Mutex<State>

        init(_ bytes: [UInt8]) { state = Mutex(.unread(bytes)) }

        func map(in room: Room) -> SourceMap? {
            state.withLock { state in
                switch state {
                case .read(let map): return map
                case .unread(let bytes):
                    var map = SourceMap(bytes)
                    room.give(bytes.count)
                    if let size = map?.size, !room.take(size) { map = nil }
                    state = .read(map)
                    return map
                }
            }
        }
    }

    /// A place in a module, counted from 1.
    /// - Returns: nil if no map knows it.
    package func place(module: String, line: Int, column: Int) -> SourceMap.Place? {
        maps[module]?.map(in: room)?.place(line: line, column: column)
    }

    /// A text in which lines that begin with `at` and name a place of a module name its source's instead.
    ///
    /// Called on lanes, with texts of tenants: it takes time in proportion to the text.
    package func resolved(_ text: String) -> String {
        guard !maps.isEmpty else { return text }
        let bytes = Array(text.utf8)
        guard bytes.contains(10) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
            append(bytes[start..<end], to: &result)
            start = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func append(_ line: ArraySlice<UInt8>, to result: inout [UInt8]) {
        guard let frame = Frame(line), let place = place(module: frame.module, line: frame.line, column: frame.column)
        else {
            result += line
            return
        }
        result += line[..<frame.place.lowerBound]
        result += "\(place.source):\(place.line):\(place.column)".utf8
        result += line[frame.place.upperBound...]
    }
}

/// A line of a stack trace as V8 writes it: `at name (index.js:1:2)`, `at index.js:1:2`, `at async index.js:1:2`.
private struct Frame {
    let module: String
    let line: Int
    let column: Int
    /// Where in the text these stand.
    let place: Range<Int>

    /// - Returns: nil if it is another line.
    init?(_ text: ArraySlice<UInt8>) {
        let trimmed = text.drop { $0 == 0x20 }
        guard trimmed.startIndex > text.startIndex, trimmed.starts(with: "at ".utf8) else { return nil }
        // An error with further members has a brace behind its last frame.
        var rest = trimmed
        while let last = rest.last, last <= 0x20 || last == UInt8(ascii: "{") { rest.removeLast() }
        let isInParentheses = rest.last == UInt8(ascii: ")")
        if isInParentheses { rest.removeLast() }
        let end = rest.endIndex
        guard let column = Self.number(&rest), let line = Self.number(&rest) else { return nil }
        let start: Int
        if isInParentheses {
            guard let bracket = rest.lastIndex(of: UInt8(ascii: "(")) else { return nil }
            start = bracket + 1
        } else {
            start = rest.startIndex + (rest.starts(with: "at async ".utf8) ? 9 : 3)
        }
        guard start < rest.endIndex else { return nil }
        module = String(decoding: rest[start...], as: UTF8.self)
        (self.line, self.column, place) = (line, column, start..<end)
    }

    /// Takes a colon and the digits behind it off the end.
    private static func number(_ text: inout ArraySlice<UInt8>) -> Int? {
        var digits = 0
        while digits < 10, let byte = text.dropLast(digits).last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        {
            digits += 1
        }
        let number = Int(String(decoding: text.suffix(digits), as: UTF8.self))
        text.removeLast(digits)
        guard let number, text.popLast() == UInt8(ascii: ":") else { return nil }
        return number
    }
}
