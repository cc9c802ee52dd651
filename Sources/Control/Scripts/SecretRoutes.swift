internal import Model

/// Secrets of a script. Each write makes a version and deploys it; no answer has a secret's text.
struct SecretRoutes {
    let api: API
    let service: ScriptService

    /// Bytes of a secret's text.
    private static let textBytes = 5 << 10

    func register() {
        let path = "/accounts/:account/workers/scripts/:script/secrets"
        api.on(.get, path, .read) { [self] call in
            .result(Self.list(try secrets(of: call)))
        }
        api.on(.put, path, .deploy) { [self] call in
            let (name, text) = try Self.secret(try call.object())
            try change(call) { $0.put(secret: name, text: text) }
            return .result(["name": .string(name), "type": "secret_text"])
        }
        api.on(.get, path + "/:secret", .read) { [self] call in
            let secret = try require(call["secret"], call)
            return .result(["name": .string(secret.name), "type": .string(secret.type)])
        }
        api.on(.delete, path + "/:secret", .deploy) { [self] call in
            _ = try require(call["secret"], call)
            try change(call) { $0.remove(call["secret"]) }
            return .result(.null)
        }
        api.on(.patch, "/accounts/:account/workers/scripts/:script/secrets-bulk", .deploy) { [self] in try bulk($0) }
        api.on(.patch, "/accounts/:account/workers/workers/:script/versions/latest", .deploy) { [self] in
            try changeVersion($0)
        }
    }

    private func secrets(of call: Call) throws -> [Binding] {
        let script = try service.require(call.script)
        return (try service.latest(of: script)?.bindings ?? []).filter(\.isSecret)
    }

    private static func list(_ secrets: [Binding]) -> JSONValue {
        .array(secrets.map { ["name": .string($0.name), "type": .string($0.type)] })
    }

    private func require(_ name: String, _ call: Call) throws -> Binding {
        guard let secret = try secrets(of: call).first(where: { $0.name == name }) else {
            throw APIError.noSecret(name)
        }
        return secret
    }

    private static func secret(_ body: [String: JSONValue]) throws(APIError) -> (name: String, text: String) {
        guard let name = body["name"]?.string, (1...255).contains(name.utf8.count) else {
            throw .badName("a secret needs a name")
        }
        guard body["type"] == nil || body["type"] == "secret_text" else {
            throw .badBody("the secret '\(name)' must be of type secret_text")
        }
        guard let text = body["text"]?.string else { throw .badBody("the secret '\(name)' needs a text") }
        guard text.utf8.count <= textBytes else {
            throw .tooLarge("the text of the secret '\(name)' has over \(textBytes) bytes")
        }
        return (name, text)
    }

    private func bulk(_ call: Call) throws -> Reply {
        guard let entries = try call.object()["secrets"]?.object else {
            throw APIError.badBody("'secrets' must be an object of secrets by name")
        }
        try change(call) { try Self.apply(entries, to: &$0) }
        return .result(Self.list(try secrets(of: call)))
    }

    private static func apply(_ entries: [String: JSONValue], to bindings: inout BindingSet) throws {
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            guard !entry.isNull else {
                bindings.remove(name)
                continue
            }
            guard var entry = entry.object else { throw APIError.badBody("the secret '\(name)' must be an object") }
            entry["name"] = .string(name)
            bindings.put(secret: name, text: try secret(entry).text)
        }
    }

    /// A new version with other secrets, not deployed (`wrangler versions secret`).
    private func changeVersion(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        let body = try call.object()
        let version = try service.addVersion(to: call.script, by: call, isDeployed: false) { base in
            var version = ScriptService.successor(of: base, by: call)
            version.annotations = try Annotations.read(body["annotations"])
            var bindings = try ScriptService.same(base)
            try Self.apply(body["env"]?.object ?? [:], to: &bindings)
            return ScriptService.Change(version: version, files: nil, bindings: bindings)
        }
        return .result(version.json)
    }

    private func change(_ call: Call, _ edit: (inout BindingSet) throws -> Void) throws {
        let script = try service.require(call.script)
        let active = script.deployment?.shares.map(\.version) ?? []
        guard let latest = script.latestVersion, active.isEmpty || active.contains(latest) else {
            throw APIError(
                400, 10215, "the latest version of '\(script.name)' is not deployed; a secret would deploy it")
        }
        _ = try service.addVersion(to: call.script, by: call, isDeployed: true) { base in
            var version = ScriptService.successor(of: base, by: call)
            version.annotations = ["workers/triggered_by": "secret"]
            var bindings = try ScriptService.same(base)
            try edit(&bindings)
            return ScriptService.Change(version: version, files: nil, bindings: bindings)
        }
    }
}
