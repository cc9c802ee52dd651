/// What a file of the runtime's JavaScript takes of another by `const { a, b } = use("Standard/file")` is what that one
/// gives by `provide({ a, b })`. Nothing else would notice before the file is first used.
enum UseRule: Rule {
    static let name = "use"

    static func findings(in tree: Tree) -> [Finding] {
        let files = tree.files.filter { $0.path.hasPrefix("Sources/WebAPI/") && $0.type == "js" }
        let provided = Dictionary(
            files.map { (String($0.folders[2]) + "/" + $0.name.dropLast(3), providedNames(in: text(of: $0))) },
            uniquingKeysWith: { first, _ in first })
        return files.flatMap { file in
            uses(in: text(of: file)).flatMap { other, wanted -> [Finding] in
                guard let given = provided[other] else {
                    return [Finding(path: file.path, message: "there is no \(other)")]
                }
                guard let given else { return [] }
                return wanted.filter { !given.contains($0) }.map {
                    Finding(path: file.path, message: "\(other) does not provide \($0)")
                }
            }
        }
    }

    private static func uses(in text: String) -> [(file: String, names: [String])] {
        let use = #/\{([^{}]*)\}\s*=\s*use\("([^"]+)"\);/#
        return text.matches(of: use).map { (String($0.2), names(in: String($0.1))) }
    }

    private static func text(of file: SourceFile) -> String {
        file.lines.map { line in line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex) }
            .joined(separator: "\n")
    }

    /// Nil if the file gives something other than a plain list of names.
    private static func providedNames(in text: String) -> Set<String>? {
        let provide = #/provide\(\{([^{}]*)\}\)/#
        guard let match = text.firstMatch(of: provide), !match.1.contains("...") else { return nil }
        return Set(names(in: String(match.1)))
    }

    /// `a, b: c` names a and b.
    private static func names(in list: String) -> [String] {
        list.split(separator: ",").compactMap { member in
            let name = member.prefix { $0 != ":" && $0 != "=" }.trimmingPrefix { $0.isWhitespace }
            let trimmed = name.prefix { !$0.isWhitespace }
            return trimmed.isEmpty ? nil : String(trimmed)
        }
    }
}
