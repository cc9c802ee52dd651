internal import Model

/// Uploads of static assets.
struct AssetRoutes {
    let api: API
    let service: AssetService

    func register() {
        let script = "/accounts/:account/workers/scripts/:script"
        api.on(.post, script + "/assets-upload-session", .deploy, limit: Self.manifestBytes) { [service] call in
            let (jwt, buckets) = try service.begin(try call.object(), for: call.script)
            return .result([
                "jwt": .string(jwt), "buckets": .array(buckets.map { .array($0.map { .string($0) }) }),
            ])
        }
        let uploads = "/accounts/:account/workers/assets/upload"
        api.onUpload(.post, uploads, service.tokens, limit: ScriptUpload.formBytes) { [service] call, token in
            let jwt = try service.upload(call, with: token)
            return .result(.object(jwt.map { ["jwt": .string($0)] } ?? [:]))
        }
    }

    /// Bytes of a manifest: of as many files as there may be, with long names.
    private static let manifestBytes = 16 << 20
}
