extension StoredWorker {
    /// What the runtime makes isolates of.
    /// - Parameters:
    ///   - key: whose it is; it logs under that name.
    ///   - limits: the most that it gets; the version may ask for less CPU time.
    package func definition(for key: ScriptKey, limits: Model.Limits) -> WorkerDefinition {
        var limits = limits
        if let own = version.limits.cpuMilliseconds {
            limits.cpuMilliseconds = min(own, limits.cpuMilliseconds)
        }
        let modules = files.enumerated().compactMap { index, file -> WorkerDefinition.Module? in
            let isScript = version.syntax == .serviceWorker && index == 0
            guard let kind = isScript ? .script : ModuleType.kind(ofType: file.contentType) else { return nil }
            let isCode = kind == .javaScript
            return WorkerDefinition.Module(
                name: file.name, kind: kind, bytes: isCode ? ImportAttributes.blanked(file.bytes) : file.bytes)
        }
        let bindings = version.bindings.compactMap { binding -> WorkerBinding? in
            value(of: binding, in: key.account).map { WorkerBinding(name: binding.name, value: $0) }
        }
        var definition = WorkerDefinition(
            name: key.description, modules: modules, bindings: bindings, limits: limits,
            // An upload whose date or flags cannot be meant was refused.
            compatibility: (try? version.compatibility) ?? .standard)
        definition.account = key.account
        definition.version = version.id
        definition.sourceMaps = sourceMaps
        return definition
    }

    /// `index.js.map` is the map of `index.js`.
    private var sourceMaps: [String: [UInt8]] {
        let maps = files.filter { $0.contentType == ModuleType.sourceMap && $0.name.hasSuffix(".map") }
        return Dictionary(maps.map { (String($0.name.dropLast(4)), $0.bytes) }) { first, _ in first }
    }

    /// What answers with assets; nil if there are none.
    package var site: AssetSite? {
        guard var assets else { return nil }
        let compatibility = (try? version.compatibility) ?? .standard
        assets.configuration.prefersNavigation =
            compatibility.enabled.contains(CompatibilityFlag.navigationPrefersAssets)
        return AssetSite(assets, hasWorker: !version.modules.isEmpty)
    }

    private func value(of binding: Binding, in account: String) -> WorkerBinding.Value? {
        if binding.isSecret { return secrets[binding.name].map { .text($0) } }
        switch binding.type {
        case "plain_text": return binding.fields["text"]?.string.map { .text($0) }
        case "json": return binding.fields["json"].map { .json($0.text) }
        case "version_metadata":
            return .versionMetadata(
                VersionMetadata(
                    id: version.id, tag: version.annotations["workers/tag"] ?? "",
                    timestamp: version.createdOn.description))
        case "assets": return .assets
        case "kv_namespace": return binding.fields["namespace_id"]?.string.map { .kvNamespace(id: $0) }
        case "service": return binding.service(in: account).map { .service($0) }
        case "ratelimit":
            guard let namespace = binding.fields["namespace_id"]?.string, let simple = binding.fields["simple"],
                let limit = simple["limit"]?.int, let period = simple["period"]?.int
            else { return nil }
            return .rateLimit(RateLimit(namespace: "\(account)/\(namespace)", limit: limit, period: period))
        default: return nil
        }
    }
}

extension Binding {
    /// What it means, if it is a service binding of one of the account's scripts.
    package func service(in account: String) -> Service? {
        guard type == "service", let name = fields["service"]?.string else { return nil }
        let props = fields["props"].flatMap { $0.isNull ? nil : $0.text }
        return Service(script: ScriptKey(account: account, name: name), entrypoint: entrypoint, props: props)
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
