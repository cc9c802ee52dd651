/// Takes out of a source map's JSON what is needed. The sources' texts, most of its bytes, are passed over.
struct SourceMapReader {
    private let json: [UInt8]
    private var index = 0
    private var sources: [String]?
    private var sourceRoot = ""
    private var mappings: [UInt8]?

    init(_ json: [UInt8]) { self.json = json }

    mutating func read() -> (sources: [String], mappings: [UInt8])? {
        guard take("{") else { return nil }
        while let key = string() {
            guard take(":") else { return nil }
            switch key {
            case "sources": sources = names()
            case "sourceRoot": sourceRoot = string() ?? ""
            case "mappings": mappings = raw().map { Array(json[$0]) }
            default: guard skip() else { return nil }
            }
            guard take(",") else { break }
        }
        guard let sources, let mappings else { return nil }
        let root = sourceRoot.isEmpty || sourceRoot.hasSuffix("/") ? sourceRoot : sourceRoot + "/"
        return (sources.map { root + $0 }, mappings)
    }

    private mutating func skipBlanks() {
        while index < json.count, [9, 10, 13, 32].contains(json[index]) { index += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard index < json.count, json[index] == character.asciiValue else { return false }
        index += 1
        return true
    }

    /// What stands between two quotes.
    private mutating func raw() -> Range<Int>? {
        guard take("\"") else { return nil }
        let start = index
        while index < json.count, json[index] != UInt8(ascii: "\"") { index += json[index] == 0x5c ? 2 : 1 }
        guard index < json.count else { return nil }
        index += 1
        return start..<(index - 1)
    }

    private mutating func string() -> String? {
        guard let range = raw() else { return nil }
        var bytes: [UInt8] = []
        var place = range.lowerBound
        while place < range.upperBound {
            guard json[place] == 0x5c, place + 1 < range.upperBound else {
                bytes.append(json[place])
                place += 1
                continue
            }
            if json[place + 1] == UInt8(ascii: "u"), place + 6 <= range.upperBound {
                let digits = String(decoding: json[(place + 2)..<(place + 6)], as: UTF8.self)
                let scalar = UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) } ?? "\u{fffd}"
                bytes += Array(String(Character(scalar)).utf8)
                place += 6
            } else {
                // Control characters have no place in names: \n stays an n.
                bytes.append(json[place + 1])
                place += 2
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An array of strings and nulls.
    private mutating func names() -> [String]? {
        guard take("[") else { return nil }
        var names: [String] = []
        while !take("]") {
            guard names.count < SourceMap.mostSources else { return nil }
            if let name = string() {
                names.append(name)
            } else {
                guard skip() else { return nil }
                names.append("")
            }
            _ = take(",")
        }
        return names
    }

    /// Passes over a value. False if there is none.
    private mutating func skip() -> Bool {
        skipBlanks()
        let start = index
        var depth = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "\""): guard raw() != nil else { return false }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                index += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return index > start }
                depth -= 1
                index += 1
            case UInt8(ascii: ",") where depth == 0: return index > start
            default: index += 1
            }
        }
        return index > start
    }
}
