/// The runtime's JavaScript is one-byte text in its place: `Sources/WebAPI/<Standard>/js/<file>.js`.
enum JavaScriptRule: Rule {
    static let name = "javascript"

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter { $0.path.hasPrefix("Sources/") && ["js", "mjs"].contains($0.type) }.flatMap { file in
            let isInPlace =
                file.folders.count == 4 && file.folders[1] == "WebAPI" && file.folders[3] == "js" && file.type == "js"
            let misplaced = Finding(path: file.path, message: "belongs in Sources/WebAPI/<Standard>/js/")
            return (isInPlace ? [] : [misplaced])
                + file.lines.enumerated().compactMap { index, line in
                    line.utf8.allSatisfy { $0 < 0x80 }
                        ? nil : Finding(path: file.path, line: index + 1, message: "not ASCII")
                }
        }
    }
}
