internal import Model

/// Versions and which of them answer.
struct VersionRoutes {
    let api: API
    let service: ScriptService
    private var store: any PlatformStore { service.store }

    /// A deployment has at most so many versions.
    private static let versionsAtMost = 2

    func register() {
        let script = "/accounts/:account/workers/scripts/:script"
        api.on(.post, script + "/versions", .deploy, limit: ScriptUpload.formBytes) { [self] call in
            _ = try service.require(call.script)
            return .result(try service.upload(call, isDeployed: false).json)
        }
        api.on(.get, script + "/versions", .read) { [self] in try list($0) }
        api.on(.get, script + "/versions/:version", .read) { [self] call in
            _ = try service.require(call.script)
            guard let version = try store.version(call["version"], of: call.script) else {
                throw APIError.noVersion(call["version"])
            }
            return .result(version.json)
        }
        api.on(.get, script + "/deployments", .read) { [self] call in
            _ = try service.require(call.script)
            return .result(["deployments": .array(try store.deployments(of: call.script).map(\.json))])
        }
        api.on(.post, script + "/deployments", .deploy) { [self] in try deploy($0) }
        api.on(.get, script + "/deployments/:deployment", .read) { [self] call in
            _ = try service.require(call.script)
            guard let found = try store.deployments(of: call.script).first(where: { $0.id == call["deployment"] })
            else { throw APIError.noDeployment(call["deployment"]) }
            return .result(found.json)
        }
    }

    private func list(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        let (page, info) = try Page(call).cut(try store.versions(of: call.script).map(\.summaryJSON))
        return .result(["items": .array(page)], info: info)
    }

    private func deploy(_ call: Call) throws -> Reply {
        let script = try service.require(call.script)
        let body = try call.object()
        if let strategy = body["strategy"], strategy != "percentage" {
            throw APIError.badBody("the strategy must be 'percentage'")
        }
        let shares = try Self.shares(body["versions"])
        for share in shares {
            guard let version = try store.version(share.version, of: call.script) else {
                throw APIError(404, 100146, "there is no version '\(share.version)'")
            }
            try service.jitless.check(version.modules.map { ($0.name, $0.contentType) }, of: call.script)
        }
        if !call.flag("force"), try losesSecrets(script, shares) {
            throw APIError(
                400, 10220,
                "secrets have changed since that version; deploying it brings the old ones back. "
                    + "Add ?force=true to do so")
        }
        let annotations = try Annotations.read(body["annotations"])
        let deployment = Deployment(
            source: call.source, author: call.token.name, annotations: annotations, shares: shares)
        try store.add(deployment, to: call.script)
        return .result(deployment.json)
    }

    private static func shares(_ list: JSONValue?) throws -> [Deployment.Share] {
        guard let entries = list?.array, (1...versionsAtMost).contains(entries.count) else {
            throw APIError.badBody("versions must list one or two versions")
        }
        let shares = try entries.map { entry in
            guard let id = entry["version_id"]?.string, let percentage = entry["percentage"]?.number,
                percentage >= 0, percentage <= 100
            else {
                throw APIError.badBody("each of the versions needs a version_id and a percentage from 0 to 100")
            }
            return Deployment.Share(version: id, percentage: percentage)
        }
        guard abs(shares.reduce(0) { $0 + $1.percentage } - 100) < 0.01 else {
            throw APIError.badBody("the percentages must add up to 100")
        }
        guard Set(shares.map(\.version)).count == shares.count else {
            throw APIError.badBody("a version is listed twice")
        }
        return shares
    }

    /// Whether going back would change secrets that the active versions have.
    private func losesSecrets(_ script: Script, _ shares: [Deployment.Share]) throws -> Bool {
        guard let active = script.deployment?.shares.first?.version,
            let current = try store.version(active, of: script.key)
        else { return false }
        let secrets = try store.secrets(of: active, script: script.key)
        return try shares.contains { share in
            guard let version = try store.version(share.version, of: script.key), version.number < current.number else {
                return false
            }
            return try store.secrets(of: version.id, script: script.key) != secrets
        }
    }
}
