/// The root is the table of contents: a new entry is a decision.
enum RootRule: Rule {
    static let name = "root"

    static let entries: Set<Substring> = [
        ".ci", ".gitignore", ".swift-format", "Benchmarks", "CONTRIBUTING.md", "LICENSE", "Makefile", "Package.swift",
        "packaging",
        "README.md", "Sources", "Tests", "docs", "examples", "tools",
    ]

    static func findings(in tree: Tree) -> [Finding] {
        Set(tree.files.map { $0.folders.first ?? $0.name }).subtracting(entries).sorted()
            .map { Finding(path: String($0), message: "not an entry of the root") }
    }
}

/// No folder is dead: none is empty, and those of Sources and Tests are targets of Package.swift.
enum FolderRule: Rule {
    static let name = "folders"

    /// Worker cases and programs, which the integration tests read.
    static let data: Set<Substring> = ["Tests/RealCode", "Tests/Workers"]

    static func findings(in tree: Tree) -> [Finding] {
        let targets = tree["Package.swift"]?.lines.joined(separator: "\n") ?? ""
        let folders = Set(
            tree.files.compactMap { file -> Substring? in
                guard file.path.hasPrefix("Sources/") || file.path.hasPrefix("Tests/") else {
                    return nil
                }
                return file.folders.prefix(2).joined(separator: "/")[...]
            }
        )
        let strangers = folders.subtracting(data).sorted().filter {
            !targets.contains("\"\($0.split(separator: "/").last ?? "")\"")
        }
        return tree.emptyFolders.map { Finding(path: $0, message: "an empty folder") }
            + strangers.map { Finding(path: String($0), message: "not a target of Package.swift") }
    }
}
