import ArgumentParser
import Cache
import Edge
import Foundation
import Model
import Project
import Runtime

/// `martlet dev`: one worker, reloaded when its files change.
struct Dev: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves one worker and reloads it when its files change.",
        discussion: """
            The project file says what there is besides code: variables, KV, rate limits, other Workers. Secrets stand \
            in .dev.vars beside it. What is written to KV is kept in .martlet/ there.
            """)

    @Argument(help: "The worker's main file, or a folder with a project or an index.js. By default the project here.")
    var path: String?
    @Option(help: "Port to listen on; 0 picks a free one. (default: 8787)")
    var port: UInt16?
    @Option(help: "Address to listen on. (default: 127.0.0.1)")
    var host: String?
    @OptionGroup var project: ProjectOptions
    @Option(name: .customLong("with"), help: "Another project, for service bindings: a folder or a project file.")
    var others: [String] = []
    @Flag(inversion: .prefixedNo, help: "Keep what is written to KV for the next time.")
    var persist = true
    @OptionGroup var build: BuildOptions
    @OptionGroup var variables: VariableOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var lanes: LaneOptions
    @OptionGroup var ingress: IngressOptions
    @OptionGroup var tls: TLSOptions
    @OptionGroup var egress: EgressOptions
    @OptionGroup var cache: CacheOptions
    @OptionGroup var logs: LogOptions

    func run() throws {
        let writer = LineWriter(descriptor: 2)
        let log = logs.sink(writer, or: .text, showsRequests: true)
        let settings = ingress.settings(showsEveryOutcome: true)
        let workers = try workers()
        let address = try address(workers[0])
        let storage =
            workers.contains { $0.projectFile != nil } ? try LocalStorage(in: persist ? workers[0].folder() : nil) : nil
        let cache = try Server.cache(cache.settings())
        var options = lanes.options
        options.showsTimings = true
        let server = Server(
            try Server.startEngine(flags: lanes.v8Flags), options, defaultMemoryMegabytes: limits.memoryMb,
            egress: try Server.egress(egress.settings), cache: cache,
            storage: storage.map { storage in
                Storage(kv: storage.store) { log.log(LogEvent(worker: "", request: 0, level: "error", text: $0)) }
            }, events: log)
        let session = DevSession(workers, server: server, storage: storage, log: log)
        do {
            try session.start()
        } catch {
            storage?.close()
            throw error as? CleanFailure ?? CleanFailure("\(error)")
        }
        try server.start(host: address.host, port: address.port, tls: tls, settings: settings, log: log) {
            [table = server.table] lane in
            SingleRouter(lane: lane, table: table)
        }
        server.runUntilSignal(writer: writer, longestDrain: ingress.longestDrain(limits.limits)) {
            cache.close()
            storage?.close()
        }
    }

    /// The one that answers first, then the others.
    private func workers() throws -> [DevWorker] {
        var version = ScriptVersion(source: "dev", author: "", syntax: .modules)
        version.annotations["workers/tag"] = "dev"
        func worker(_ entry: String, projectFile: String?, main: String?, isFirst: Bool) -> DevWorker {
            DevWorker(
                entry: entry, projectFile: projectFile, environment: isFirst ? project.environment : nil, main: main,
                build: build, compatibility: isFirst ? compatibility : nil, limits: limits.limits,
                variables: isFirst ? variables.bindings : [], version: version)
        }
        let inPath = path.flatMap { ProjectFile.inFolder($0) }
        let isFolder = path.map { ProjectFile.isFolder($0) } ?? false
        // A folder that is named is the whole project, whatever lies above it.
        let file = project.config ?? inPath ?? (isFolder ? nil : project.path)
        if file == nil, project.environment != nil {
            throw CleanFailure("there is no project file for --env to choose from")
        }
        let main = inPath != nil || path == nil ? nil : path
        return [worker(SingleRouter.name, projectFile: file, main: main, isFirst: true)]
            + (try others.map { path in
                guard let file = ProjectFile.inFolder(path) ?? (ProjectFile.isFolder(path) ? nil : path) else {
                    throw CleanFailure("\(path): there is no wrangler.json, .jsonc or .toml in it")
                }
                return worker("with \(file)", projectFile: file, main: nil, isFirst: false)
            })
    }

    /// Flags come before the project file's `dev`.
    private func address(_ worker: DevWorker) throws -> (host: String, port: UInt16) {
        let file = try worker.projectFile.map { file in
            try Connection.clean { try ProjectFile(file, environment: worker.environment) }
        }
        return (host ?? file?.developmentHost ?? "127.0.0.1", port ?? file?.developmentPort ?? 8787)
    }
}
