import Foundation
import Glibc

/// A NATS server with JetStream, as Debian has it.
final class NATSServer {
    let port: Int
    let folder: ScratchFolder
    private var process: Process?
    private var configuration = ""

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }
    private static let program = "/usr/sbin/nats-server"

    /// - Parameters:
    ///   - domain: of its JetStream.
    ///   - more: of its configuration.
    init(domain: String? = nil, _ more: String = "") throws {
        port = try EdgeTests.freePort()
        folder = try ScratchFolder()
        configure(domain: domain, more)
        try start()
    }

    /// From the next start on.
    func configure(domain: String? = nil, _ more: String) {
        configuration = """
            listen: "127.0.0.1:\(port)"
            jetstream { store_dir: "\(folder.path)/store" \(domain.map { ", domain: \($0)" } ?? "") }
            \(more)
            """
    }

    deinit { kill9() }

    func start() throws {
        try folder.write("nats.conf", configuration)
        let process = Process()
        process.executableURL = URL(filePath: Self.program)
        process.arguments = ["-c", "\(folder.path)/nats.conf"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        try wait(until: "NATS listens", by: .patient) { (try? Socket(port: port)) != nil }
    }

    func kill9() {
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    /// Loses all that was published.
    func wipe() throws { try folder.remove("store") }

    var address: String { "nats://127.0.0.1:\(port)" }
}
