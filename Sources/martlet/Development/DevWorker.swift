import Foundation
import Model
import Project
import Runtime

/// One Worker of `martlet dev`: read anew at each change.
struct DevWorker {
    /// Under which it stands in the table.
    let entry: String
    /// Nil if there is only a main module.
    let projectFile: String?
    let environment: String?
    /// Comes before that of the project file.
    let main: String?
    let build: BuildOptions
    /// Nil leaves it to the project file.
    let compatibility: CompatibilityOptions?
    let limits: Limits
    /// Those of flags: they come before those of files.
    let variables: [WorkerBinding]
    /// What its bindings say of the version that runs: the same as long as the process lives.
    let version: ScriptVersion

    /// What it is made of now.
    struct Loaded {
        var definition: WorkerDefinition
        /// Nil if it has none.
        var assets: LocalAssets?
        var project: ProjectFile?
        /// Names of the Workers that it is bound to.
        var services: [String]
        /// Ids of its KV namespaces.
        var namespaces: [String]
        /// Files outside its folder.
        var inputs: [String]
    }

    /// Whose Workers they are: there is one account on one's own machine.
    static let account = "local"

    /// The folder whose changes matter.
    func folder() throws -> String {
        if let projectFile { return ProjectFile.folder(of: projectFile) }
        let file = try Connection.clean { try WorkerLoader.mainFile(of: main ?? ".") }
        return ProjectFile.folder(of: file)
    }

    func load() throws -> Loaded {
        let project = try projectFile.map { try ProjectFile($0, environment: environment) }
        let stored = try stored(project)
        let key = ScriptKey(account: Self.account, name: project?.name ?? "worker")
        let frame = stored.definition(for: key, limits: limits)
        for binding in stored.version.bindings where !frame.bindings.contains(where: { $0.name == binding.name }) {
            throw CleanFailure(
                "\(projectFile ?? ""): the binding '\(binding.name)' (\(binding.type)) cannot be meant so")
        }
        let bindings = frame.bindings.filter { binding in !variables.contains { $0.name == binding.name } } + variables
        let assets = try LocalAssets(of: project)
        var definition = frame
        definition.name = entry
        definition.bindings = bindings
        definition.compatibility =
            try compatibility?.resolved(project)
            ?? CompatibilityOptions.compatibility(
                date: project?.compatibilityDate, flags: project?.compatibilityFlags)
        var inputs: [String] = []
        if main != nil || project?.main != nil || assets == nil {
            let loaded = try WorkerLoader.load(
                try path(project), name: entry, bindings: bindings, limits: frame.limits,
                compatibility: definition.compatibility,
                build: build.settings(project?.build, mode: "development"))
            (definition, inputs) = (loaded.definition, loaded.inputs)
        }
        return Loaded(
            definition: definition, assets: assets, project: project,
            services: bindings.compactMap {
                if case .service(let service) = $0.value { service.script.name } else { nil }
            },
            namespaces: bindings.compactMap { if case .kvNamespace(let id) = $0.value { id } else { nil } },
            inputs: inputs)
    }

    /// What is served of it.
    func worker(_ loaded: Loaded) -> Worker {
        var version = version
        version.compatibilityDate = loaded.project?.compatibilityDate
        version.compatibilityFlags = loaded.project?.compatibilityFlags ?? []
        let hasCode = !loaded.definition.modules.isEmpty
        return Worker(loaded.definition, assets: loaded.assets.flatMap { $0.assets(version, hasWorker: hasCode) })
    }

    private func path(_ project: ProjectFile?) throws -> String {
        if let main { return main }
        guard let project else { return "." }
        return project.main.map { "\(project.folder)/\($0)" } ?? project.folder
    }

    /// As if it had been deployed, but without files: what the project file says in the platform's form.
    private func stored(_ project: ProjectFile?) throws -> StoredWorker {
        var version = version
        guard let project else { return StoredWorker(version: version, files: [], secrets: [:]) }
        let secrets = try DevelopmentSecrets.read(in: project.folder, environment: environment)
        var texts: [String: String] = [:]
        for (name, text) in secrets { texts[name] = text }
        version.bindings = try project.bindings.map { entry in
            var fields = entry.object ?? [:]
            let name = fields.removeValue(forKey: "name")?.string ?? ""
            let type = fields.removeValue(forKey: "type")?.string ?? ""
            if let rate = fields["simple"], let period = rate["period"]?.int, !RateLimit.periods.contains(period) {
                throw CleanFailure("\(project.path): the period of '\(name)' must be 10 or 60")
            }
            return Binding(name: name, type: type, fields: fields)
        }.filter { texts[$0.name] == nil }
        version.bindings += texts.keys.sorted().map { Binding(name: $0, type: "secret_text") }
        version.limits.cpuMilliseconds = project.limits?["cpu_ms"]?.int
        return StoredWorker(version: version, files: [], secrets: texts)
    }
}
