/// A file is read in one sitting.
enum FileLengthRule: Rule {
    static let name = "file-length"

    static let lines = 500
    static let testLines = 800

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter(\.isCode).compactMap { file in
            let limit = file.path.hasPrefix("Tests/") ? testLines : lines
            let count = file.lines.count
            return count > limit
                ? Finding(path: file.path, message: "\(count) lines, at most \(limit)", size: count) : nil
        }
    }
}

/// A line fits a screen.
enum LineLengthRule: Rule {
    static let name = "line-length"

    static let columns = 120

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter(\.isCode).flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                line.utf8.count > columns && line.count > columns
                    ? Finding(path: file.path, line: index + 1, message: "\(line.count) columns, at most \(columns)")
                    : nil
            }
        }
    }
}
