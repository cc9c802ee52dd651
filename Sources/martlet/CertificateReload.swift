import Edge
import Model

/// Keeps certificates as their files are.
enum CertificateReload {
    static func follow(_ store: CertificateStore, log: any EventSink) throws {
        try FileChanges.watch(folders: store.folders) { reload(store, log) }
    }

    /// Files that are not as they should be change nothing: what was read last is still good.
    private static func reload(_ store: CertificateStore, _ log: any EventSink) {
        do {
            for file in try store.reload() { say("info", "Reloaded \(file).", to: log) }
        } catch {
            say("error", "Certificates not reloaded: \(error)", to: log)
        }
    }

    private static func say(_ level: String, _ text: String, to log: any EventSink) {
        log.log(LogEvent(worker: "", request: 0, level: level, text: text))
    }
}
