internal import Model

/// Scripts: upload, content, settings, and what `wrangler` asks before and after.
struct ScriptRoutes {
    let api: API
    let service: ScriptService
    private var store: any PlatformStore { service.store }

    func register() {
        let scripts = "/accounts/:account/workers/scripts"
        let script = scripts + "/:script"
        api.on(.get, scripts, .read) { [self] in try list($0) }
        api.on(.get, "/accounts/:account/workers/scripts-search", .read) { [self] in try search($0) }
        api.on(.put, script, .deploy, limit: ScriptUpload.formBytes) { [self] in try put($0) }
        api.on(.get, script, .read) { [self] in try service.content(of: try service.require($0.script)) }
        api.on(.delete, script, .deploy) { [self] in try delete($0) }
        api.on(.get, script + "/content/v2", .read) { [self] in try service.content(of: try service.require($0.script))
        }
        api.on(.put, script + "/content", .deploy, limit: ScriptUpload.formBytes) { [self] in
            _ = try service.uploadContent($0)
            return try answer($0.script)
        }
        api.on(.get, script + "/settings", .read) { [self] in try settings($0) }
        api.on(.patch, script + "/settings", .deploy) { [self] in try changeSettings($0) }
        api.on(.get, script + "/script-settings", .read) { [self] in try scriptSettings($0) }
        api.on(.patch, script + "/script-settings", .deploy) { [self] call in
            _ = try service.require(call.script)
            try service.applySettings(of: try call.object(), to: call.script)
            return try scriptSettings(call)
        }
        registerServices(script)
    }

    /// What `wrangler` takes a script for.
    private func registerServices(_ script: String) {
        let services = "/accounts/:account/workers/services/:script"
        api.on(.get, services, .read) { [self] in try showService($0) }
        api.on(.delete, services, .deploy) { [self] in try delete($0) }
        api.on(.get, script + "/references", .read) { [self] in try references($0) }
        api.on(.get, "/accounts/:account/workers/tails/by-consumer/:script", .read) { _ in .result([]) }
    }

    private func list(_ call: Call) throws -> Reply {
        .result(.array(try store.scripts(of: call.account).map { .object($0.json(try service.latest(of: $0))) }))
    }

    private func search(_ call: Call) throws -> Reply {
        let name = call.query["name"] ?? ""
        let found = try store.scripts(of: call.account).filter { name.isEmpty || $0.name.contains(name) }
        return try .page(found.map { .object($0.json(try service.latest(of: $0))) }, of: call)
    }

    private func put(_ call: Call) throws -> Reply {
        _ = try service.upload(call, isDeployed: true)
        return try answer(call.script)
    }

    /// What an upload is answered with.
    private func answer(_ key: ScriptKey) throws -> Reply {
        let script = try service.require(key)
        let version = try service.latest(of: script)
        var shape = script.json(version)
        if let version {
            shape["startup_time_ms"] = .number(version.startupMilliseconds.rounded())
            shape["deployment_id"] = .string(version.id)
            if let main = version.modules.first, version.syntax == .modules {
                shape["entry_point"] = .string(main.name)
            }
        }
        return .result(.object(shape))
    }

    private func delete(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        let users = try referrers(to: call.script)
        guard users.isEmpty || call.flag("force") else {
            throw APIError(
                400, 10064, "'\(call.script.name)' is bound to by \(users.joined(separator: ", ")); add ?force=true")
        }
        try store.deleteScript(call.script)
        return .result(.null)
    }

    /// Scripts of the account whose latest version is bound to this one.
    private func referrers(to key: ScriptKey) throws -> [String] {
        try store.scripts(of: key.account).filter { $0.name != key.name }.filter { script in
            try service.latest(of: script)?.bindings
                .contains { $0.type == "service" && $0.fields["service"]?.string == key.name } ?? false
        }.map(\.name)
    }

    // MARK: Settings

    private func settings(_ call: Call) throws -> Reply {
        let script = try service.require(call.script)
        guard let version = try service.latest(of: script) else { throw APIError.noScript(script.name) }
        var shape = script.json(version)
        for key in ["id", "created_on", "modified_on", "etag", "handlers", "named_handlers", "last_deployed_from"] {
            shape[key] = nil
        }
        shape["bindings"] = .array(version.bindings.map(\.json))
        return .result(.object(shape))
    }

    /// A form with the one part `settings`, or its JSON bare. Makes a version.
    private func changeSettings(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        var body = call.body
        if call.contentType.lowercased().hasPrefix("multipart/") {
            let form = try MultipartForm(call.body, contentType: call.contentType)
            guard let part = form["settings"] else { throw APIError.badBody("the form has no part 'settings'") }
            body = part.body
        }
        guard let given = try Call.json(body).object else { throw APIError.badBody("settings must be a JSON object") }
        _ = try service.addVersion(to: call.script, by: call, isDeployed: true) { base in
            var version = ScriptService.successor(of: base, by: call)
            try VersionSettings(given).apply(to: &version)
            let bindings =
                given["bindings"] == nil
                ? try ScriptService.same(base)
                : try BindingSet(given["bindings"], keep: given["keep_bindings"], base: base)
            return ScriptService.Change(version: version, files: nil, bindings: bindings)
        }
        try service.applySettings(of: given, to: call.script)
        return try settings(call)
    }

    private func scriptSettings(_ call: Call) throws -> Reply {
        let shape = try service.require(call.script).json(nil)
        return .result(
            .object(shape.filter { ["logpush", "tags", "observability", "tail_consumers"].contains($0.key) }))
    }

    // MARK: Services

    private func showService(_ call: Call) throws -> Reply {
        guard let script = try store.script(call.script) else { throw APIError.noService(call.script.name) }
        let environment: JSONValue = [
            "environment": "production", "script": .object(script.json(try service.latest(of: script))),
            "created_on": .string(script.createdOn.description), "modified_on": .string(script.modifiedOn.description),
        ]
        return .result([
            "id": .string(script.name), "default_environment": environment, "environments": [environment],
            "created_on": .string(script.createdOn.description), "modified_on": .string(script.modifiedOn.description),
        ])
    }

    private func references(_ call: Call) throws -> Reply {
        let script = try service.require(call.script)
        let incoming = try referrers(to: call.script).map { name -> JSONValue in
            ["service": .string(name), "environment": "production", "name": .string(name)]
        }
        let outgoing = (try service.latest(of: script)?.bindings ?? []).filter { $0.type == "service" }
        return .result([
            "services": [
                "incoming": .array(incoming),
                "outgoing": .array(
                    outgoing.map { binding -> JSONValue in
                        [
                            "service": binding.fields["service"] ?? "", "environment": "production",
                            "name": .string(binding.name),
                        ]
                    }),
            ],
            "durable_objects": [], "dispatch_outbounds": [],
        ])
    }
}
