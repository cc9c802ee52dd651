internal import Model

/// The bindings that a new version gets, from what a client sent and from what the version before had.
struct BindingSet: Sendable {
    private(set) var bindings: [Binding] = []
    /// Texts of secrets that came with the upload.
    private(set) var secrets: [String: String] = [:]

    /// Bindings of one Worker.
    static let countAtMost = 128
    /// Bytes of a variable's text.
    static let textBytes = 5 << 10
    /// Types that are carried over if an upload does not say what to keep.
    private static let keptByDefault = Binding.secretTypes

    /// - Parameters:
    ///   - list: `bindings` of the metadata.
    ///   - keep: `keep_bindings`, types of which the bindings of the version before stay.
    init(_ list: JSONValue?, keep: JSONValue?, base: ScriptVersion?) throws(APIError) {
        guard let entries = list == nil || list == .null ? [] : list?.array else {
            throw .badBody("bindings must be a list")
        }
        for entry in entries { try take(entry, base) }
        let kept = keep?.strings.map { Set($0) } ?? Self.keptByDefault
        for binding in base?.bindings ?? [] where kept.contains(binding.type) {
            if !bindings.contains(where: { $0.name == binding.name }) { bindings.append(binding) }
        }
        guard bindings.count <= Self.countAtMost else {
            throw .validation("a Worker has at most \(Self.countAtMost) bindings; this one has \(bindings.count)")
        }
    }

    private mutating func take(_ entry: JSONValue, _ base: ScriptVersion?) throws(APIError) {
        guard var fields = entry.object, let name = fields.removeValue(forKey: "name")?.string,
            let type = fields.removeValue(forKey: "type")?.string
        else {
            throw .badBody("a binding needs a name and a type")
        }
        guard (1...255).contains(name.utf8.count) else { throw .badName("'\(name)' cannot be a binding's name") }
        guard !bindings.contains(where: { $0.name == name }) else {
            throw .validation("there are two bindings '\(name)'")
        }
        if type == "inherit" {
            let old = fields["old_name"]?.string ?? name
            guard var inherited = base?.bindings.first(where: { $0.name == old }) else {
                throw APIError(400, 10057, "inherit binding '\(name)' is invalid: there is no binding '\(old)' before")
            }
            guard old == name || !inherited.isSecret else {
                throw APIError(400, 10057, "inherit binding '\(name)' is invalid: a secret keeps its name")
            }
            inherited.name = name
            bindings.append(inherited)
            return
        }
        if Binding.secretTypes.contains(type) {
            guard let text = fields.removeValue(forKey: "text")?.string else {
                throw .badBody("the secret '\(name)' has no text")
            }
            secrets[name] = text
        }
        try Self.check(name, type, fields)
        bindings.append(Binding(name: name, type: type, fields: fields))
    }

    private static func check(_ name: String, _ type: String, _ fields: [String: JSONValue]) throws(APIError) {
        func need(_ field: String) throws(APIError) {
            guard fields[field]?.string?.isEmpty == false else {
                throw .badBody("the binding '\(name)' of type \(type) needs '\(field)'")
            }
        }
        switch type {
        case "plain_text":
            guard let text = fields["text"]?.string else { throw .badBody("the variable '\(name)' has no text") }
            guard text.utf8.count <= textBytes else {
                throw .validation("the variable '\(name)' has over \(textBytes) bytes")
            }
        case "json":
            guard fields["json"] != nil else { throw .badBody("the variable '\(name)' has no json") }
        case "kv_namespace": try need("namespace_id")
        case "service":
            try need("service")
            if let entrypoint = fields["entrypoint"], !entrypoint.isNull, entrypoint.string == nil {
                throw .badBody("the entrypoint of the binding '\(name)' must be a string")
            }
            if let props = fields["props"], !props.isNull {
                guard props.object != nil else {
                    throw .badBody("the props of the binding '\(name)' must be an object")
                }
                guard props.text.utf8.count <= textBytes else {
                    throw .validation("the props of the binding '\(name)' have over \(textBytes) bytes")
                }
            }
        case "ratelimit":
            try need("namespace_id")
            try checkRate(fields["simple"], name)
        case "secret_text", "version_metadata", "assets": break
        default: throw .validation("the binding '\(name)' is of type \(type), which this server does not have")
        }
    }

    private static func checkRate(_ simple: JSONValue?, _ name: String) throws(APIError) {
        guard let limit = simple?["limit"]?.int, limit > 0, let period = simple?["period"]?.int,
            RateLimit.periods.contains(period)
        else {
            throw .badBody("the binding '\(name)' needs simple.limit, above 0, and simple.period, 10 or 60")
        }
    }

    /// One with a secret more, or with another text.
    mutating func put(secret name: String, text: String) {
        bindings.removeAll { $0.name == name }
        bindings.append(Binding(name: name, type: "secret_text"))
        secrets[name] = text
    }

    mutating func remove(_ name: String) {
        bindings.removeAll { $0.name == name }
        secrets[name] = nil
    }

    /// Checks that what bindings point at is there.
    func resolve(in store: any PlatformStore, script: ScriptKey) throws {
        for binding in bindings {
            if binding.type == "kv_namespace", let id = binding.fields["namespace_id"]?.string,
                try store.namespace(id, of: script.account) == nil
            {
                throw APIError(
                    400, 10041, "the binding '\(binding.name)' names a KV namespace that is not there: \(id)")
            }
            if binding.type == "service", let name = binding.fields["service"]?.string, name != script.name,
                try store.script(ScriptKey(account: script.account, name: name)) == nil
            {
                throw APIError(400, 10144, "the binding '\(binding.name)' names a Worker that is not there: '\(name)'")
            }
        }
    }

    /// Checks that the entrypoints that bindings name are there: those of the latest version, or in the Worker's
    /// own case of the one that is being made.
    func resolveEntrypoints(in store: any PlatformStore, script: ScriptKey, own: WorkerExports) throws {
        for binding in bindings where binding.type == "service" {
            guard let entrypoint = binding.entrypoint, let name = binding.fields["service"]?.string else { continue }
            var there: [Entrypoint]? = own.entrypoints
            if name != script.name {
                let target = ScriptKey(account: script.account, name: name)
                let latest = try store.script(target)?.latestVersion
                there = try latest.flatMap { try store.version($0, of: target)?.entrypoints }
            }
            // Nobody looked when that version was made: its requests will tell.
            guard let there, !there.contains(where: { $0.name == entrypoint }) else { continue }
            throw APIError(
                400, 10144,
                "the binding '\(binding.name)' names an entrypoint that the Worker '\(name)' does not export: "
                    + "'\(entrypoint)'")
        }
    }
}
