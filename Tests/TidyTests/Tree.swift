import Foundation

/// A source tree as the rules see it: its files, and the folders that hold nothing.
struct Tree {
    let files: [SourceFile]
    let emptyFolders: [String]

    /// Makes a tree of the given texts by path, for the tests of the rules.
    init(_ texts: [String: String], emptyFolders: [String] = []) {
        self.init(
            files: texts.map { SourceFile(path: $0.key, bytes: [UInt8]($0.value.utf8)) },
            emptyFolders: emptyFolders
        )
    }

    /// Reads the tree below `root`, without what its `.gitignore` names.
    init(root: URL) throws {
        let ignored = try IgnoredNames(String(contentsOf: root.appending(path: ".gitignore"), encoding: .utf8))
        var files: [SourceFile] = []
        var emptyFolders: [String] = []

        func visit(_ folder: URL, _ prefix: String) throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            if names.isEmpty {
                emptyFolders.append(prefix)
            }
            for name in names where !ignored.contains(name) {
                let entry = folder.appending(path: name)
                if try entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
                    try visit(entry, prefix + name + "/")
                } else {
                    files.append(SourceFile(path: prefix + name, bytes: [UInt8](try Data(contentsOf: entry))))
                }
            }
        }
        try visit(root, "")
        self.init(files: files, emptyFolders: emptyFolders)
    }

    private init(files: [SourceFile], emptyFolders: [String]) {
        self.files = files.sorted { $0.path < $1.path }
        self.emptyFolders = emptyFolders.sorted()
    }

    subscript(path: String) -> SourceFile? {
        files.first { $0.path == path }
    }
}

/// A file of the tree.
struct SourceFile {
    /// From the root of the tree, without a slash in front.
    let path: String
    let bytes: [UInt8]
    /// Without their ends; a newline that ends the file begins no further line.
    let lines: [Substring]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true {
            lines.removeLast()
        }
        self.lines = lines
    }

    var folders: [Substring] {
        path.split(separator: "/").dropLast()
    }

    var name: Substring {
        path.split(separator: "/").last ?? ""
    }

    /// What follows the last dot of the name.
    var type: Substring {
        name.split(separator: ".").last ?? ""
    }

    var isCode: Bool {
        ["swift", "c", "cc", "cpp", "h", "hpp", "js", "mjs", "sh"].contains(type)
    }
}

/// The patterns of a `.gitignore` that name a file or folder wherever it lies; Martlet's has no others.
struct IgnoredNames {
    private let patterns: [String]

    init(_ text: String) {
        patterns =
            [".git"]
            + text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
                String($0.hasSuffix("/") ? $0.dropLast() : $0)
            }
    }

    func contains(_ name: String) -> Bool {
        patterns.contains { fnmatch($0, name, 0) == 0 }
    }
}
