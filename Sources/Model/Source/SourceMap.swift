/// A source map (ECMA-426, revision 3): from places in a file that a tool wrote to places in what its author wrote.
///
/// Made by tenants: a map that says nonsense gives wrong places or none. Its memory, `size`, is at most its length and
/// some 8 MB for the places to begin to read at, of which each line has one.
package struct SourceMap: Sendable {
    package struct Place: Sendable, Equatable {
        package var source: String
        /// From 1.
        package var line: Int
        package var column: Int

        package init(source: String, line: Int, column: Int) {
            self.source = source
            self.line = line
            self.column = column
        }
    }

    /// A place in the mappings, and what they count from there: those of the segment before.
    private struct Checkpoint {
        var offset: Int32
        var written: Int32 = 0
        var hasSource = false
        var source: Int32 = 0
        var line: Int32 = 0
        var column: Int32 = 0
    }

    /// Bytes of a map; larger ones are not read.
    private static let largest = 16 << 20
    /// Lines of a written file, and sources that it was made of. A map with more is not read: both take many times the
    /// byte or three that they cost whoever sends them.
    package static let mostLines = 1 << 18
    package static let mostSources = 1 << 16
    /// Segments between two checkpoints of a line: so many are read for one place, however long a line is.
    private static let spacing = 64

    private let sources: [String]
    private let mappings: [UInt8]
    private let checkpoints: [Checkpoint]
    /// The first checkpoint of each line.
    private let lines: [Int32]

    /// - Returns: nil if it is no source map, or one in sections.
    package init?(_ json: [UInt8]) {
        guard json.count <= Self.largest else { return nil }
        var reader = SourceMapReader(json)
        guard let content = reader.read() else { return nil }
        sources = content.sources
        mappings = content.mappings
        var checkpoints: [Checkpoint] = []
        var lines: [Int32] = []
        var segments = Segments(mappings, from: Checkpoint(offset: 0))
        repeat {
            guard lines.count < Self.mostLines else { return nil }
            lines.append(Int32(checkpoints.count))
            checkpoints.append(segments.state)
            var count = 0
            while segments.next() {
                count += 1
                if count % Self.spacing == 0 { checkpoints.append(segments.state) }
            }
        } while segments.beginLine()
        self.checkpoints = checkpoints
        self.lines = lines
    }

    /// Bytes of memory.
    package var size: Int {
        mappings.count + checkpoints.count * MemoryLayout<Checkpoint>.stride + lines.count * MemoryLayout<Int32>.stride
            + sources.reduce(0) { $0 + $1.utf8.count + MemoryLayout<String>.stride }
    }

    /// What stands at a place, counted from 1.
    package func place(line: Int, column: Int) -> Place? {
        guard lines.indices.contains(line - 1), column > 0 else { return nil }
        // The last checkpoint whose segment before begins in front of the place.
        let first = Int(lines[line - 1])
        var (low, high) = (first, line < lines.count ? Int(lines[line]) : checkpoints.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(checkpoints[middle].written) < column { low = middle } else { high = middle }
        }
        var found = checkpoints[low]
        var segments = Segments(mappings, from: found)
        for _ in 0..<Self.spacing {
            guard segments.next(), Int(segments.state.written) < column else { break }
            found = segments.state
        }
        guard found.hasSource, sources.indices.contains(Int(found.source)) else { return nil }
        return Place(source: sources[Int(found.source)], line: Int(found.line) + 1, column: Int(found.column) + 1)
    }

    /// Reads the segments of a line: numbers in base 64, of five bits each, relative to those before.
    private struct Segments {
        private let mappings: [UInt8]
        private var index: Int
        /// Behind the last segment that was read.
        private(set) var state: Checkpoint

        init(_ mappings: [UInt8], from start: Checkpoint) {
            self.mappings = mappings
            index = Int(start.offset)
            state = start
        }

        /// Goes on behind the semicolon that ended the line. False at the end.
        mutating func beginLine() -> Bool {
            guard index < mappings.count else { return false }
            index += 1
            state.offset = Int32(index)
            state.written = 0
            state.hasSource = false
            return true
        }

        /// False at the end of the line.
        mutating func next() -> Bool {
            while index < mappings.count, mappings[index] == UInt8(ascii: ",") { index += 1 }
            guard index < mappings.count, mappings[index] != UInt8(ascii: ";") else { return false }
            var count = 0
            while let number = number() {
                switch count {
                case 0: state.written = state.written &+ number
                case 1: state.source = state.source &+ number
                case 2: state.line = state.line &+ number
                case 3: state.column = state.column &+ number
                default: break
                }
                count += 1
            }
            // What is no digit is passed over: each call goes on, or the line is over.
            while index < mappings.count, ![UInt8(ascii: ","), UInt8(ascii: ";")].contains(mappings[index]) {
                index += 1
            }
            state.hasSource = count >= 4
            state.offset = Int32(index)
            return true
        }

        private mutating func number() -> Int32? {
            var value: UInt32 = 0
            var shift: UInt32 = 0
            while index < mappings.count, let digit = Self.digit(mappings[index]) {
                index += 1
                if shift < 32 { value |= (digit & 31) << shift }
                shift += 5
                if digit & 32 == 0 {
                    let size = Int32(truncatingIfNeeded: value >> 1)
                    return value & 1 == 0 ? size : 0 &- size
                }
            }
            return nil
        }

        private static func digit(_ byte: UInt8) -> UInt32? {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): 62
            case UInt8(ascii: "/"): 63
            default: nil
            }
        }
    }
}
