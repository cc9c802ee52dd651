/// JSON with comments and commas at the end, as in `wrangler.jsonc`.
enum TolerantJSON {
    /// Plain JSON of the same length in lines: what is left out becomes blanks.
    static func plain(_ text: [UInt8]) -> [UInt8] {
        var result = text
        var index = 0
        // Where the last comma stands, if nothing but blanks came behind it.
        var comma: Int?
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                comma = nil
                index = endOfString(text, from: index)
                continue
            case UInt8(ascii: "/") where index + 1 < text.count && [0x2f, 0x2a].contains(text[index + 1]):
                let end = endOfComment(text, from: index)
                for place in index..<end where text[place] != 10 { result[place] = 0x20 }
                index = end
                continue
            case UInt8(ascii: ","): comma = index
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if let comma { result[comma] = 0x20 }
                comma = nil
            case 9, 10, 13, 32: break
            default: comma = nil
            }
            index += 1
        }
        return result
    }

    private static func endOfString(_ text: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, text.count)
    }

    private static func endOfComment(_ text: [UInt8], from start: Int) -> Int {
        var index = start + 2
        let isLine = text[start + 1] == 0x2f
        while index < text.count {
            if isLine, text[index] == 10 { return index }
            if !isLine, text[index] == 0x2a, index + 1 < text.count, text[index + 1] == 0x2f { return index + 2 }
            index += 1
        }
        return text.count
    }
}
