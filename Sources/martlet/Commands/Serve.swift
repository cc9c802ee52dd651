import ArgumentParser
import Control
import Edge
import Glibc
import Model
import Project
import Runtime
import Store
import Supervisor

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
    @OptionGroup var hosting: HostingOptions
    @Option(help: "What the workers' relative URLs are relative to. None by default: they are errors.")
    var baseUrl: String?
    @OptionGroup var variables: VariableOptions
    @OptionGroup var compatibility: CompatibilityOptions

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
        SignalWait.block([SIGHUP])
        let handover = try Handover()
        if let folder {
            try serve(folder: folder, handover)
        } else if let data = platform.data {
            try serve(data: data, handover)
        }
    }

    /// What is deployed in a data folder.
    private func serve(data: String, _ handover: Handover) throws {
        let writer = LineWriter(descriptor: 2)
        let log = hosting.logs.sink(writer, or: .json, showsRequests: false)
        let plan = try platform.readPlan()
        let store = try platform.open(data, handover)
        let options = try hosting.options(.platform(baseDomain: platform.baseDomain.lowercased()), log: log)
        let tails = TailHub(lifetime: platform.tailS, colo: options.host.location?.colo ?? "")
        let way = try Server.egress(hosting.egress.settings)
        var services: HostServices?
        let supervised = try Supervised(
            hosting, options: options, handover: handover, data: data, log: log,
            door: CordonDoor(baseDomain: platform.baseDomain.lowercased()), zones: store
        ) { cache, certificates in
            let made = HostServices(
                egress: way, limits: hosting.egress.settings.limits, cache: cache, store: store, traces: tails,
                certificates: certificates, events: log)
            services = made
            return made
        }
        let platformServer = try PlatformServer(
            supervised: supervised, options: options, services: services!, store: store, tails: tails,
            nats: try platform.feed.server(), clock: platform.schedules.clock, log: log)
        try platformServer.start(
            on: try handover.listen("admin", hosting.adminHost, hosting.adminPort),
            ControlServer.Settings(
                isOpen: ControlServer.isLoopback(hosting.adminHost), baseDomain: platform.baseDomain.lowercased(),
                plan: plan,
                assets: platform.assetLimits, jitlessCordons: Set(hosting.sandbox.jitless)))
        supervised.runUntilSignal(
            writer: writer, longestDrain: hosting.longestDrain,
            Supervised.Company(
                pause: { platformServer.pause() }, resume: { platformServer.resume() }, end: { platformServer.end() },
                isAlone: { store.tell() }))
    }

    private func serve(folder: String, _ handover: Handover) throws {
        let writer = LineWriter(descriptor: 2)
        let log = hosting.logs.sink(writer, or: .json, showsRequests: false)
        let workers = WorkerFolder(
            path: folder, limits: hosting.limits.limits, bindings: variables.bindings,
            compatibility: compatibility.compatibility, baseURL: baseUrl)
        compatibility.warn(to: log)
        let way = try Server.egress(hosting.egress.settings)
        let supervised = try Supervised(
            hosting, options: try hosting.options(.folder, log: log), handover: handover, log: log
        ) { cache, certificates in
            HostServices(
                egress: way, limits: hosting.egress.settings.limits, cache: cache, certificates: certificates,
                events: log)
        }
        let deployment = FolderDeployment(workers, supervisor: supervised.supervisor, log: log)
        try deployment.update()
        try supervised.start()
        try supervised.startAdmin(host: hosting.adminHost, port: hosting.adminPort)
        try FileChanges.watch(folder: folder) {
            do {
                try deployment.update()
            } catch {
                log.log(LogEvent(worker: "", request: 0, level: "error", text: "\(error)"))
            }
        }
        supervised.runUntilSignal(writer: writer, longestDrain: hosting.longestDrain)
    }
}

/// Keeps the supervisor's Workers as the folder is.
private final class FolderDeployment {
    private let folder: WorkerFolder
    private let supervisor: Supervisor
    private let log: any EventSink

    init(_ folder: WorkerFolder, supervisor: Supervisor, log: any EventSink) {
        self.folder = folder
        self.supervisor = supervisor
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
        for name in supervisor.entries.keys where !names.contains(name) { supervisor.replace(name, with: nil) }
    }

    private func update(_ name: String, _ path: String) {
        switch folder.load(name: name, path: path) {
        case .worker(let definition):
            let entry = Supervisor.Entry.worker(definition)
            if supervisor.entries[name] != entry { supervisor.replace(name, with: entry) }
        case .failed(_, let error):
            let entry = Supervisor.Entry.broken(error.description)
            if supervisor.entries[name] == entry { return }
            log.log(LogEvent(worker: name, request: 0, level: "error", text: error.description))
            supervisor.replace(name, with: entry)
        }
    }
}
