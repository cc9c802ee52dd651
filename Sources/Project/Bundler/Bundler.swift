internal import Foundation
internal import Model

/// Makes one module of a Worker's code and the packages that it imports, by esbuild. Files that are no code stay
/// modules of their own.
struct Bundler {
    /// What V8 10.2 knows: anything newer is compiled down to it.
    private static let target = "chrome102"
    /// The folder for what the bundler writes, in the root: gone when the modules are read.
    private static let workFolder = ".martlet"

    private let settings: BuildSettings
    private let compatibility: Compatibility
    /// Absolute, as `entry` is.
    private let root: String
    private let entry: String

    init(_ main: String, _ settings: BuildSettings, _ compatibility: Compatibility) {
        self.settings = settings
        self.compatibility = compatibility
        entry = File.absolute(main)
        root = settings.root.map { File.absolute($0) } ?? File.folder(of: entry)
    }

    /// What came of it.
    struct Result {
        var modules: [WorkerDefinition.Module]
        var sourceMap: [UInt8]?
        /// Files that it was made of: absolute paths.
        var inputs: [String]
    }

    func run() throws(ProjectError) -> Result {
        let esbuild = try Esbuild(settings.esbuild)
        let additional = try AdditionalModules.find(settings, main: entry, root: root)
        let work = try File.makeFolder("\(root)/\(Self.workFolder)", prefix: "bundle-")
        defer { try? FileManager.default.removeItem(atPath: work) }
        let output = "\(work)/out"
        let list = try esbuild.build(
            entry, try flags(output, additional), list: "\(work)/inputs.json", in: root)
        let inputs = try inputs(list)
        try check(decoratorsOf: inputs, by: esbuild)
        return try read(output, additional, inputs)
    }

    // MARK: Flags

    private func flags(_ output: String, _ additional: AdditionalModules) throws(ProjectError) -> [String] {
        var flags = [
            "--bundle", "--format=esm", "--platform=browser", "--target=\(Self.target)",
            "--conditions=workerd,worker,browser", "--main-fields=browser,module,main", "--outdir=\(output)",
            "--entry-names=[name]", "--asset-names=[name]-[hash]",
            "--external:node:*", "--external:cloudflare:*", "--log-override:unsupported-regexp=error",
        ]
        flags += BuiltinModules.unprefixed(in: compatibility).map { "--external:\($0)" }
        flags += additional.paths.map { "--external:\($0)" }
        flags += try settings.rules.endings().map { "--loader:\($0.ending)=copy" }
        if settings.hasSourceMaps { flags += ["--sourcemap=external", "--sources-content=false"] }
        if settings.isMinified { flags.append("--minify") }
        if settings.keepsNames { flags.append("--keep-names") }
        if let tsconfig = settings.tsconfig { flags.append("--tsconfig=\(File.path(tsconfig, in: root))") }
        if let factory = settings.jsxFactory { flags.append("--jsx-factory=\(factory)") }
        if let fragment = settings.jsxFragment { flags.append("--jsx-fragment=\(fragment)") }
        var define = settings.define
        if define["process.env.NODE_ENV"] == nil { define["process.env.NODE_ENV"] = JSONValue.quoted(settings.mode) }
        flags += define.sorted { $0.key < $1.key }.map { "--define:\($0.key)=\($0.value)" }
        flags += settings.alias.sorted { $0.key < $1.key }.map { "--alias:\($0.key)=\($0.value)" }
        return flags
    }

    // MARK: What was bundled

    private func inputs(_ bytes: [UInt8]) throws(ProjectError) -> [String] {
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
            let inputs = json["inputs"]?.object
        else { throw ProjectError("the bundler's list of what it has read is not to be understood") }
        return inputs.keys.map {
            File.absolute(File.path($0.split(separator: "?").first.map(String.init) ?? $0, in: root))
        }
        .sorted()
    }

    /// A decorator that would silently mean something else is an error.
    private func check(decoratorsOf inputs: [String], by esbuild: Esbuild) throws(ProjectError) {
        let path = settings.tsconfig.map { File.path($0, in: root) } ?? "\(root)/tsconfig.json"
        let tsconfig = File.exists(path) ? try File.read(path, limit: 1 << 20) : []
        let json = try? JSONDecoder().decode(JSONValue.self, from: Data(TolerantJSON.plain(tsconfig)))
        guard esbuild.mistakesDecorators(json) else { return }
        let sources = inputs.filter { path in
            [".ts", ".tsx", ".mts", ".cts"].contains { path.hasSuffix($0) } && !path.contains("/node_modules/")
        }
        for source in sources {
            let bytes = try File.read(source, limit: WorkerLoader.sizeLimit)
            let found = ImportScanner.scan(bytes).decorators.first { place in
                // Text between tags may have one too, but hardly at the beginning of a line.
                !source.hasSuffix(".tsx") || bytes[..<place].last { ![9, 32].contains($0) } ?? 10 == 10
            }
            guard let place = found else { continue }
            let line = bytes[..<place].count { $0 == 10 } + 1
            let column = place - (bytes[..<place].lastIndex(of: 10) ?? -1)
            let name = source.hasPrefix(root + "/") ? String(source.dropFirst(root.count + 1)) : source
            throw ProjectError(
                "\(name):\(line):\(column): "
                    + "esbuild \(esbuild.version) knows only TypeScript's experimental decorators: set "
                    + "experimentalDecorators in tsconfig.json if that is what this one is, or use a newer esbuild, "
                    + "with --esbuild PATH")
        }
    }

    // MARK: What came of it

    private func read(
        _ output: String, _ additional: AdditionalModules, _ inputs: [String]
    ) throws(ProjectError) -> Result {
        let entryName = File.name(of: entry)
        let name = entryName[..<(entryName.lastIndex(of: ".") ?? entryName.endIndex)] + ".js"
        let code = additional.renamed(in: try File.read("\(output)/\(name)", limit: WorkerLoader.sizeLimit))
        let scan = ImportScanner.scan(code)
        var modules = [
            WorkerDefinition.Module(name: String(name), kind: scan.isModule ? .javaScript : .script, bytes: code)
        ]
        var size = code.count
        for file in try File.names(in: output) where file != name && !file.hasSuffix(".js.map") {
            guard let kind = settings.rules.kind(of: file) else { continue }
            let bytes = try File.read("\(output)/\(file)", limit: WorkerLoader.sizeLimit)
            size += bytes.count
            modules.append(WorkerDefinition.Module(name: file, kind: kind, bytes: bytes))
            // An import may say more behind a question mark; the copy is named without it.
            let asked = Set(scan.specifiers.filter { $0.hasPrefix("./\(file)?") }.map { String($0.dropFirst(2)) })
            modules += asked.sorted().map { WorkerDefinition.Module(name: $0, kind: kind, bytes: bytes) }
        }
        modules += try additional.modules()
        guard size <= WorkerLoader.sizeLimit else {
            throw ProjectError("\(entry): the worker is larger than \(WorkerLoader.sizeLimit >> 20) MiB")
        }
        let map = settings.hasSourceMaps ? try sourceMap("\(output)/\(name).map") : nil
        return Result(modules: modules, sourceMap: map, inputs: inputs)
    }

    /// The map with sources relative to the root.
    private func sourceMap(_ path: String) throws(ProjectError) -> [UInt8] {
        let bytes = try File.read(path, limit: WorkerLoader.sizeLimit)
        guard var map = (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)))?.object else {
            throw ProjectError("the bundler's source map is not to be understood")
        }
        // They are relative to the output: so many folders below the root.
        let up = "../../../"
        let sources = map["sources"]?.strings ?? []
        map["sources"] = .array(sources.map { .string($0.hasPrefix(up) ? String($0.dropFirst(up.count)) : $0) })
        return Array(JSONValue.object(map).text.utf8)
    }
}
