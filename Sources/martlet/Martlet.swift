import ArgumentParser
import Glibc

@main
struct Martlet: ParsableCommand {
    /// What locations say that they run.
    static let version = "0.1"

    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Runs Cloudflare-Workers-style programs: thousands of V8 isolates in one process.",
        subcommands: [
            Init.self, Dev.self, Serve.self, Doctor.self, HostCommand.self, Keeper.self, Login.self, WhoAmI.self,
            Deploy.self, Versions.self, Rollback.self, Delete.self, Secret.self, KV.self, RouteCommand.self,
            DomainCommand.self, CertificateCommand.self,
            AccountCommand.self, TokenCommand.self, UsageCommand.self, TailCommand.self, ZoneCommand.self,
            EdgeCommand.self, LocationCommand.self, Locations.self,
        ])

    static func main() {
        SignalWait.block()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            leave(with: error)
        }
    }

    /// Ends the process: with the text that was asked for, or with what went wrong in one line.
    ///
    /// Not by exit(3), which takes V8 apart while other threads still use it.
    private static func leave(with error: any Error) -> Never {
        let code = exitCode(for: error)
        if code == .success {
            print(fullMessage(for: error))
        } else {
            let line = Array("\(Terminal.coloured("Error:", .red, on: STDERR_FILENO)) \(message(for: error))\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
        }
        fflush(nil)
        _exit(code.rawValue)
    }
}
