/// Each JavaScript file of WebAPI stands in CBundle/bundle.c, or a header of it, once as bytes and once as a row, and
/// nothing else does.
enum BundleRule: Rule {
    static let name = "bundle"

    static let path = "Sources/CBundle/bundle.c"

    static func findings(in tree: Tree) -> [Finding] {
        let names = tree.files.filter { $0.path.hasPrefix("Sources/WebAPI/") && $0.type == "js" }
            .map { name(ofPath: $0.path.dropFirst("Sources/".count)) }
        guard let bundle = tree[path] else {
            return names.isEmpty ? [] : [Finding(path: path, message: "missing")]
        }
        let parts = [bundle] + tree.files.filter { $0.path.hasPrefix("Sources/CBundle/") && $0.type == "h" }
        let entries = parts.map(parse)
        let embeds = entries.flatMap(\.embeds)
        let rows = entries.flatMap(\.rows)
        var findings: [Finding] = []
        func complain(_ line: Int?, _ message: String) {
            findings.append(Finding(path: path, line: line, message: message))
        }
        for name in names {
            if embeds.count(where: { $0.name == name }) != 1 {
                complain(nil, "\(name) must be embedded once")
            }
            if rows.count(where: { $0.name == name }) != 1 {
                complain(nil, "\(name) must have one row")
            }
        }
        for embed in embeds where !names.contains(embed.name) {
            complain(embed.line, "there is no \(embed.name)")
        }
        for row in rows where !embeds.contains(where: { $0.name == row.name && $0.bytes == row.bytes }) {
            complain(row.line, "\(row.bytes) does not hold the bytes of \(row.name)")
        }
        return findings
    }

    /// A file as bundle.c has it: its name (`Standard/file`), and the array that holds its bytes.
    private struct Entry {
        let name: String
        let bytes: String
        let line: Int
    }

    private static func parse(_ bundle: SourceFile) -> (embeds: [Entry], rows: [Entry]) {
        let array = #/(\w+)\[\]\s*=/#
        let embed = #/^#embed\s+"\.\./([^"]+)"/#
        let row = #/\bMODULE\w*\("([^"]+)",.*?(\w+)\)/#
        var bytes = ""
        var embeds: [Entry] = []
        var rows: [Entry] = []
        for (index, line) in bundle.lines.enumerated() {
            if let match = line.firstMatch(of: embed) {
                embeds.append(Entry(name: name(ofPath: match.1), bytes: bytes, line: index + 1))
            } else if let match = line.firstMatch(of: row) {
                rows.append(Entry(name: String(match.1), bytes: String(match.2), line: index + 1))
            } else if let match = line.firstMatch(of: array) {
                bytes = String(match.1)
            }
        }
        return (embeds, rows)
    }

    /// Gives `URL/search` for `WebAPI/URL/js/search.js`.
    private static func name(ofPath path: Substring) -> String {
        let parts = path.split(separator: "/")
        guard parts.count == 4, parts[0] == "WebAPI", parts[2] == "js", parts[3].hasSuffix(".js") else {
            return String(path)
        }
        return "\(parts[1])/\(parts[3].dropLast(".js".count))"
    }
}
