internal import Model

/// What clients of Pages call: projects, uploads, deployments.
struct PagesRoutes {
    let api: API
    let service: PagesService

    func register() {
        let projects = "/accounts/:account/pages/projects"
        let project = projects + "/:project"
        @Sendable func key(_ call: Call) -> ScriptKey { ScriptKey(account: call.account, name: call["project"]) }
        api.on(.get, projects, .read) { [service] call in
            try .page(try service.projects(of: call.account).map { try service.json($0) }, of: call)
        }
        api.on(.post, projects, .deploy) { [service] call in .result(try service.json(try service.create(call))) }
        api.on(.get, project, .read) { [service] call in .result(try service.json(try service.require(key(call)))) }
        api.on(.delete, project, .deploy) { [service] call in
            try service.scripts.store.deleteScript(try service.require(key(call)).key)
            return .result(.null)
        }
        api.on(.get, project + "/upload-token", .deploy) { [service] call in
            .result(["jwt": .string(try service.uploadToken(for: key(call)))])
        }
        api.on(.post, project + "/deployments", .deploy, limit: ScriptUpload.formBytes) { [service] call in
            .result(try service.deploy(call))
        }
        registerUploads()
    }

    private func registerUploads() {
        let tokens = service.scripts.assets.tokens
        let hashes = ["/pages/assets/check-missing", "/pages/assets/upsert-hashes"]
        for path in hashes {
            api.onUpload(.post, path, tokens, limit: API.bodyBytes) { [service] call, token in
                try PagesService.check(token)
                let missing = try service.missing(among: try call.object()["hashes"], of: token.account)
                return .result(path == hashes[0] ? .array(missing.map { .string($0) }) : .null)
            }
        }
        api.onUpload(.post, "/pages/assets/upload", tokens, limit: ScriptUpload.formBytes) { [service] call, token in
            try PagesService.check(token)
            try service.upload(try call.json(), of: token.account)
            return .result(.null)
        }
    }
}
