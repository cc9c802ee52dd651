import ArgumentParser
import Sandbox
import Supervisor

/// Flags for the processes that run Workers.
struct SandboxOptions: ParsableArguments {
    @Option(
        name: .customLong("sandbox"),
        help: "Whether hosts run only if the sandbox holds whole (required), with what holds here, or without (off).")
    var mode = SandboxMode.bestEffort
    @Option(help: "Isolates and lanes that a host may lose before it is replaced.")
    var taintBudget = Supervisor.Options().taintBudget

    func validate() throws {
        guard (1...1_000_000).contains(taintBudget) else {
            throw ValidationError("--taint-budget must be between 1 and 1000000, not \(taintBudget).")
        }
    }
}

extension SandboxMode: ExpressibleByArgument {}
