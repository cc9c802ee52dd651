import ArgumentParser
import Control
import Edge
import Model
import Project
import Runtime

/// `martlet serve`: a platform with its control API, or a folder of workers, each by its host name.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves what is deployed through the control API, or a folder of workers.",
        discussion: """
            With --data, Workers are deployed through the control API on the admin port; the first start prints a \
            token for it. With --workers, NAME.js or NAME/index.js in the folder answers on the host NAME.localhost.
            """)

    @Option(name: .customLong("workers"), help: "A folder of workers.")
    var folder: String?
    @OptionGroup var platform: PlatformOptions
    @Option(help: "Port to listen on; 0 picks a free one.")
    var port: UInt16 = 8787
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port of the control API and the status page; 0 picks a free one.")
    var adminPort: UInt16 = 8788
    @Option(help: "Address of the control API and the status page.")
    var adminHost = "127.0.0.1"
    @Flag(help: "Puts Martlet-Outcome on every answer, not only on errors.")
    var showOutcome = false
    @Option(help: "What the workers' relative URLs are relative to. None by default: they are errors.")
    var baseUrl: String?
    @OptionGroup var variables: VariableOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var lanes: LaneOptions
    @OptionGroup var ingress: IngressOptions
    @OptionGroup var tls: TLSOptions
    @OptionGroup var egress: EgressOptions
    @OptionGroup var cache: CacheOptions
    @OptionGroup var logs: LogOptions

    func validate() throws {
        if let baseUrl, !["http://", "https://"].contains(where: baseUrl.hasPrefix) {
            throw ValidationError("--base-url takes an absolute http or https URL, not '\(baseUrl)'.")
        }
        guard (folder == nil) != (platform.data == nil) else {
            throw ValidationError("Give either --data DIR or --workers DIR.")
        }
        guard folder != nil || variables.pairs.isEmpty else {
            throw ValidationError("--var goes with --workers: a deployed Worker has the variables of its upload.")
        }
    }

    func run() throws {
        if let folder { try serve(folder: folder) } else if let data = platform.data { try serve(data: data) }
    }

    /// What is deployed in a data folder.
    private func serve(data: String) throws {
        let writer = LineWriter(descriptor: 2)
        let log = logs.sink(writer, or: .json, showsRequests: false)
        let plan = try platform.readPlan()
        let store = try platform.open(data)
        let storage = Storage(kv: store) { log.log(LogEvent(worker: "", request: 0, level: "error", text: $0)) }
        let tails = TailHub(lifetime: platform.tailS)
        let server = try Server(
            lanes: lanes, defaultMemoryMegabytes: limits.memoryMb, egress: egress.settings,
            cache: cache.settings(folder: "\(data)/cache"), storage: storage, traces: tails, events: log)
        let platformServer = PlatformServer(server: server, store: store, tails: tails, limits: limits.limits, log: log)
        try platformServer.start(
            host: host, port: port, tls: tls,
            ingress: ingress.settings(showsEveryOutcome: showOutcome),
            control: ControlServer.Settings(
                host: adminHost, port: Int(adminPort), baseDomain: platform.baseDomain.lowercased(),
                plan: plan, assets: platform.assetLimits))
        server.runUntilSignal(writer: writer, longestDrain: ingress.longestDrain(limits.limits)) {
            platformServer.meter.flush()
        }
    }

    private func serve(folder: String) throws {
        let writer = LineWriter(descriptor: 2)
        let log = logs.sink(writer, or: .json, showsRequests: false)
        let workers = WorkerFolder(
            path: folder, limits: limits.limits, bindings: variables.bindings,
            compatibility: compatibility.compatibility, baseURL: baseUrl)
        compatibility.warn(to: log)
        let settings = ingress.settings(showsEveryOutcome: showOutcome)
        let server = try Server(
            lanes: lanes, defaultMemoryMegabytes: limits.memoryMb, egress: egress.settings,
            cache: cache.settings(), events: log)
        let deployment = FolderDeployment(workers, server: server, log: log)
        try deployment.update()
        try server.start(host: host, port: port, tls: tls, settings: settings, log: log) {
            [table = server.table] lane in
            HostRouter(lane: lane, table: table)
        }
        try server.startAdmin(host: adminHost, port: adminPort)
        try FileChanges.watch(folder: folder) {
            do {
                try deployment.update()
            } catch {
                log.log(LogEvent(worker: "", request: 0, level: "error", text: "\(error)"))
            }
        }
        server.runUntilSignal(writer: writer, longestDrain: ingress.longestDrain(limits.limits))
    }
}

/// Keeps the table of workers as the folder is.
private final class FolderDeployment {
    private let folder: WorkerFolder
    private let server: Server
    private let log: any EventSink

    init(_ folder: WorkerFolder, server: Server, log: any EventSink) {
        self.folder = folder
        self.server = server
        self.log = log
    }

    /// Reads the folder; new, changed and deleted workers take effect.
    func update() throws(CleanFailure) {
        var found: [(name: String, path: String)] = []
        do throws(ProjectError) {
            found = try folder.list()
        } catch {
            throw CleanFailure(error.description)
        }
        for (name, path) in found { update(name, path) }
        let names = Set(found.map(\.name))
        for name in server.table.entries.keys where !names.contains(name) { server.replace(name, with: nil) }
    }

    private func update(_ name: String, _ path: String) {
        switch folder.load(name: name, path: path) {
        case .worker(let definition):
            if case .worker(let worker) = server.table.entries[name], worker.definition == definition { return }
            server.replace(name, with: .worker(Worker(definition)))
        case .failed(_, let error):
            if case .broken(error.description) = server.table.entries[name] { return }
            log.log(LogEvent(worker: name, request: 0, level: "error", text: error.description))
            server.replace(name, with: .broken(error.description))
        }
    }
}
