extension StoredWorker {
    /// What the runtime makes isolates of.
    /// - Parameters:
    ///   - name: under which it logs.
    ///   - limits: the most that it gets; the version may ask for less CPU time.
    package func definition(name: String, limits: Model.Limits) -> WorkerDefinition {
        var limits = limits
        if let own = version.limits.cpuMilliseconds {
            limits.cpuMilliseconds = min(own, limits.cpuMilliseconds)
        }
        let modules = files.enumerated().compactMap { index, file -> WorkerDefinition.Module? in
            let isScript = version.syntax == .serviceWorker && index == 0
            guard let kind = isScript ? .script : ModuleType.kind(ofType: file.contentType) else { return nil }
            return WorkerDefinition.Module(name: file.name, kind: kind, bytes: file.bytes)
        }
        let variables = version.bindings.compactMap { binding -> WorkerDefinition.Variable? in
            let text = binding.isSecret ? secrets[binding.name] : binding.fields["text"]?.string
            guard binding.isSecret || binding.type == "plain_text", let text else { return nil }
            return WorkerDefinition.Variable(name: binding.name, value: text)
        }
        return WorkerDefinition(
            name: name, modules: modules, variables: variables, limits: limits,
            // An upload whose date or flags cannot be meant was refused.
            compatibility: (try? version.compatibility) ?? .standard)
    }
}

extension ScriptVersion {
    /// Throws if the date is none or the flags contradict each other.
    package var compatibility: Compatibility {
        get throws(CompatibilityError) {
            try Compatibility(date: compatibilityDate ?? Compatibility.defaultDate, flags: compatibilityFlags)
        }
    }
}

/// What the content type of an uploaded file says about it.
package enum ModuleType {
    package static let sourceMap = "application/source-map"

    /// - Returns: nil if files of that type are not modules.
    package static func kind(ofType type: String) -> WorkerDefinition.Module.Kind? {
        switch type {
        case "application/javascript+module", "text/javascript+module": .javaScript
        case "application/wasm": .wasm
        case "text/plain", "text/html": .text
        case "application/octet-stream": .data
        case "application/json": .json
        default: nil
        }
    }

    /// The type of a file that came without one.
    package static func type(ofFile name: String) -> String {
        switch name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last {
        case "wasm": "application/wasm"
        case "txt", "html", "sql": "text/plain"
        case "bin": "application/octet-stream"
        case "json": "application/json"
        case "map": sourceMap
        default: "application/javascript+module"
        }
    }
}
