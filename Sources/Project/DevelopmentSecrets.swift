/// `.dev.vars`: secrets for one's own machine, as lines of NAME=VALUE.
package enum DevelopmentSecrets {
    /// - Parameter environment: has a file of its own, `.dev.vars.NAME`, which takes the place of the other.
    /// - Returns: none if there is no file.
    /// - Throws: `ProjectError` that names the file and the line.
    package static func read(in folder: String, environment: String?) throws(ProjectError) -> [(
        name: String, text: String
    )] {
        let names = (environment.map { [".dev.vars.\($0)"] } ?? []) + [".dev.vars"]
        guard let name = names.first(where: { File.exists("\(folder)/\($0)") }) else { return [] }
        return try parse(
            String(decoding: try File.read("\(folder)/\(name)", limit: 1 << 20), as: UTF8.self),
            path: "\(folder)/\(name)")
    }

    static func parse(_ text: String, path: String) throws(ProjectError) -> [(name: String, text: String)] {
        var values: [(name: String, text: String)] = []
        var rest = Substring(text)
        var line = 1
        while !rest.isEmpty {
            let end = rest.firstIndex { $0.isNewline } ?? rest.endIndex
            let entry = rest[..<end].drop { $0.isWhitespace }
            guard !entry.isEmpty, entry.first != "#" else {
                rest = rest[end...].dropFirst()
                line += 1
                continue
            }
            guard let match = entry.prefixMatch(of: #/(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=[ \t]*/#) else {
                throw ProjectError("\(path):\(line): a line must be NAME=VALUE")
            }
            let start = match.range.upperBound
            if let quote = rest[start...].first, "\"'`".contains(quote) {
                let inner = rest[rest.index(after: start)...]
                guard let close = closing(quote, in: inner) else {
                    throw ProjectError("\(path):\(line): the quote \(quote) is not closed")
                }
                let value = String(inner[..<close])
                values.append((String(match.1), quote == "\"" ? unescaped(value) : value))
                line += value.count { $0.isNewline } + 1
                rest = inner[close...]
                rest = rest[(rest.firstIndex { $0.isNewline } ?? rest.endIndex)...].dropFirst()
            } else {
                let value = rest[start..<end].prefix { $0 != "#" }
                values.append(
                    (String(match.1), value.reversed().drop { $0.isWhitespace }.reversed().map(String.init).joined()))
                rest = rest[end...].dropFirst()
                line += 1
            }
        }
        return values
    }

    /// A quote may be escaped in double quotes.
    private static func closing(_ quote: Character, in text: Substring) -> Substring.Index? {
        var index = text.startIndex
        while index < text.endIndex, text[index] != quote {
            if text[index] == "\\", quote == "\"", text.index(after: index) < text.endIndex {
                text.formIndex(after: &index)
            }
            text.formIndex(after: &index)
        }
        return index < text.endIndex ? index : nil
    }

    private static func unescaped(_ text: String) -> String {
        text.replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
    }
}
