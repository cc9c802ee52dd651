package import Model

/// A folder of workers: each `NAME.js` (or .mjs) and each `NAME/index.js` in it is one.
package struct WorkerFolder: Sendable {
    package let path: String
    package let limits: Limits
    package let bindings: [WorkerBinding]
    package let compatibility: Compatibility
    private let baseURL: String?

    /// - Parameter baseURL: what the workers' relative URLs are relative to; nil if they are errors.
    package init(
        path: String, limits: Limits, bindings: [WorkerBinding], compatibility: Compatibility = .standard,
        baseURL: String?
    ) {
        self.path = path
        self.limits = limits
        self.bindings = bindings
        self.compatibility = compatibility
        self.baseURL = baseURL
    }

    /// What came of reading one worker.
    package enum Entry: Sendable {
        case worker(WorkerDefinition)
        case failed(name: String, ProjectError)
    }

    /// The names of the workers now and where each begins: a file or a folder.
    package func list() throws(ProjectError) -> [(name: String, path: String)] {
        guard File.isFolder(path) else { throw ProjectError("\(path): no such folder") }
        var found: [(name: String, path: String)] = []
        for entry in try File.names(in: path) {
            let full = "\(path)/\(entry)"
            if File.isFolder(full) {
                if (try? WorkerLoader.mainFile(of: full)) != nil { found.append((entry.lowercased(), full)) }
            } else if entry.hasSuffix(".js") || entry.hasSuffix(".mjs") {
                let name = String(entry[..<entry.lastIndex(of: ".")!])
                found.append((name.lowercased(), full))
            }
        }
        return found
    }

    /// Reads one worker.
    package func load(name: String, path: String) -> Entry {
        do throws(ProjectError) {
            var definition = try WorkerLoader.load(
                path, name: name, bindings: bindings, limits: limits, compatibility: compatibility
            ).definition
            definition.baseURL = baseURL
            return .worker(definition)
        } catch {
            return .failed(name: name, error)
        }
    }
}
