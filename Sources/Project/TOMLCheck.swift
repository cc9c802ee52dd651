/// Looks for two mistakes in a TOML file at which the parser asserts, and so ends the process: a table's header that
/// does not begin with a key (https://toml.io/en/v1.0.0#table), and a brace that closes where a value of an array
/// begins.
///
/// Knows strings, comments and arrays as far as it takes to tell a header from the rest. Where a file is malformed it
/// may be wrong from there on; the parser refuses that place first.
struct TOMLCheck {
    /// The quotes of a string of several lines that is open.
    private var openString: [UInt8]?
    /// Arrays that are open.
    private var depth = 0
    /// The last byte that was no blank, outside of strings and comments.
    private var last: UInt8 = 0

    /// The line, from 1, of the first such mistake, and what it is; nil if there is none.
    static func firstMistake(in text: [UInt8]) -> (line: Int, text: String)? {
        var check = TOMLCheck()
        for (index, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            if let mistake = check.mistake(in: line) { return (index + 1, mistake) }
        }
        return nil
    }

    private mutating func mistake(in line: ArraySlice<UInt8>) -> String? {
        if openString == nil, depth == 0 {
            let text = line.drop { Self.isBlank($0) }
            if text.first == UInt8(ascii: "[") {
                return Self.beginsWithKey(text.dropFirst())
                    ? nil : "the name of a table is missing or must be in quotes"
            }
        }
        return pass(line) ? nil : "there is a '}' where a value of an array should be"
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 }

    /// - Parameter rest: behind the first bracket.
    private static func beginsWithKey(_ rest: ArraySlice<UInt8>) -> Bool {
        var rest = rest
        if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst() }
        guard let byte = rest.first(where: { !isBlank($0) }) else { return false }
        // An empty name is the parser's to refuse.
        return "\"'_-]".utf8.contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Reads past a line. False if a brace closes in the place of a value.
    private mutating func pass(_ line: ArraySlice<UInt8>) -> Bool {
        var rest = line
        while let byte = rest.first {
            if let quotes = openString {
                if byte == UInt8(ascii: "\\"), quotes[0] == UInt8(ascii: "\"") {
                    rest = rest.dropFirst(2)
                } else if rest.starts(with: quotes) {
                    openString = nil
                    rest = rest.dropFirst(quotes.count)
                } else {
                    rest = rest.dropFirst()
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "#"): return true
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let three = [byte, byte, byte]
                let quotes = rest.starts(with: three) ? three : [byte]
                openString = quotes
                last = byte
                rest = rest.dropFirst(quotes.count)
                continue
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth = max(0, depth - 1)
            case UInt8(ascii: "}") where depth > 0 && "[,".utf8.contains(last): return false
            default: break
            }
            if !Self.isBlank(byte), byte != 13 { last = byte }
            rest = rest.dropFirst()
        }
        // Strings between single quotes end with their line.
        if openString?.count == 1 { openString = nil }
        return true
    }
}
