internal import Foundation
package import Model

/// How many assets a version may have, and how large each may be.
package struct AssetLimits: Sendable {
    package var files: Int
    package var fileBytes: Int

    package init(files: Int = 20_000, fileBytes: Int = 25 << 20) {
        self.files = files
        self.fileBytes = fileBytes
    }
}

/// Assets on their way from a client to a version: what is missing, uploads, and the set that a version gets.
struct AssetService: Sendable {
    let store: any PlatformStore
    let tokens: AssetTokens
    let limits: AssetLimits

    /// Bytes and files that a client is told to send at a time; as base64 it is a third more.
    private static let bucketBytes = 32 << 20
    private static let bucketFiles = 500

    // MARK: Sessions

    /// - Returns: a token, and what is to be uploaded with it; nothing if the token can be deployed already.
    func begin(_ body: [String: JSONValue], for script: ScriptKey) throws -> (jwt: String, buckets: [[String]]) {
        try ScriptService.check(name: script.name)
        guard let entries = body["manifest"]?.object else {
            throw APIError.badBody("'manifest' must be an object of paths, each with hash and size")
        }
        let manifest = try manifest(entries)
        let known = try store.uploads(manifest.values.map(\.hash), of: script.account)
        var missing: [String: Int] = [:]
        for (path, entry) in manifest {
            if let upload = known[entry.hash] {
                guard upload.size == entry.size else { throw Self.mismatch(path, entry, upload.size) }
            } else if missing.updateValue(entry.size, forKey: entry.hash) ?? entry.size != entry.size {
                throw APIError.validation("the manifest has the hash \(entry.hash) with two sizes")
            }
        }
        let session = AssetSession(script: script, manifest: manifest)
        try store.addSession(session)
        let jwt = tokens.make(missing.isEmpty ? .completion : .upload, script, session: session.id)
        return (jwt, Self.buckets(missing))
    }

    private static func mismatch(_ path: String, _ entry: AssetSession.Entry, _ size: Int) -> APIError {
        .validation(
            "'\(path)': the hash \(entry.hash) stands for \(size) bytes; the manifest says \(entry.size)")
    }

    private func manifest(_ entries: [String: JSONValue]) throws(APIError) -> [String: AssetSession.Entry] {
        guard entries.count <= limits.files else {
            throw .tooLarge("the manifest has \(entries.count) files; \(limits.files) are allowed")
        }
        var manifest: [String: AssetSession.Entry] = [:]
        for (path, value) in entries {
            guard AssetPath.canName(path) else { throw .badName("'\(path)' cannot be the path of an asset") }
            guard let hash = value["hash"]?.string, Self.isHash(hash) else {
                throw .badBody("'\(path)' needs a hash of 32 hexadecimal digits")
            }
            guard let size = value["size"]?.int, size >= 0 else { throw .badBody("'\(path)' needs its size in bytes") }
            guard size <= limits.fileBytes else {
                throw .tooLarge("'\(path)' has \(size) bytes; \(limits.fileBytes) are allowed")
            }
            manifest[path] = AssetSession.Entry(hash: hash, size: size)
        }
        return manifest
    }

    static func isHash(_ text: String) -> Bool { text.utf8.count == 32 && text.allSatisfy(\.isHexDigit) }

    private static func buckets(_ missing: [String: Int]) -> [[String]] {
        var buckets: [[String]] = []
        var room = 0
        for (hash, size) in missing.sorted(by: { $0.key < $1.key }) {
            if buckets.isEmpty || room < size || buckets[buckets.count - 1].count == bucketFiles {
                buckets.append([])
                room = bucketBytes
            }
            buckets[buckets.count - 1].append(hash)
            room -= size
        }
        return buckets
    }

    // MARK: Uploads

    /// Takes a form with a part for each content, named by its hash.
    /// - Returns: the token to deploy with if nothing is missing any more.
    func upload(_ call: Call, with token: AssetToken) throws -> String? {
        guard token.use == .upload, let session = try store.session(token.session) else {
            throw APIError.expiredSession
        }
        guard call.query["base64"] == "true" else { throw APIError.badBody("'base64=true' is needed in the query") }
        let form = try MultipartForm(call.body, contentType: call.contentType)
        let entries = Dictionary(session.manifest.values.map { ($0.hash, $0.size) }) { first, _ in first }
        var uploads: [(hash: String, bytes: [UInt8], contentType: String?)] = []
        for part in form.parts {
            guard let size = entries[part.name] else {
                throw APIError.validation("the manifest has no file with the hash '\(part.name)'")
            }
            guard let data = Data(base64Encoded: Data(part.body)) else {
                throw APIError.malformed("the file with the hash \(part.name) is not base64")
            }
            guard data.count <= limits.fileBytes else {
                throw APIError.tooLarge(
                    "the file with the hash \(part.name) has \(data.count) bytes; \(limits.fileBytes) are allowed")
            }
            guard data.count == size else {
                throw APIError.validation(
                    "the file with the hash \(part.name) has \(data.count) bytes; the manifest says \(size)")
            }
            // A type of Cloudflare's that stands for none.
            let type = part.contentType == "application/null" ? "" : part.contentType
            uploads.append((part.name, Array(data), type))
        }
        try add(uploads, of: token.account)
        let known = try store.uploads(Array(entries.keys), of: token.account)
        guard known.count == entries.count else { return nil }
        return tokens.make(.completion, session.script, session: session.id)
    }

    func add(_ uploads: [(hash: String, bytes: [UInt8], contentType: String?)], of account: String) throws {
        do {
            try store.addUploads(uploads, of: account)
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError.validation(error.message)
        }
    }

    // MARK: Deployments

    /// What an upload's metadata says of assets: a new set, or those of the version before, or none.
    func assets(
        in metadata: [String: JSONValue], for script: ScriptKey, base: ScriptVersion?
    ) throws -> (new: AssetSet?, kept: ScriptVersion.Assets?) {
        let given = metadata["assets"].flatMap { $0.isNull ? nil : $0 }
        guard given == nil || given?.object != nil else { throw APIError.badBody("'assets' must be an object") }
        if let jwt = given?["jwt"], !jwt.isNull {
            let files = try files(ofSession: jwt.string ?? "", for: script)
            let configuration = try AssetConfiguration(given?["config"])
            return (AssetSet(files: files, configuration: configuration), nil)
        }
        guard metadata["keep_assets"]?.bool == true, let base, let kept = base.assets else {
            guard given == nil || metadata["keep_assets"]?.bool == true else {
                throw APIError.validation("'assets' has no jwt, and there are no assets to keep")
            }
            return (nil, nil)
        }
        guard let config = given?["config"], !config.isNull, var set = try store.assets(of: base) else {
            return (nil, kept)
        }
        set.configuration = try AssetConfiguration(config)
        return (set, nil)
    }

    private func files(ofSession jwt: String, for script: ScriptKey) throws -> [String: AssetFile] {
        guard let token = tokens.read(jwt), token.account == script.account, token.script == script.name,
            let session = try store.session(token.session)
        else { throw APIError.validation("the assets' jwt is not one of this Worker's, or its time is over") }
        guard token.use == .completion else {
            throw APIError.validation("the assets' jwt is that of an upload which is not complete")
        }
        let manifest = session.manifest.mapValues(\.hash)
        return try files(manifest, of: script.account)
    }

    /// - Parameter manifest: hashes by path.
    func files(_ manifest: [String: String], of account: String) throws -> [String: AssetFile] {
        let known = try store.uploads(Array(manifest.values), of: account)
        var files: [String: AssetFile] = [:]
        for (path, hash) in manifest {
            guard let upload = known[hash] else {
                throw APIError.validation("the content of '\(path)', \(hash), was not uploaded")
            }
            let type = upload.contentType.map { ContentTypes.withCharset($0) } ?? ContentTypes.type(ofFile: path)
            files[path] = AssetFile(
                hash: hash, blob: upload.blob, size: upload.size, contentType: type?.isEmpty == true ? nil : type)
        }
        return files
    }
}

extension APIError {
    static let expiredSession = APIError(
        401, 10000, "Authentication error: the token is not one of an upload, or its time is over")
}

extension AssetConfiguration {
    /// The same for a project that no client sends.
    package static func checked(_ config: JSONValue) throws(AssetRuleError) -> AssetConfiguration {
        do {
            return try AssetConfiguration(config)
        } catch {
            throw AssetRuleError(error.message)
        }
    }

    /// What a client sends as `assets.config`. Unknown members are let pass.
    init(_ config: JSONValue?) throws(APIError) {
        self.init()
        guard let config, !config.isNull else { return }
        guard let config = config.object else { throw .badBody("assets.config must be an object") }
        htmlHandling = try Self.choice(config["html_handling"], "html_handling") ?? htmlHandling
        notFoundHandling = try Self.choice(config["not_found_handling"], "not_found_handling") ?? notFoundHandling
        if config["serve_directly"]?.bool == false { workerFirst = .always }
        try takeWorkerFirst(config["run_worker_first"])
        if let path = config["base_path"], !path.isNull, path != "/" {
            throw .validation("assets.config has a 'base_path', which this server does not have")
        }
        let headers = AssetRules.headers(try Self.text(config["_headers"], "_headers"))
        if let complaint = headers.complaint { throw .validation("Invalid _headers configuration:\n\(complaint)") }
        let redirects = AssetRules.redirects(
            try Self.text(config["_redirects"], "_redirects"), htmlHandling: htmlHandling)
        if let complaint = redirects.complaint {
            throw APIError(400, 100324, "Invalid _redirects configuration:\n\(complaint)")
        }
        self.headers = headers.rules
        self.redirects = redirects.rules
    }

    private mutating func takeWorkerFirst(_ value: JSONValue?) throws(APIError) {
        switch value {
        case nil, .null: break
        case .bool(let isFirst): workerFirst = isFirst ? .always : .never
        default:
            guard let list = value?.strings else {
                throw .badBody("run_worker_first must be true, false or a list of patterns")
            }
            do throws(AssetRuleError) {
                workerFirst = try Self.patterns(list)
            } catch {
                throw .validation(error.description)
            }
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue?, _ name: String
    ) throws(APIError) -> Choice? where Choice.RawValue == String {
        guard let value, !value.isNull else { return nil }
        guard let choice = value.string.flatMap({ Choice(rawValue: $0) }) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badBody("assets.config.\(name) must be one of \(choices)")
        }
        return choice
    }

    private static func text(_ value: JSONValue?, _ name: String) throws(APIError) -> String {
        guard let value, !value.isNull else { return "" }
        guard let text = value.string else { throw .badBody("assets.config.\(name) must be a string") }
        guard text.utf8.count <= rulesBytes else { throw .tooLarge("\(name) has over \(rulesBytes) bytes") }
        return text
    }
}
