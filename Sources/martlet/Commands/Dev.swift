import ArgumentParser
import Edge
import Model
import Project
import Runtime

/// `martlet dev`: one worker, reloaded when its files change.
struct Dev: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves one worker and reloads it when its files change.")

    @Argument(help: "The worker's main file, or a folder with an index.js.")
    var path = "."
    @Option(help: "Port to listen on; 0 picks a free one.")
    var port: UInt16 = 8787
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
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
        let server = try Server(
            lanes: lanes, showsTimings: true, defaultMemoryMegabytes: limits.memoryMb, egress: egress.settings,
            cache: cache.settings(), events: log)
        compatibility.warn(to: log)
        let definition = try load()
        if let failure = server.check(definition, log: log) {
            throw CleanFailure(failure)
        }
        server.replace(SingleRouter.name, with: .worker(Worker(definition)))
        try server.start(host: host, port: port, tls: tls, settings: settings, log: log) {
            [table = server.table] lane in
            SingleRouter(lane: lane, table: table)
        }
        try FileChanges.watch(folder: try folder()) { reload(server, log) }
        server.runUntilSignal(writer: writer, longestDrain: ingress.longestDrain(limits.limits))
    }

    private func load() throws -> WorkerDefinition {
        do {
            return try WorkerLoader.load(
                path, name: SingleRouter.name, bindings: variables.bindings, limits: limits.limits,
                compatibility: compatibility.compatibility)
        } catch {
            throw CleanFailure("\(error)")
        }
    }

    private func folder() throws -> String {
        let main = try WorkerLoader.mainFile(of: path)
        return main.lastIndex(of: "/").map { String(main[..<$0]) } ?? "."
    }

    /// A worker that cannot start does not replace the one that runs.
    private func reload(_ server: Server, _ log: any EventSink) {
        func say(_ level: String, _ text: String) {
            log.log(LogEvent(worker: SingleRouter.name, request: 0, level: level, text: text))
        }
        do {
            let definition = try load()
            if case .worker(let worker) = server.table.entries[SingleRouter.name], worker.definition == definition {
                return
            }
            if let failure = server.check(definition, log: log) {
                return say("error", "Not reloaded: \(failure)")
            }
            server.replace(SingleRouter.name, with: .worker(Worker(definition)))
            say("info", "Reloaded.")
        } catch {
            say("error", "Not reloaded: \(error)")
        }
    }
}
