/// A source map (ECMA-426, revision 3): from places in a file that a tool wrote to places in what its author wrote.
///
/// Made by tenants: a map that says nonsense gives wrong places or none, and costs no more than its length.
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

    /// Where a line of the written file begins in the mappings, and what they count from there.
    private struct LineStart {
        var offset: Int32
        var source: Int32
        var line: Int32
        var column: Int32
    }

    /// Bytes of a map; larger ones are not read.
    private static let largest = 16 << 20

    private let sources: [String]
    private let mappings: [UInt8]
    private let lines: [LineStart]

    /// - Returns: nil if it is no source map, or one in sections.
    package init?(_ json: [UInt8]) {
        guard json.count <= Self.largest else { return nil }
        var reader = SourceMapReader(json)
        guard let content = reader.read() else { return nil }
        sources = content.sources
        mappings = content.mappings
        var lines: [LineStart] = []
        var state = Segments(mappings, from: LineStart(offset: 0, source: 0, line: 0, column: 0))
        repeat {
            lines.append(state.start)
            while state.next() != nil {}
        } while state.beginLine()
        self.lines = lines
    }

    /// What stands at a place, counted from 1.
    package func place(line: Int, column: Int) -> Place? {
        guard lines.indices.contains(line - 1) else { return nil }
        var segments = Segments(mappings, from: lines[line - 1])
        var found: Segment?
        while let segment = segments.next(), segment.written < column { found = segment }
        guard let found, found.hasSource, sources.indices.contains(Int(found.source)) else { return nil }
        return Place(source: sources[Int(found.source)], line: Int(found.line) + 1, column: Int(found.column) + 1)
    }

    private struct Segment {
        /// The column in the written file, from 0.
        var written: Int
        var hasSource: Bool
        var source: Int32
        var line: Int32
        var column: Int32
    }

    /// Reads the segments of a line: numbers in base 64, of five bits each, relative to those before.
    private struct Segments {
        private let mappings: [UInt8]
        private var index: Int
        private var written: Int32 = 0
        private var state: LineStart

        init(_ mappings: [UInt8], from start: LineStart) {
            self.mappings = mappings
            index = Int(start.offset)
            state = start
        }

        /// Here a line begins.
        var start: LineStart {
            LineStart(offset: Int32(index), source: state.source, line: state.line, column: state.column)
        }

        /// Goes on behind the semicolon that ended the line. False at the end.
        mutating func beginLine() -> Bool {
            guard index < mappings.count else { return false }
            index += 1
            written = 0
            return true
        }

        /// nil at the end of the line.
        mutating func next() -> Segment? {
            while index < mappings.count, mappings[index] == UInt8(ascii: ",") { index += 1 }
            guard index < mappings.count, mappings[index] != UInt8(ascii: ";") else { return nil }
            var count = 0
            while let number = number() {
                switch count {
                case 0: written = written &+ number
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
            return Segment(
                written: Int(written), hasSource: count >= 4, source: state.source, line: state.line,
                column: state.column)
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
