import Isolates
import Project
import Runtime

/// Calls back when files change, on a thread of its own.
enum FileChanges {
    /// `changed` is called on the watching thread, one call at a time.
    static func watch(folder: String, changed: @escaping () -> Void) throws {
        try start(changed: changed) { () throws(ProjectError) in try Watch(folder: folder) }
    }

    /// The same for files in some folders, not for those in folders below.
    static func watch(folders: [String], changed: @escaping () -> Void) throws {
        try start(changed: changed) { () throws(ProjectError) in try Watch(folders: folders) }
    }

    private static func start(changed: @escaping () -> Void, _ make: () throws(ProjectError) -> Watch) throws {
        let watch: Watch
        do {
            watch = try make()
        } catch {
            throw CleanFailure(error.description)
        }
        let watcher = FileWatcher(watch, changed: changed)
        Thread.spawn(name: "files") { watcher.run() }
    }
}

/// The watching thread's work.
private final class FileWatcher: EventHandler, @unchecked Sendable {
    // Sound because only the thread that calls `run`, once, touches it after it is made.

    /// Saves come in bursts: the callback waits until it has been quiet for so long, in nanoseconds.
    private static let quiet: UInt64 = 15_000_000

    private let watch: Watch
    private let changed: () -> Void
    private var loop: EventLoop?
    private var timer: TimerToken?

    init(_ watch: Watch, changed: @escaping () -> Void) {
        self.watch = watch
        self.changed = changed
    }

    func run() {
        guard let loop = try? EventLoop() else { return }
        self.loop = loop
        _ = try? loop.register(watch.descriptor, for: [.readable], handler: self)
        loop.run()
    }

    func ready(_ readiness: Readiness) {
        guard watch.drain(), let loop else { return }
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: Self.quiet) { [changed] in changed() }
    }
}
