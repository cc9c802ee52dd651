internal import Model

/// Uploads, and what else makes a new version.
struct ScriptService: Sendable {
    let store: any PlatformStore
    let check: any StartupCheck
    let assets: AssetService
    let jitless: JitlessRule

    /// How often a change is tried again when somebody else was faster.
    private static let attempts = 5

    /// What a change is to make of the version before.
    struct Change {
        var version: ScriptVersion
        /// nil keeps the files.
        var files: [VersionDraft.File]?
        var bindings: BindingSet
        /// nil leaves those that the version names.
        var assets: AssetSet?

        func modules(base: ScriptVersion?) -> [(name: String, type: String)] {
            files?.map { ($0.name, $0.contentType) } ?? base?.modules.map { ($0.name, $0.contentType) } ?? []
        }
    }

    func require(_ key: ScriptKey) throws -> Script {
        guard let script = try store.script(key) else { throw APIError.noScript(key.name) }
        return script
    }

    /// A script's latest version.
    func latest(of script: Script) throws -> ScriptVersion? {
        guard let id = script.latestVersion else { return nil }
        return try store.version(id, of: script.key)
    }

    /// Names of scripts: also labels of host names.
    static func check(name: String) throws(APIError) {
        guard HostName.isLabel(name), !name.contains(".") else {
            throw .badName("'\(name)' cannot be a Worker's name: letters a-z, digits, '-' and '_', at most 63")
        }
    }

    // MARK: Versions

    /// Makes a version and, if `isDeployed`, the only one that answers. Durable and checked when this returns.
    func addVersion(
        to key: ScriptKey, by call: Call, isDeployed: Bool, _ change: (ScriptVersion?) throws -> Change
    ) throws -> ScriptVersion {
        try Self.check(name: key.name)
        for _ in 0..<Self.attempts {
            let script = try store.script(key)
            let base = try script.flatMap { try latest(of: $0) }
            var change = try change(base)
            try change.bindings.resolve(in: store, script: key)
            change.version.bindings = change.bindings.bindings
            try Self.checkAssets(of: change, base: base)
            try jitless.check(change.modules(base: base), of: key)
            let report = try checkStart(of: change, base: base, key)
            change.version.handlers = report.exports.handlers
            change.version.entrypoints = report.exports.entrypoints
            try change.bindings.resolveEntrypoints(in: store, script: key, own: report.exports)
            change.version.startupMilliseconds = report.milliseconds
            let draft = VersionDraft(
                version: change.version, files: change.files, secrets: change.bindings.secrets, base: base?.id,
                assets: change.assets)
            let deployment = Deployment(
                source: call.source, author: call.token.name, annotations: change.version.annotations, shares: [])
            do {
                return try store.add(draft, to: key, deploying: isDeployed ? deployment : nil)
            } catch let error as StoreError where error.kind == .conflict {
                continue
            }
        }
        throw APIError(400, 10013, "'\(key.name)' is being changed by others at the same time; try again")
    }

    /// What needs code, or assets, has them.
    private static func checkAssets(of change: Change, base: ScriptVersion?) throws(APIError) {
        let hasCode = change.files.map { !$0.isEmpty } ?? !(base?.modules.isEmpty ?? true)
        let hasAssets = change.assets != nil || change.version.assets != nil
        if !hasCode, let set = change.assets, set.configuration.workerFirst != .never {
            throw .validation("run_worker_first needs a Worker; there are only assets")
        }
        guard let binding = change.version.bindings.first(where: { $0.type == "assets" }) else { return }
        guard hasAssets else { throw .validation("the binding '\(binding.name)' is of type assets; there are none") }
        guard hasCode else {
            throw .validation("the binding '\(binding.name)' needs a Worker; there are only assets")
        }
    }

    private func checkStart(of change: Change, base: ScriptVersion?, _ key: ScriptKey) throws -> StartupReport {
        let kept = try base.map { try store.secrets(of: $0.id, script: key) } ?? [:]
        let files = try change.files ?? base.map { try store.files(of: $0) } ?? []
        guard !files.isEmpty else { return StartupReport(failure: nil, exports: WorkerExports(), milliseconds: 0) }
        let worker = StoredWorker(
            version: change.version, files: files, secrets: kept.merging(change.bindings.secrets) { _, new in new })
        let report = check.check(worker, script: key)
        if let failure = report.failure {
            let isIdle = failure.contains("No event handlers were registered")
            throw isIdle ? APIError(400, 10068, failure) : APIError.validation(failure)
        }
        return report
    }

    /// A form with files and metadata: PUT of a script and POST of a version.
    func upload(_ call: Call, isDeployed: Bool) throws -> ScriptVersion {
        let upload = try ScriptUpload(call)
        let added = try addVersion(to: call.script, by: call, isDeployed: isDeployed) { base in
            var version = ScriptVersion(source: call.source, author: call.token.name, syntax: upload.syntax)
            try VersionSettings(upload.metadata).apply(to: &version)
            let bindings = try BindingSet(
                upload.metadata["bindings"], keep: upload.metadata["keep_bindings"], base: base)
            let assets = try self.assets.assets(in: upload.metadata, for: call.script, base: base)
            version.assets = assets.kept
            guard !upload.files.isEmpty || assets.new != nil || assets.kept != nil else {
                throw APIError.validation("there is neither a main module nor an asset")
            }
            return Change(version: version, files: upload.files, bindings: bindings, assets: assets.new)
        }
        if isDeployed { try applySettings(of: upload.metadata, to: call.script) }
        return added
    }

    /// Only the code; all else stays.
    func uploadContent(_ call: Call) throws -> ScriptVersion {
        _ = try require(call.script)
        let upload = try ScriptUpload(call)
        return try addVersion(to: call.script, by: call, isDeployed: true) { base in
            var version = Self.successor(of: base, by: call)
            version.syntax = upload.syntax
            return Change(version: version, files: upload.files, bindings: try Self.same(base))
        }
    }

    /// A version like the one before, with another number.
    static func successor(of base: ScriptVersion?, by call: Call) -> ScriptVersion {
        var version = base ?? ScriptVersion(source: call.source, author: call.token.name, syntax: .modules)
        version.id = Identifier.uuid()
        version.createdOn = .now
        version.source = call.source
        version.author = call.token.name
        version.annotations = [:]
        return version
    }

    /// The bindings of the version before.
    static func same(_ base: ScriptVersion?) throws -> BindingSet {
        let names = (base?.bindings ?? []).map { binding -> JSONValue in
            ["name": .string(binding.name), "type": "inherit"]
        }
        return try BindingSet(.array(names), keep: [], base: base)
    }

    /// What applies to all versions, out of an upload's metadata.
    func applySettings(of metadata: [String: JSONValue], to key: ScriptKey) throws {
        let given = metadata.filter { ["logpush", "tags", "observability", "tail_consumers"].contains($0.key) }
        guard !given.isEmpty else { return }
        try store.update(key) { $0.settings.merge(given) { _, new in new } }
    }

    // MARK: Content

    /// The code as it was uploaded: a script's text, or a form of its modules.
    func content(of script: Script) throws -> Reply {
        guard let version = try latest(of: script) else { throw APIError.noScript(script.name) }
        let files = try store.files(of: version)
        guard version.syntax == .modules, !files.isEmpty else {
            return .bytes(files.first?.bytes ?? [], type: "application/javascript", fields: [("ETag", version.etag)])
        }
        let boundary = Identifier.hex()
        var body: [UInt8] = []
        for file in files {
            let name = file.name.replacing("\"", with: "%22")
            let head = """
                --\(boundary)\r\nContent-Disposition: form-data; name="\(name)"; filename="\(name)"\r\n\
                Content-Type: \(file.contentType)\r\n\r\n
                """
            body += Array(head.utf8) + file.bytes + [13, 10]
        }
        body += Array("--\(boundary)--\r\n".utf8)
        return .bytes(
            body, type: "multipart/form-data; boundary=\(boundary)",
            fields: [("cf-entrypoint", files[0].name), ("ETag", version.etag)])
    }
}

/// Settings of a version that an upload's metadata, or a change of settings, gives.
struct VersionSettings {
    private let metadata: [String: JSONValue]

    init(_ metadata: [String: JSONValue]) { self.metadata = metadata }

    /// What is not given stays.
    func apply(to version: inout ScriptVersion) throws(APIError) {
        if let date = try string("compatibility_date") { version.compatibilityDate = date }
        if let flags = metadata["compatibility_flags"], !flags.isNull {
            guard let flags = flags.strings else { throw .badBody("compatibility_flags must be a list of strings") }
            version.compatibilityFlags = flags
        }
        do throws(CompatibilityError) {
            _ = try version.compatibility
        } catch {
            throw .validation(error.description)
        }
        if let limits = metadata["limits"], !limits.isNull {
            version.limits = ScriptVersion.Limits(
                cpuMilliseconds: try Self.count(limits["cpu_ms"], "limits.cpu_ms"),
                subrequests: try Self.count(limits["subrequests"], "limits.subrequests"))
        }
        if let model = try string("usage_model") { version.usageModel = model }
        if let placement = metadata["placement"], !placement.isNull { version.placement = placement }
        if metadata["annotations"]?.object != nil {
            version.annotations = try Annotations.read(metadata["annotations"])
        }
        for key in ["migrations", "exports", "containers"] {
            guard let value = metadata[key], !value.isNull, value != [], value != [:] else { continue }
            throw .validation("the metadata has '\(key)', which this server does not have")
        }
    }

    private func string(_ key: String) throws(APIError) -> String? {
        guard let value = metadata[key], !value.isNull else { return nil }
        guard let string = value.string else { throw .badBody("\(key) must be a string") }
        return string
    }

    private static func count(_ value: JSONValue?, _ name: String) throws(APIError) -> Int? {
        guard let value, !value.isNull else { return nil }
        guard let number = value.int, number > 0 else { throw .badBody("\(name) must be a number above 0") }
        return number
    }
}
