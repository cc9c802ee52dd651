internal import Foundation
internal import Model

/// Pages projects: Workers that are assets only, uploaded as Pages has it.
struct PagesService: Sendable {
    let scripts: ScriptService
    let baseDomain: String

    private var store: any PlatformStore { scripts.store }
    private var assets: AssetService { scripts.assets }

    /// Marks a script as a project, among its settings.
    private static let mark = "pages"
    /// Parts of a deployment's form that hold code.
    private static let codeParts: Set<String> = [
        "_worker.js", "_worker.bundle", "functions-filepath-routing-config.json",
    ]

    // MARK: Projects

    func projects(of account: String) throws -> [Script] {
        try store.scripts(of: account).filter { $0.settings[Self.mark] != nil }
    }

    func require(_ key: ScriptKey) throws -> Script {
        guard let script = try store.script(key), script.settings[Self.mark] != nil else {
            throw APIError(404, 8_000_007, "Project not found: there is no Pages project '\(key.name)'")
        }
        return script
    }

    func create(_ call: Call) throws -> Script {
        let body = try call.object()
        let key = ScriptKey(account: call.account, name: body["name"]?.string ?? "")
        let branch = body["production_branch"]?.string ?? "main"
        try ScriptService.check(name: key.name)
        guard try store.script(key) == nil else {
            throw APIError(400, 8_000_002, "there is a project or a Worker with the name '\(key.name)' already")
        }
        guard try store.account(key.account)?.subdomain != nil else {
            throw APIError(
                400, 10063, "the account has no subdomain yet: PUT /accounts/\(key.account)/workers/subdomain")
        }
        _ = try deploy([:], AssetConfiguration(), to: key, by: call)
        try store.update(key) { script in
            script.settings[Self.mark] = ["production_branch": .string(branch)]
            script.isOnSubdomain = true
        }
        return try require(key)
    }

    func json(_ script: Script) throws -> JSONValue {
        let address = try address(of: script.key)
        return [
            "id": .string(script.tag), "name": .string(script.name), "subdomain": .string(address),
            "domains": [.string(address)], "created_on": .string(script.createdOn.description),
            "production_branch": script.settings[Self.mark]?["production_branch"] ?? "main",
        ]
    }

    private func address(of key: ScriptKey) throws -> String {
        "\(key.name).\(try store.account(key.account)?.subdomain ?? "").\(baseDomain)"
    }

    // MARK: Uploads

    func uploadToken(for key: ScriptKey) throws -> String { assets.tokens.make(.pages, try require(key).key) }

    static func check(_ token: AssetToken) throws(APIError) {
        guard token.use == .pages else { throw .expiredSession }
    }

    func missing(among hashes: JSONValue?, of account: String) throws -> [String] {
        guard let hashes = hashes?.strings, hashes.count <= assets.limits.files else {
            throw APIError.badBody("'hashes' must be a list of at most \(assets.limits.files) strings")
        }
        let known = try store.uploads(hashes, of: account)
        return hashes.filter { known[$0] == nil }
    }

    /// `[{key, value, metadata: {contentType}, base64}]`.
    func upload(_ list: JSONValue, of account: String) throws {
        guard let entries = list.array else { throw APIError.badBody("the body must be a list of files") }
        let uploads = try entries.map { entry -> (hash: String, bytes: [UInt8], contentType: String?) in
            guard let hash = entry["key"]?.string, AssetService.isHash(hash), let value = entry["value"]?.string else {
                throw APIError.badBody("each file needs a 'key' of 32 hexadecimal digits and a 'value'")
            }
            let isBase64 = entry["base64"]?.bool == true
            guard let bytes = isBase64 ? Data(base64Encoded: value).map({ Array($0) }) : Array(value.utf8) else {
                throw APIError.malformed("the file with the key \(hash) is not base64")
            }
            guard bytes.count <= assets.limits.fileBytes else {
                throw APIError.tooLarge(
                    "the file with the key \(hash) has \(bytes.count) bytes; \(assets.limits.fileBytes) are allowed")
            }
            return (hash, bytes, entry["metadata"]?["contentType"]?.string)
        }
        try assets.add(uploads, of: account)
    }

    // MARK: Deployments

    /// A form with `manifest` (hashes by path), `branch`, `_headers` and `_redirects`.
    func deploy(_ call: Call) throws -> JSONValue {
        let key = ScriptKey(account: call.account, name: call["project"])
        let script = try require(key)
        let form = try MultipartForm(call.body, contentType: call.contentType)
        if let code = form.parts.first(where: { Self.codeParts.contains($0.name) }) {
            throw APIError(400, 8_000_000, "the deployment has '\(code.name)': Pages has no code here; deploy a Worker")
        }
        let production = script.settings[Self.mark]?["production_branch"]?.string ?? "main"
        let branch = form["branch"].map { String(decoding: $0.body, as: UTF8.self) } ?? production
        guard branch == production else {
            throw APIError(
                400, 8_000_000, "there are no preview deployments here: deploy to the branch '\(production)'")
        }
        guard let part = form["manifest"], let manifest = (try? Call.json(part.body))?.object else {
            throw APIError.badBody("the form needs a part 'manifest': an object of hashes by path")
        }
        guard manifest.count <= assets.limits.files else {
            throw APIError.tooLarge("the manifest has \(manifest.count) files; \(assets.limits.files) are allowed")
        }
        let hashes = try manifest.map { path, hash -> (String, String) in
            guard AssetPath.canName(path), let hash = hash.string else {
                throw APIError.badName("'\(path)' cannot be the path of an asset")
            }
            return (path, hash)
        }
        let files = try assets.files(Dictionary(hashes) { first, _ in first }, of: key.account)
        let version = try deploy(files, try Self.configuration(form, files), to: key, by: call)
        return [
            "id": .string(version.id), "project_name": .string(key.name), "environment": "production",
            "url": .string("http://\(try address(of: key))"), "created_on": .string(version.createdOn.description),
            "latest_stage": ["name": "deploy", "status": "success"],
        ]
    }

    private func deploy(
        _ files: [String: AssetFile], _ configuration: AssetConfiguration, to key: ScriptKey, by call: Call
    ) throws -> ScriptVersion {
        try scripts.addVersion(to: key, by: call, isDeployed: true) { base in
            ScriptService.Change(
                version: ScriptVersion(source: call.source, author: call.token.name, syntax: .modules), files: [],
                bindings: try BindingSet(nil, keep: [], base: base),
                assets: AssetSet(files: files, configuration: configuration))
        }
    }

    /// Without a page for what is not there, a project is one page. Lines of rules that cannot be read are let pass.
    private static func configuration(_ form: MultipartForm, _ files: [String: AssetFile]) throws -> AssetConfiguration
    {
        func text(_ name: String) throws -> String {
            let body = form[name]?.body ?? []
            guard body.count <= AssetConfiguration.rulesBytes else {
                throw APIError.tooLarge("\(name) has over \(AssetConfiguration.rulesBytes) bytes")
            }
            return String(decoding: body, as: UTF8.self)
        }
        var configuration = AssetConfiguration()
        configuration.notFoundHandling = files["/404.html"] == nil ? .singlePageApplication : .page
        configuration.headers = AssetRules.headers(try text("_headers")).rules
        configuration.redirects =
            AssetRules.redirects(
                try text("_redirects"), htmlHandling: configuration.htmlHandling
            ).rules
        return configuration
    }
}
