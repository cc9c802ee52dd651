internal import Glibc
package import Model

/// Reads a worker from disk: its main file, and what that imports by relative paths.
package enum WorkerLoader {
    /// The largest worker, all modules together (Workers' own limit).
    package static let sizeLimit = 64 << 20
    /// What may be the main file of a folder, in this order.
    private static let mainNames = [
        "index.js", "index.mjs", "worker.js", "worker.mjs", "src/index.js", "src/index.mjs", "index.ts", "worker.ts",
        "src/index.ts", "src/worker.ts",
    ]

    /// What was read, and where else than below the main module's folder.
    package struct Loaded {
        package var definition: WorkerDefinition
        /// Files that a bundle was made of: absolute paths.
        package var inputs: [String]
    }

    /// - Parameter path: a file, or a folder with an `index.js`.
    /// - Throws: `ProjectError` in one line that says what to do.
    package static func load(
        _ path: String, name: String, bindings: [WorkerBinding] = [], limits: Limits = Limits(),
        compatibility: Compatibility = .standard, build settings: BuildSettings = BuildSettings()
    ) throws(ProjectError) -> Loaded {
        let main = try mainFile(of: path)
        guard File.exists(main) else { throw ProjectError("\(main): no such file") }
        var definition = WorkerDefinition(
            name: name, modules: [], bindings: bindings, limits: limits, compatibility: compatibility)
        var inputs: [String] = []
        if settings.bundles != false, settings.asksForBundler || BundlingNeed.isThere(for: main) {
            let result = try Bundler(main, settings, compatibility).run()
            definition.modules = result.modules
            definition.sourceMaps[result.modules[0].name] = result.sourceMap
            inputs = result.inputs
        } else {
            definition.modules = try plainModules(main, settings)
        }
        let folder = File.folder(of: main)
        if let failure = ImportCheck.failure(of: definition) { throw ProjectError("\(folder)/\(failure)") }
        return Loaded(definition: definition, inputs: inputs)
    }

    /// The main module and what it imports by relative paths, as they are.
    private static func plainModules(
        _ main: String, _ settings: BuildSettings
    ) throws(ProjectError) -> [WorkerDefinition.Module] {
        var graph = ModuleGraph(root: File.folder(of: main), rules: settings.rules)
        try graph.add(File.name(of: main), importedFrom: nil)
        let root = settings.root ?? graph.root
        let additional = try AdditionalModules.find(
            settings, main: File.absolute(main), root: File.absolute(root)
        ).modules()
        let names = Set(graph.modules.map(\.name))
        return graph.modules + additional.filter { !names.contains($0.name) }
    }

    /// The main module's file.
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
    let rules: ModuleRules
    private(set) var modules: [WorkerDefinition.Module] = []
    private var names: Set<String> = []
    private var size = 0

    init(root: String, rules: ModuleRules) {
        self.root = root
        self.rules = rules
    }

    mutating func add(_ name: String, importedFrom importer: String?) throws(ProjectError) {
        guard names.insert(name).inserted else { return }
        let path = "\(root)/\(name)"
        guard var kind = kind(of: name) else {
            throw ProjectError(
                "\(path): only .js, .mjs, .json, .txt, .html, .css, .sql, .md, .bin and .wasm files can be modules; "
                    + "for others write 'rules' into a project file")
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
        modules.append(WorkerDefinition.Module(name: name, kind: kind, bytes: ImportAttributes.blanked(bytes)))
        for specifier in scan.specifiers {
            guard let target = Self.resolve(specifier, from: name), File.exists("\(root)/\(target)") else { continue }
            try add(target, importedFrom: name)
        }
    }

    private func kind(of name: String) -> WorkerDefinition.Module.Kind? {
        if let kind = rules.kind(of: name) { return kind }
        return switch name.split(separator: ".").last {
        case "js", "mjs": .javaScript
        case "json": .json
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
