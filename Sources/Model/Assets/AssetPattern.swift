/// A pattern of `_headers` and `_redirects`: literal text, one `*` that takes anything, and placeholders, `:name`,
/// that take what stands between slashes (in a host also between dots).
package struct AssetPattern: Sendable, Equatable {
    private enum Piece: Equatable {
        case text([UInt8])
        case splat
        case placeholder(name: String, isInHost: Bool)
    }

    /// Wildcards of one pattern: matching takes their number times the path's length at most.
    private static let wildcardsAtMost = 12

    private let pieces: [Piece]
    /// It begins with `https://` and a host.
    let isAbsolute: Bool
    package let hasWildcards: Bool

    /// - Throws: if there are two `*`, or two placeholders of one name, or some with nothing in between.
    package init(_ text: String) throws(AssetRuleError) {
        isAbsolute = text.hasPrefix("https://")
        let hostEnd = isAbsolute ? text.dropFirst(8).firstIndex(of: "/") ?? text.endIndex : text.startIndex
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var names: Set<String> = []
        func flush() {
            if !literal.isEmpty { pieces.append(.text(literal)) }
            literal = []
        }
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            let name = text[index] == ":" ? PlaceholderName.prefix(of: text[next...]) : ""
            guard text[index] == "*" || !name.isEmpty else {
                literal += Array(String(text[index]).utf8)
                index = next
                continue
            }
            flush()
            if case .placeholder = pieces.last { throw AssetRuleError("two wildcards with nothing in between") }
            if case .splat = pieces.last { throw AssetRuleError("two wildcards with nothing in between") }
            let key = name.isEmpty ? "splat" : String(name)
            guard names.insert(key).inserted else {
                throw AssetRuleError(name.isEmpty ? "more than one '*'" : "more than one ':\(name)'")
            }
            pieces.append(name.isEmpty ? .splat : .placeholder(name: key, isInHost: index < hostEnd))
            index = name.isEmpty ? next : name.endIndex
        }
        flush()
        guard names.count <= Self.wildcardsAtMost else {
            throw AssetRuleError("more than \(Self.wildcardsAtMost) wildcards")
        }
        hasWildcards = !names.isEmpty
        self.pieces = pieces
    }

    /// Bytes of a path that wildcards within a pattern look at. Longer ones are taken by a `*` at the end only.
    static let longestPath = 2_048

    /// - Parameters:
    ///   - host: without port, in lower case.
    ///   - path: encoded.
    /// - Returns: what the wildcards take, by name; nil if the pattern does not take the path.
    package func match(host: String, path: String) -> [String: String]? {
        let subject = Array((isAbsolute ? "https://\(host)\(path)" : path).utf8)
        if case .text(let text)? = pieces.first {
            guard subject.starts(with: text) else { return nil }
            if pieces.count == 1 { return subject.count == text.count ? [:] : nil }
            if pieces.count == 2, pieces[1] == .splat {
                return ["splat": String(decoding: subject[text.count...], as: UTF8.self)]
            }
        }
        guard subject.count <= Self.longestPath else { return nil }
        // Most paths that do not fit are told by their end.
        if case .text(let text)? = pieces.last, !subject.suffix(text.count).elementsEqual(text) { return nil }
        return captures(in: subject)
    }

    /// Each wildcard takes as much as it can so that what is behind it can match, as in a regular expression; found
    /// from the end, so that it takes no longer than the number of pieces times the path's length.
    private func captures(in subject: [UInt8]) -> [String: String]? {
        let count = subject.count
        // Whether what is behind a piece matches from a position on.
        var fits = [Bool](repeating: false, count: count + 1)
        fits[count] = true
        // Where each wildcard ends if it begins at a position; -1 if it cannot.
        var ends: [Int: [Int]] = [:]
        for (index, piece) in pieces.enumerated().reversed() {
            var here = [Bool](repeating: false, count: count + 1)
            switch piece {
            case .text(let text):
                TextSearch(text).forEachPlace(in: subject) { here[$0] = fits[$0 + text.count] }
            case .splat, .placeholder:
                let end = Self.ends(of: piece, in: subject, fits)
                for start in 0...count { here[start] = end[start] >= 0 }
                ends[index] = end
            }
            fits = here
        }
        guard fits[0] else { return nil }
        var values: [String: String] = [:]
        var position = 0
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .text(let text): position += text.count
            case .splat, .placeholder:
                let end = ends[index]![position]
                let name = if case .placeholder(let name, _) = piece { name } else { "splat" }
                values[name] = String(decoding: subject[position..<end], as: UTF8.self)
                position = end
            }
        }
        return values
    }

    /// The farthest place where a wildcard that begins at a position may end, so that the rest fits.
    private static func ends(of piece: Piece, in subject: [UInt8], _ fits: [Bool]) -> [Int] {
        var isInHost = false
        var isSplat = true
        if case .placeholder(_, let host) = piece { (isSplat, isInHost) = (false, host) }
        var ends = [Int](repeating: -1, count: subject.count + 1)
        var farthest = fits[subject.count] ? subject.count : -1
        if isSplat { ends[subject.count] = farthest }
        for start in subject.indices.reversed() {
            let byte = subject[start]
            if isSplat {
                if farthest < 0, fits[start] { farthest = start }
                ends[start] = farthest
            } else if byte == UInt8(ascii: "/") || isInHost && byte == UInt8(ascii: ".") {
                // It goes up to here at most, and does not begin here.
                farthest = fits[start] ? start : -1
            } else {
                ends[start] = farthest > start ? farthest : -1
                if farthest < 0, fits[start] { farthest = start }
            }
        }
        return ends
    }

    /// Puts what wildcards took in the place of `:name`. Names that took nothing stay.
    package static func fill(_ text: String, with values: [String: String]) -> String {
        guard text.contains(":") else { return text }
        var result = ""
        var rest = text[...]
        while let colon = rest.firstIndex(of: ":") {
            result += rest[..<colon]
            let name = PlaceholderName.prefix(of: rest[rest.index(after: colon)...])
            if let value = values[String(name)] {
                result += value
                rest = rest[name.endIndex...]
            } else {
                result += ":"
                rest = rest[rest.index(after: colon)...]
            }
        }
        return result + rest
    }

    /// Whether a pattern of `run_worker_first` takes a path: `*` takes anything, as often as it stands there.
    package static func glob(_ pattern: Substring, takes path: String) -> Bool {
        let path = Array(path.utf8)
        let texts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        guard texts.count > 1 else { return path == texts[0] }
        let (first, last) = (texts[0], texts[texts.count - 1])
        guard path.starts(with: first), path.count >= first.count + last.count,
            path.suffix(last.count).elementsEqual(last)
        else { return false }
        // Each text in between where it first comes: what a star takes more is no use to those behind it.
        var rest = path[first.count..<(path.count - last.count)]
        for text in texts.dropFirst().dropLast() {
            guard let place = TextSearch(text).firstPlace(in: rest) else { return false }
            rest = rest[(place + text.count)...]
        }
        return true
    }
}

/// Names behind a colon: a letter, then letters, digits and `_`.
private enum PlaceholderName {
    static func prefix(of text: Substring) -> Substring {
        guard let first = text.utf8.first, isLetter(first) else { return text.prefix(0) }
        return text.prefix { character in
            guard let byte = character.utf8.first, character.utf8.count == 1 else { return false }
            return isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
