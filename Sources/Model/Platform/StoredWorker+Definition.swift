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
        let bindings = version.bindings.compactMap { binding -> WorkerBinding? in
            value(of: binding).map { WorkerBinding(name: binding.name, value: $0) }
        }
        return WorkerDefinition(
            name: name, modules: modules, bindings: bindings, limits: limits,
            // An upload whose date or flags cannot be meant was refused.
            compatibility: (try? version.compatibility) ?? .standard)
    }

    private func value(of binding: Binding) -> WorkerBinding.Value? {
        if binding.isSecret { return secrets[binding.name].map { .text($0) } }
        switch binding.type {
        case "plain_text": return binding.fields["text"]?.string.map { .text($0) }
        case "json": return binding.fields["json"].map { .json($0.text) }
        case "version_metadata":
            return .versionMetadata(
                VersionMetadata(
                    id: version.id, tag: version.annotations["workers/tag"] ?? "",
                    timestamp: version.createdOn.description))
        default: return nil
        }
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
