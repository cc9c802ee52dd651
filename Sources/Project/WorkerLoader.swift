internal import Glibc
package import Model

/// Reads a worker from disk: its main file, and what that imports by relative paths.
package enum WorkerLoader {
    /// The largest worker, all modules together (Workers' own limit).
    package static let sizeLimit = 64 << 20
    /// What may be the main file of a folder, in this order.
    private static let mainNames = [
        "index.js", "index.mjs", "worker.js", "worker.mjs", "src/index.js", "src/index.mjs",
    ]

    /// - Parameter path: a file, or a folder with an `index.js`.
    /// - Throws: `ProjectError` in one line that says what to do.
    package static func load(
        _ path: String, name: String, bindings: [WorkerBinding] = [], limits: Limits = Limits(),
        compatibility: Compatibility = .standard
    ) throws(ProjectError) -> WorkerDefinition {
        let main = try mainFile(of: path)
        let slash = main.lastIndex(of: "/")
        let root = slash.map { String(main[..<$0]) } ?? "."
        let mainName = slash.map { String(main[main.index(after: $0)...]) } ?? main
        var loader = ModuleGraph(root: root)
        try loader.add(mainName, importedFrom: nil)
        let definition = WorkerDefinition(
            name: name, modules: loader.modules, bindings: bindings, limits: limits, compatibility: compatibility)
        if let failure = ImportCheck.failure(of: definition) { throw ProjectError("\(root)/\(failure)") }
        return definition
    }

    /// Every file the worker was read from, for whoever watches them.
    package static func mainFile(of path: String) throws(ProjectError) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ProjectError("\(path): \(String(cString: strerror(errno)))") }
        guard status.st_mode & S_IFMT == S_IFDIR else { return path }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        for name in mainNames where File.exists("\(folder)/\(name)") { return "\(folder)/\(name)" }
        throw ProjectError("\(path): no index.js in this folder; name the worker's main file instead")
    }
}

/// What is wrong with a worker on disk, in one line.
package struct ProjectError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// The modules that can be reached from a main file.
private struct ModuleGraph {
    let root: String
    private(set) var modules: [WorkerDefinition.Module] = []
    private var names: Set<String> = []
    private var size = 0

    init(root: String) { self.root = root }

    mutating func add(_ name: String, importedFrom importer: String?) throws(ProjectError) {
        guard names.insert(name).inserted else { return }
        let path = "\(root)/\(name)"
        guard var kind = Self.kind(of: name) else {
            throw ProjectError(
                "\(path): only .js, .mjs, .json, .txt, .html, .css, .sql, .md, .bin and .wasm files can be modules; "
                    + "bundle TypeScript and the like first")
        }
        let bytes = try File.read(path, limit: WorkerLoader.sizeLimit)
        size += bytes.count
        guard size <= WorkerLoader.sizeLimit else {
            throw ProjectError("\(root): the worker is larger than \(WorkerLoader.sizeLimit >> 20) MiB")
        }
        guard kind == .javaScript else {
            modules.append(WorkerDefinition.Module(name: name, kind: kind, bytes: bytes))
            return
        }
        let scan = ImportScanner.scan(bytes)
        if importer == nil && !scan.isModule { kind = .script }
        modules.append(WorkerDefinition.Module(name: name, kind: kind, bytes: bytes))
        for specifier in scan.specifiers {
            guard let target = Self.resolve(specifier, from: name), File.exists("\(root)/\(target)") else { continue }
            try add(target, importedFrom: name)
        }
    }

    private static func kind(of name: String) -> WorkerDefinition.Module.Kind? {
        switch name.split(separator: ".").last {
        case "js", "mjs": .javaScript
        case "json": .json
        case "txt", "html", "css", "sql", "md": .text
        case "bin": .data
        case "wasm": .wasm
        default: nil
        }
    }

    /// "./b.js" from "lib/a.js" is "lib/b.js"; nil for what is not relative or leads out of the root.
    static func resolve(_ specifier: String, from importer: String) -> String? {
        guard specifier.hasPrefix("./") || specifier.hasPrefix("../") else { return nil }
        var parts = importer.split(separator: "/").dropLast().map(String.init)
        for part in specifier.split(separator: "/") where part != "." {
            guard part == ".." else {
                parts.append(String(part))
                continue
            }
            guard parts.popLast() != nil else { return nil }
        }
        return parts.joined(separator: "/")
    }
}
