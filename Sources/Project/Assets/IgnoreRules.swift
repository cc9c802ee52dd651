/// Patterns of files to leave out, as in `.gitignore`; here of `.assetsignore`. (gitignore(5), Pattern format.)
struct IgnoreRules {
    private struct Rule {
        /// Names and wildcards, one for each level.
        let segments: [[Character]]
        let isNegated: Bool
        let isForFolders: Bool
        /// Counts from the root; else from any folder.
        let isAnchored: Bool
    }

    private var rules: [Rule] = []

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            var pattern = String(line)
            while pattern.last == " ", !pattern.hasSuffix("\\ ") { pattern.removeLast() }
            guard !pattern.isEmpty, !pattern.hasPrefix("#") else { continue }
            let isNegated = pattern.hasPrefix("!")
            if isNegated { pattern.removeFirst() }
            let isForFolders = pattern.hasSuffix("/")
            if isForFolders { pattern.removeLast() }
            let isAnchored = pattern.contains("/")
            let segments = pattern.split(separator: "/").map { Array($0) }
            guard !segments.isEmpty else { continue }
            rules.append(
                Rule(segments: segments, isNegated: isNegated, isForFolders: isForFolders, isAnchored: isAnchored))
        }
    }

    /// - Parameter path: relative to the root, without a slash in front. Whether a folder above it is ignored is not
    ///   looked at: who walks the tree does not go there.
    func ignores(_ path: String, isFolder: Bool) -> Bool {
        let names = path.split(separator: "/").map { Array($0) }
        var isIgnored = false
        for rule in rules where isFolder || !rule.isForFolders {
            let subject = rule.isAnchored ? names[...] : names.suffix(1)
            if Self.matches(rule.segments[...], subject) { isIgnored = !rule.isNegated }
        }
        return isIgnored
    }

    private static func matches(_ pattern: ArraySlice<[Character]>, _ names: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return names.isEmpty }
        if first == ["*", "*"] {
            let rest = pattern.dropFirst()
            // At the end it takes all that is inside.
            if rest.isEmpty { return !names.isEmpty }
            return (0...names.count).contains { matches(rest, names.dropFirst($0)) }
        }
        guard let name = names.first, matches(first[...], name[...]) else { return false }
        return matches(pattern.dropFirst(), names.dropFirst())
    }

    /// One name: `*`, `?`, `[...]` and `\` before a character that is meant as it is.
    private static func matches(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case "*":
            if rest.first == "*" { return matches(rest, name) }
            return (0...name.count).contains { matches(rest, name.dropFirst($0)) }
        case "?": return !name.isEmpty && matches(rest, name.dropFirst())
        case "[":
            guard let end = rest.dropFirst().firstIndex(of: "]"), let character = name.first else { return false }
            return isIn(rest[..<end], character) && matches(rest[(end + 1)...], name.dropFirst())
        case "\\":
            guard let literal = rest.first else { return false }
            return name.first == literal && matches(rest.dropFirst(), name.dropFirst())
        default: return name.first == first && matches(rest, name.dropFirst())
        }
    }

    private static func isIn(_ group: ArraySlice<Character>, _ character: Character) -> Bool {
        var rest = group
        let isNegated = rest.first == "!" || rest.first == "^"
        if isNegated { rest = rest.dropFirst() }
        var isFound = false
        while let low = rest.popFirst() {
            if rest.first == "-", let high = rest.dropFirst().first {
                rest = rest.dropFirst(2)
                if low <= high, (low...high).contains(character) { isFound = true }
            } else if low == character {
                isFound = true
            }
        }
        return isFound != isNegated
    }
}
