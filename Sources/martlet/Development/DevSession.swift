import Edge
import Foundation
import Model
import Project
import Runtime
import Synchronization

/// The Workers of `martlet dev`: loads them, and again when their files change.
final class DevSession: Sendable {
    private let server: Server
    private let log: any EventSink
    private let workers: [DevWorker]
    private let storage: LocalStorage?
    /// Several folders may change at once. Holds the folders outside the projects' that are watched.
    private let watched = Mutex<Set<String>>([])
    /// Those that are served, by the Workers' entries.
    private let assets = Mutex<[String: LocalAssets]>([:])

    /// - Parameter workers: the first is the one that answers.
    init(_ workers: [DevWorker], server: Server, storage: LocalStorage?, log: any EventSink) {
        self.workers = workers
        self.server = server
        self.storage = storage
        self.log = log
    }

    /// Loads all.
    /// - Throws: what is wrong with one.
    func start() throws {
        let loaded = try workers.map { try $0.load() }
        var names: [String: String] = [:]
        for (worker, loaded) in zip(workers, loaded) {
            for warning in (loaded.project?.warnings ?? []) + loaded.definition.compatibility.warnings {
                say("warn", warning)
            }
            if let name = loaded.project?.name { names[name] = worker.entry }
        }
        server.useServices(LocalServices(table: server.table, entries: names))
        for (worker, loaded) in zip(workers, loaded) {
            for service in loaded.services where names[service] == nil {
                throw CleanFailure(
                    "\(worker.projectFile ?? ""): it is bound to the Worker '\(service)', which is not here: "
                        + "give its project, --with PATH")
            }
            try storage?.prepare(loaded.namespaces)
            if let failure = failure(of: loaded) { throw CleanFailure(failure) }
            server.replace(worker.entry, with: .worker(worker.worker(loaded)))
            assets.withLock { $0[worker.entry] = loaded.assets }
        }
        for worker in workers { try FileChanges.watch(folder: try worker.folder()) { [self] in reload() } }
        try watch(loaded.flatMap(\.inputs))
    }

    /// What is wrong with its code, if it has any.
    private func failure(of loaded: DevWorker.Loaded) -> String? {
        loaded.definition.modules.isEmpty ? nil : server.check(loaded.definition, log: log)
    }

    private func say(_ level: String, _ text: String) {
        log.log(LogEvent(worker: SingleRouter.name, request: 0, level: level, text: text))
    }

    /// Files of a bundle may lie elsewhere.
    private func watch(_ inputs: [String]) throws {
        let folders = try workers.map { try $0.folder() }.compactMap { realpath($0, nil) }.map { real in
            defer { free(real) }
            return String(cString: real) + "/"
        }
        let others = Set(
            inputs.filter { input in
                !folders.contains { input.hasPrefix($0) } && !input.contains("/node_modules/")
            }.map { String($0[..<$0.lastIndex(of: "/")!]) })
        let new = watched.withLock { watched in
            defer { watched.formUnion(others) }
            return others.subtracting(watched)
        }
        if !new.isEmpty { try FileChanges.watch(folders: Array(new)) { [self] in reload() } }
    }

    private func reload() {
        for worker in workers { reload(worker) }
    }

    /// A worker that cannot start does not replace the one that runs.
    private func reload(_ worker: DevWorker) {
        do {
            let loaded = try worker.load()
            try storage?.prepare(loaded.namespaces)
            try watch(loaded.inputs)
            if case .worker(let running) = server.table.entries[worker.entry], running.definition == loaded.definition,
                assets.withLock({ $0[worker.entry] }) == loaded.assets
            {
                return
            }
            if let failure = failure(of: loaded) { return say("error", "Not reloaded: \(failure)") }
            server.replace(worker.entry, with: .worker(worker.worker(loaded)))
            assets.withLock { $0[worker.entry] = loaded.assets }
            say("info", "Reloaded.")
        } catch {
            say("error", "Not reloaded: \(error)")
        }
    }
}

/// Service bindings between the Workers of `martlet dev`.
private final class LocalServices: ServiceDirectory {
    private let table: WorkerTable
    /// By the Workers' names.
    private let entries: [String: String]

    init(table: WorkerTable, entries: [String: String]) {
        self.table = table
        self.entries = entries
    }

    func worker(for key: ScriptKey, _ head: RequestHead) -> ServiceTarget {
        guard let entry = entries[key.name], case .worker(let worker) = table.entries[entry] else { return .missing }
        return .worker(worker)
    }

    /// There is one process.
    func caller(of key: ScriptKey) -> (any ServiceCaller)? { nil }

    /// There are no zones.
    func origin(behind host: String, and other: String, of account: String) -> OriginServer? { nil }
}
