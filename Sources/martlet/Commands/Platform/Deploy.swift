import ArgumentParser
import Client
import Foundation
import Model
import Project

/// `martlet deploy`: uploads a Worker and makes it the one that answers.
struct Deploy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Uploads a Worker and makes it the one that answers.",
        discussion: """
            Name, main module, bindings, routes and schedules stand in the project file; flags come before it. Secrets \
            stay as they are.
            """)

    @Argument(help: "The main module. By default that of the project file.")
    var main: String?
    @OptionGroup var worker: WorkerOptions
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "The date whose behaviour the Worker wants, YYYY-MM-DD.")
    var compatibilityDate: String?
    @Option(name: .customLong("var"), help: "A variable of env, as NAME=VALUE. May be given many times.")
    var variables: [String] = []
    @Option(help: "What this version is called.")
    var tag: String?
    @Option(help: "What it is about.")
    var message: String?
    @OptionGroup var build: BuildOptions
    @OptionGroup var rollout: RolloutOptions
    @Flag(help: "Say what would be uploaded, and upload nothing.")
    var dryRun = false

    func validate() throws {
        for pair in variables where pair.first == "=" || !pair.contains("=") {
            throw ValidationError("--var takes NAME=VALUE, not '\(pair)'.")
        }
    }

    func run() throws {
        let project = try worker.project()
        for warning in project?.warnings ?? [] {
            let title = Terminal.coloured("Warning:", .yellow, on: STDERR_FILENO)
            FileHandle.standardError.write(Data("\(title) \(warning)\n".utf8))
        }
        guard let name = worker.name ?? project?.name else {
            throw CleanFailure("the Worker has no name: write it into a project file, or add --name")
        }
        let path = main ?? project.flatMap { project in project.main.map { "\(project.folder)/\($0)" } }
        let assets = try AssetUploads(of: project)
        guard path != nil || assets != nil else {
            throw CleanFailure("there is nothing to deploy: name the main module, here or as 'main' in a project file")
        }
        let compatibility = try CompatibilityOptions.compatibility(
            date: compatibilityDate ?? project?.compatibilityDate, flags: project?.compatibilityFlags)
        let definition = try Connection.clean {
            try path.map {
                try WorkerLoader.load(
                    $0, name: name, compatibility: compatibility, build: build.settings(project?.build)
                ).definition
            }
        }
        var files = definition?.modules.map { (name: $0.name, type: $0.kind.contentType, bytes: $0.bytes) } ?? []
        for (module, map) in definition?.sourceMaps ?? [:] {
            files.append((name: "\(module).map", type: ModuleType.sourceMap, bytes: map))
        }
        var metadata = metadata(of: definition, project)
        if dryRun {
            for file in files { print("\(file.name)  \(file.bytes.count) bytes  \(file.type)") }
            for file in assets?.files ?? [] { print("\(file.path)  \(file.size) bytes  \(file.contentType ?? "")") }
            return print(JSONValue.object(metadata).text)
        }
        let connection = try connection.connect()
        let script = Connection.script(name)
        let clock = ContinuousClock()
        let start = clock.now
        if let assets { metadata["assets"] = try assets.upload(connection, script) }
        let progress = UploadProgress(bytes: files.reduce(0) { $0 + $1.bytes.count })
        connection.client.progress = { sent, total in progress.show(sent, of: total) }
        let result = try connection.call("PUT", script, .form(metadata: .object(metadata), files: files))
        connection.client.progress = nil
        let version = result.cell("deployment_id")
        do {
            try setTriggers(connection, script, name, project)
        } catch {
            throw CleanFailure("version \(version) of \(name) is deployed, but not all that calls it is set: \(error)")
        }
        let milliseconds = (clock.now - start) / .milliseconds(1)
        let deployed = Terminal.coloured("Deployed", .green, on: STDOUT_FILENO)
        print("\(deployed) \(name) in \(Int(milliseconds)) ms, version \(version).")
        try showAddresses(connection, name, project)
        try rollout.waitForLocations(connection, script)
    }

    private func metadata(of definition: WorkerDefinition?, _ project: ProjectFile?) -> [String: JSONValue] {
        var bindings = project?.bindings ?? []
        for pair in variables {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            bindings.removeAll { $0["name"]?.string == String(parts[0]) }
            bindings.append([
                "name": .string(String(parts[0])), "type": "plain_text", "text": .string(String(parts[1])),
            ])
        }
        var metadata: [String: JSONValue] = [
            "bindings": .array(bindings),
            "compatibility_flags": .array((project?.compatibilityFlags ?? []).map { .string($0) }),
        ]
        if let main = definition?.modules[0] {
            metadata[main.kind == .script ? "body_part" : "main_module"] = .string(main.name)
        }
        if let date = compatibilityDate ?? project?.compatibilityDate {
            metadata["compatibility_date"] = .string(date)
        }
        if project?.keepsVariables == true { metadata["keep_bindings"] = ["plain_text", "json", "secret_text"] }
        metadata["limits"] = project?.limits
        var annotations: [String: JSONValue] = [:]
        annotations["workers/tag"] = tag.map { .string($0) }
        annotations["workers/message"] = message.map { .string($0) }
        metadata["annotations"] = .object(annotations)
        return metadata
    }

    private func setTriggers(
        _ connection: Connection, _ script: String, _ name: String, _ project: ProjectFile?
    ) throws {
        let isOnSubdomain = project?.isOnSubdomain ?? true
        try connection.call("POST", script + "/subdomain", .json(["enabled": .bool(isOnSubdomain)]))
        guard let project else { return }
        if project.saysRoutes {
            try connection.call("PUT", script + "/routes", .json(.array(project.routes)))
            let origins = project.customDomains.map { domain -> JSONValue in ["hostname": .string(domain)] }
            try connection.call("PUT", script + "/domains/records", .json(["origins": .array(origins)]))
        }
        if let crons = project.crons {
            try connection.call(
                "PUT", script + "/schedules", .json(.array(crons.map { ["cron": .string($0)] })))
        }
    }

    private func showAddresses(_ connection: Connection, _ name: String, _ project: ProjectFile?) throws {
        if project?.isOnSubdomain ?? true {
            let subdomain = try connection.call("GET", "/workers/subdomain")
            print("  \(name).\(subdomain.cell("subdomain")).\(subdomain.cell("base_domain"))")
        }
        for route in project?.routes ?? [] { print("  \(route.cell("pattern"))") }
        for domain in project?.customDomains ?? [] { print("  \(domain)") }
        for cron in project?.crons ?? [] { print("  \(cron)") }
    }
}

extension WorkerDefinition.Module.Kind {
    /// The type under which the platform takes a module.
    fileprivate var contentType: String {
        switch self {
        case .javaScript: "application/javascript+module"
        case .script: "application/javascript"
        case .text: "text/plain"
        case .data: "application/octet-stream"
        case .json: "application/json"
        case .wasm: "application/wasm"
        }
    }
}
