/// Paths of requests as assets see them: one spelling for each.
package struct AssetPath: Sendable, Equatable {
    /// As the URL Standard writes it: dot segments resolved, `\` for `/`, what a path cannot hold percent-encoded.
    package let encoded: String
    /// Each segment decoded, slashes in a row as one.
    package let decoded: String
    /// With its `?`; empty if there is none.
    package let query: String

    /// - Parameter target: path and query of a request.
    package init(_ target: some Collection<UInt8>) {
        let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        encoded = Self.normalized(Array(target[..<end]))
        decoded = Self.decoded(encoded)
        query = String(decoding: target[end...], as: UTF8.self)
    }

    private static func normalized(_ path: [UInt8]) -> String {
        var segments: [[UInt8]] = []
        var isFolder = false
        let parts = path.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        // What stands before the first slash is nothing.
        for (index, part) in parts.dropFirst().enumerated() {
            let isLast = index == parts.count - 2
            switch dots(part) {
            case 1: isFolder = isLast
            case 2:
                _ = segments.popLast()
                isFolder = isLast
            default: segments.append(part.flatMap(escaped))
            }
        }
        let text = segments.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
        return isFolder || text.isEmpty ? text + "/" : text
    }

    /// 1 for `.`, 2 for `..`, however they are spelled; else 0. (URL Standard, section 4.1.)
    private static func dots(_ segment: ArraySlice<UInt8>) -> Int {
        guard (1...6).contains(segment.count) else { return 0 }
        switch String(decoding: segment, as: UTF8.self).lowercased().replacing("%2e", with: ".") {
        case ".": return 1
        case "..": return 2
        default: return 0
        }
    }

    /// The path percent-encode set.
    private static func escaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case 0...0x20, 0x7f..., UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "}"):
            percent(byte)
        default: [byte]
        }
    }

    private static func percent(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// A segment that is not percent-encoded UTF-8 stays as it is.
    static func decoded(_ path: String) -> String {
        var text = ""
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            text += "/" + (decode(segment) ?? String(segment))
        }
        return collapsed(text)
    }

    /// With one slash for several in a row: two at the beginning would name a host. By bytes, since a slash and a mark
    /// behind it are one character.
    static func collapsed(_ path: String) -> String {
        let slash = UInt8(ascii: "/")
        var bytes: [UInt8] = []
        for byte in path.utf8 where byte != slash || bytes.last != slash { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ segment: Substring) -> String? {
        guard segment.contains("%") else { return String(segment) }
        var bytes: [UInt8] = []
        var rest = Array(segment.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The one spelling under which an asset is served: all but letters, digits and `-_.!~*'()` encoded.
    static func encode(_ path: String) -> String {
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "!"), UInt8(ascii: "~"), UInt8(ascii: "*"), UInt8(ascii: "'"), UInt8(ascii: "("),
                UInt8(ascii: ")"), UInt8(ascii: "/"):
                bytes.append(byte)
            default: bytes += percent(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes of an asset's path.
    private static let longest = 1_024

    /// Whether an asset can have this path: absolute, of names.
    package static func canName(_ path: String) -> Bool {
        guard path.hasPrefix("/"), (2...longest).contains(path.utf8.count), !path.utf8.contains(where: { $0 < 0x20 })
        else { return false }
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }
}
