internal import Model

/// Modules that nothing imports by name: `find_additional_modules`. They go along as they are, under their names
/// relative to the base folder.
struct AdditionalModules {
    private struct Found {
        /// Relative to the base folder.
        let name: String
        /// Relative to the root, as the bundler takes it: "./src/lang/en.js".
        let path: String
        let file: String
        let kind: WorkerDefinition.Module.Kind
    }

    private let found: [Found]

    /// - Parameters: absolute paths.
    static func find(
        _ settings: BuildSettings, main: String, root: String
    ) throws(ProjectError) -> AdditionalModules {
        guard settings.findsAdditionalModules else { return AdditionalModules(found: []) }
        let base = settings.baseFolder.map { File.absolute(File.path($0, in: root)) } ?? File.folder(of: main)
        guard base == root || base.hasPrefix(root + "/") else {
            throw ProjectError("\(base): 'base_dir' must lie within \(root)")
        }
        var found: [Found] = []
        for name in try names(in: base, below: "") where "\(base)/\(name)" != main {
            guard let kind = settings.rules.kind(of: name) else { continue }
            let file = "\(base)/\(name)"
            found.append(Found(name: name, path: "./" + file.dropFirst(root.count + 1), file: file, kind: kind))
        }
        return AdditionalModules(found: found)
    }

    private static func names(in base: String, below folder: String) throws(ProjectError) -> [String] {
        var names: [String] = []
        for entry in try File.names(in: folder.isEmpty ? base : "\(base)/\(folder)") where entry != "node_modules" {
            let name = folder.isEmpty ? entry : "\(folder)/\(entry)"
            if File.isFolder("\(base)/\(name)") {
                names += try self.names(in: base, below: name)
            } else {
                names.append(name)
            }
        }
        return names
    }

    var paths: [String] { found.map(\.path) }

    /// A bundle whose imports name them as they are named: the bundler writes where they lie, seen from its output.
    func renamed(in code: [UInt8]) -> [UInt8] {
        guard !found.isEmpty else { return code }
        var text = String(decoding: code, as: UTF8.self)
        for module in found {
            text = text.replacing("\"../../../\(module.path.dropFirst(2))\"", with: "\"./\(module.name)\"")
        }
        return Array(text.utf8)
    }

    func modules() throws(ProjectError) -> [WorkerDefinition.Module] {
        var modules: [WorkerDefinition.Module] = []
        for module in found {
            let bytes = try File.read(module.file, limit: WorkerLoader.sizeLimit)
            modules.append(WorkerDefinition.Module(name: module.name, kind: module.kind, bytes: bytes))
        }
        return modules
    }
}
