import ArgumentParser
import Glibc
import Sandbox

/// `martlet keeper`: what the first process of a service becomes when a successor serves. It passes signals on, waits,
/// and ends as the last of them does.
struct Keeper: ParsableCommand {
    static let name = "keeper"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    /// The pipe in which processes say that they serve: each its id.
    @Argument var successions: Int32

    func run() throws {
        SignalWait.block([SIGCHLD, SIGHUP])
        Child.adoptOrphans()
        // Those that serve or still have work to do, the latest last.
        var processes: [pid_t] = []
        var status: Int32 = 0
        while true {
            while case let id = waitpid(-1, &status, WNOHANG), id > 0 {
                // A process says that it serves before its predecessor ends.
                processes += arrivals()
                guard let index = processes.firstIndex(of: id) else { continue }
                processes.remove(at: index)
                if processes.isEmpty { end(as: status) }
            }
            let signal = SignalWait.wait(for: [SIGCHLD, SIGHUP] + SignalWait.ends)
            processes += arrivals()
            switch signal {
            case SIGCHLD: continue
            // Who serves gets a successor; others have theirs.
            case SIGHUP: if let latest = processes.last { kill(latest, SIGHUP) }
            default: for id in processes { kill(id, signal) }
            }
        }
    }

    private func arrivals() -> [pid_t] {
        var found: [pid_t] = []
        var id: pid_t = 0
        // Shorter than what a pipe takes at once: whole or not there.
        while read(successions, &id, MemoryLayout<pid_t>.size) == MemoryLayout<pid_t>.size { found.append(id) }
        return found
    }

    private func end(as status: Int32) -> Never {
        let signal = status & 0x7f
        _exit(signal == 0 ? status >> 8 & 0xff : 128 + signal)
    }
}
