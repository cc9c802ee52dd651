import ArgumentParser
import Model
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

    @Option(
        name: .customLong("jitless"),
        help: "A cordon whose hosts make no machine code: slower, less to attack, no WebAssembly. Repeatable.")
    var jitless: [String] = []

    func validate() throws {
        for name in jitless {
            if let complaint = Cordon.complaint(about: name) { throw ValidationError("--jitless: \(complaint).") }
        }
        guard (1...1_000_000).contains(taintBudget) else {
            throw ValidationError("--taint-budget must be between 1 and 1000000, not \(taintBudget).")
        }
    }
}

extension SandboxMode: ExpressibleByArgument {}
