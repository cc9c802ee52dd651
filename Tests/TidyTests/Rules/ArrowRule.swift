/// The arrows of docs/architecture.md: which target may import which.
enum ArrowRule: Rule {
    static let name = "arrows"

    /// The targets of this package that each target may import.
    static let arrows: [String: Set<String>] = [
        "Model": [],
        "CV8": [],
        "CBrotli": [],
        "CBundle": [],
        "CCrypto": [],
        "CICU": [],
        "CLinux": [],
        "CNATS": [],
        "CSandbox": [],
        "CZlib": [],
        "Isolates": ["CV8", "Model"],
        "WebAPI": ["CBrotli", "CBundle", "CCrypto", "CICU", "CZlib", "Isolates", "Model"],
        "Runtime": ["CLinux", "Isolates", "Model", "WebAPI"],
        "Edge": ["CLinux", "Isolates", "Model", "Runtime", "WebAPI"],
        "Cache": ["Model"],
        "Project": ["CLinux", "Model"],
        "Store": ["Model"],
        "Client": ["Model"],
        "Feed": ["CZlib", "Model"],
        "JetStream": ["CNATS", "Feed", "Model"],
        "Control": ["Feed", "Model", "Store"],
        "Sandbox": ["CSandbox"],
        "Supervisor": ["Model", "Sandbox"],
        "martlet": [
            "CLinux", "Cache", "Client", "Control", "Edge", "Feed", "Isolates", "JetStream", "Model", "Project",
            "Runtime", "Sandbox", "Store", "Supervisor", "WebAPI",
        ],
    ]

    /// C targets that one target wraps. Not even tests import them, save their own.
    static let wrapped: Set<String> = ["CV8", "CBrotli", "CBundle", "CCrypto", "CICU", "CNATS", "CSandbox", "CZlib"]

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.flatMap { file -> [Finding] in
            guard file.type == "swift", file.folders.count > 1, let top = file.folders.first else {
                return []
            }
            let target = String(file.folders[1])
            switch top {
            case "Sources":
                return findings(in: file, of: target)
            case "Tests", "Benchmarks":
                return imports(of: file).filter { wrapped.contains($0.module) && "\($0.module)Tests" != target }
                    .map { Finding(path: file.path, line: $0.line, message: "tests must not import \($0.module)") }
            default:
                return []
            }
        }
    }

    private static func findings(in file: SourceFile, of target: String) -> [Finding] {
        guard let allowed = arrows[target] else {
            return [Finding(path: file.path, message: "\(target) has no arrows: say in ArrowRule what it may import")]
        }
        return imports(of: file).filter { arrows[$0.module] != nil && !allowed.contains($0.module) }
            .map { Finding(path: file.path, line: $0.line, message: "\(target) must not import \($0.module)") }
    }

    private static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        let declaration =
            #/
            ^\s* (?: @\w+ (?: \([^)]*\) )? \s+ )* (?: \w+ \s+ )? import \s+
            (?: (?:struct|class|enum|protocol|func|var|let|typealias) \s+ )? (\w+)
        /#
        return file.lines.enumerated().compactMap { index, line in
            guard line.contains("import"), let match = line.firstMatch(of: declaration) else {
                return nil
            }
            return (String(match.1), index + 1)
        }
    }
}
