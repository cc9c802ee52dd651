internal import Model

/// Reads the keys of a project file: what an environment says comes before what the top level does.
struct KeyReader {
    /// Of these an environment has its own, or none.
    private static let bindingKeys: Set<String> = [
        "vars", "kv_namespaces", "services", "ratelimits", "version_metadata", "durable_objects", "d1_databases",
        "r2_buckets", "queues", "workflows", "analytics_engine_datasets", "send_email", "ai", "browser", "hyperdrive",
        "vectorize", "dispatch_namespaces", "mtls_certificates", "define", "secrets", "tail_consumers",
    ]
    private static let bindingsHere: Set<String> = [
        "vars", "kv_namespaces", "services", "ratelimits", "version_metadata",
    ]
    private static let keysHere: Set<String> = [
        "name", "main", "compatibility_date", "compatibility_flags", "limits", "routes", "route", "workers_dev",
        "triggers", "assets", "keep_vars", "env", "$schema", "account_id", "no_bundle", "send_metrics", "dev", "rules",
        "define",
        "alias", "minify", "keep_names", "tsconfig", "jsx_factory", "jsx_fragment", "find_additional_modules",
        "base_dir", "upload_source_maps",
    ]
    /// Without these a Worker would not be what its author means.
    private static let refused: Set<String> = ["build", "site", "migrations", "wasm_modules"]

    private let path: String
    private let top: [String: JSONValue]
    private let own: [String: JSONValue]
    private let environment: String?
    private(set) var warnings: [String] = []

    init(_ top: [String: JSONValue], path: String, environment: String?) throws(ProjectError) {
        self.path = path
        self.top = top
        self.environment = environment
        if let environment {
            guard let own = top["env"]?[environment]?.object else {
                let known = (top["env"]?.object?.keys.sorted() ?? []).joined(separator: ", ")
                throw ProjectError(
                    "\(path): there is no environment '\(environment)'\(known.isEmpty ? "" : "; there are \(known)")")
            }
            self.own = own
        } else {
            own = [:]
        }
        let given = environment == nil ? top : top.filter { !Self.bindingKeys.contains($0.key) }.merging(own) { $1 }
        for key in given.keys.sorted() where !Self.keysHere.contains(key) && !Self.bindingsHere.contains(key) {
            let value = given[key]!
            let isEmpty = value.isNull || value == [] || value == [:] || value == false
            if isEmpty { continue }
            guard !Self.refused.contains(key),
                !Self.bindingKeys.contains(key) || ["secrets", "tail_consumers"].contains(key)
            else {
                throw ProjectError("\(path): '\(key)' is not there on this platform")
            }
            warnings.append("\(path): '\(key)' has no effect here")
        }
    }

    func inherited(_ key: String) -> JSONValue? {
        let value = own[key] ?? top[key]
        return value?.isNull == true ? nil : value
    }

    func wrong(_ key: String, _ what: String) -> ProjectError {
        ProjectError("\(path): '\(key)' must be \(what)")
    }

    func string(_ key: String) throws(ProjectError) -> String? {
        guard let value = inherited(key) else { return nil }
        guard let string = value.string else { throw wrong(key, "a string") }
        return string
    }

    func bool(_ key: String) throws(ProjectError) -> Bool? {
        guard let value = inherited(key) else { return nil }
        guard let bool = value.bool else { throw wrong(key, "true or false") }
        return bool
    }

    func strings(_ key: String) throws(ProjectError) -> [String]? {
        guard let value = inherited(key) else { return nil }
        guard let strings = value.strings else { throw wrong(key, "a list of strings") }
        return strings
    }

    /// An environment without a name of its own gets the Worker's and its own.
    func name(_ environment: String?) throws(ProjectError) -> String? {
        guard let environment, own["name"] == nil else { return try string("name") }
        return try string("name").map { "\($0)-\(environment)" }
    }

    func crons() throws(ProjectError) -> [String]? {
        guard let triggers = inherited("triggers"), let crons = triggers["crons"], !crons.isNull else { return nil }
        guard let list = crons.strings else { throw wrong("triggers.crons", "a list of strings") }
        return list
    }

    func routes() throws(ProjectError) -> (patterns: [JSONValue], domains: [String]) {
        var entries: [JSONValue] = []
        if let route = inherited("route") { entries.append(route) }
        if let routes = inherited("routes") {
            guard let list = routes.array else { throw wrong("routes", "a list") }
            entries += list
        }
        var patterns: [JSONValue] = []
        var domains: [String] = []
        for entry in entries {
            guard let pattern = entry.string ?? entry["pattern"]?.string else {
                throw wrong("routes", "a list of patterns, or of objects with a 'pattern'")
            }
            if entry["custom_domain"]?.bool == true {
                domains.append(pattern)
            } else {
                patterns.append(entry.string == nil ? entry : ["pattern": .string(pattern)])
            }
        }
        return (patterns, domains)
    }

    /// How the Worker's files become modules.
    func build(in folder: String) throws(ProjectError) -> BuildSettings {
        var build = BuildSettings()
        build.root = folder
        if let isPlain = try bool("no_bundle") { build.bundles = isPlain ? false : nil }
        if let rules = inherited("rules") {
            guard let list = rules.array else { throw wrong("rules", "a list") }
            do {
                build.rules = try ModuleRules(list)
            } catch {
                throw ProjectError("\(path): \(error.description)")
            }
        }
        build.define = try texts("define", in: environment == nil ? top : own)
        build.alias = try texts("alias", in: top)
        build.isMinified = try bool("minify") ?? false
        build.keepsNames = try bool("keep_names") ?? true
        build.tsconfig = try string("tsconfig")
        build.jsxFactory = try string("jsx_factory")
        build.jsxFragment = try string("jsx_fragment")
        build.findsAdditionalModules = try bool("find_additional_modules") ?? false
        build.baseFolder = try string("base_dir")
        build.hasSourceMaps = try bool("upload_source_maps") ?? true
        return build
    }

    /// An object of strings; empty if it is not there.
    private func texts(_ key: String, in source: [String: JSONValue]) throws(ProjectError) -> [String: String] {
        guard let value = source[key], !value.isNull else { return [:] }
        guard let object = value.object else { throw wrong(key, "an object of strings") }
        var texts: [String: String] = [:]
        for (name, value) in object {
            guard let text = value.string else { throw wrong(key, "an object of strings") }
            texts[name] = text
        }
        return texts
    }

    func bindings() throws(ProjectError) -> [JSONValue] {
        let source = environment == nil ? top : own
        var bindings: [JSONValue] = []
        for (name, value) in (source["vars"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let isText = value.string != nil
            bindings.append([
                "name": .string(name), "type": isText ? "plain_text" : "json", isText ? "text" : "json": value,
            ])
        }
        bindings += try list("kv_namespaces", in: source, needing: ["binding", "id"]).map { entry in
            ["type": "kv_namespace", "name": entry["binding"]!, "namespace_id": entry["id"]!]
        }
        bindings += try list("services", in: source, needing: ["binding", "service"]).map { entry in
            var binding: [String: JSONValue] = [
                "type": "service", "name": entry["binding"]!, "service": entry["service"]!,
            ]
            for key in ["entrypoint", "props"] { binding[key] = entry[key] }
            return .object(binding)
        }
        bindings += try list("ratelimits", in: source, needing: ["name", "namespace_id"]).map { entry in
            [
                "type": "ratelimit", "name": entry["name"]!, "namespace_id": entry["namespace_id"]!,
                "simple": entry["simple"] ?? .null,
            ]
        }
        if let version = source["version_metadata"], !version.isNull {
            guard let name = version["binding"]?.string else {
                throw wrong("version_metadata", "an object with 'binding'")
            }
            bindings.append(["type": "version_metadata", "name": .string(name)])
        }
        return bindings
    }

    private func list(
        _ key: String, in source: [String: JSONValue], needing members: [String]
    ) throws(ProjectError) -> [JSONValue] {
        guard let value = source[key], !value.isNull else { return [] }
        guard let list = value.array else { throw wrong(key, "a list") }
        for entry in list {
            for member in members where entry[member]?.string?.isEmpty != false {
                let remedy = key == "kv_namespaces" && member == "id" ? ": 'martlet kv namespace create' gives one" : ""
                throw ProjectError("\(path): an entry of '\(key)' needs the string '\(member)'\(remedy)")
            }
        }
        return list
    }
}
