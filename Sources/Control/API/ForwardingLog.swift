internal import Logging

/// swift-log's messages, handed on from "warning" upwards.
struct ForwardingLog: LogHandler {
    let write: @Sendable (_ level: String, _ text: String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    init(write: @escaping @Sendable (_ level: String, _ text: String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        write(event.level == .warning ? "warn" : "error", "control: \(event.message)")
    }
}
