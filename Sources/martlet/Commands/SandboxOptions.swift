import ArgumentParser
import Model
import Runtime
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
        help: """
            Memory of a host, beyond which the kernel ends it, in MiB; where control groups can be made. By default a \
            quarter above --process-memory-mb, and 512 MiB at least.
            """)
    var hostMemoryMb: Int?
    @Option(
        help: """
            Threads of a host, beyond which it gets none; where control groups can be made. Enough for its lanes by \
            default.
            """)
    var hostThreads: Int?

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
        // Less would not start.
        let ranges: [(String, Int?, ClosedRange<Int>)] = [
            ("--host-memory-mb", hostMemoryMb, 128...16 << 20), ("--host-threads", hostThreads, 32...1 << 20),
        ]
        for case (let flag, let value?, let range) in ranges where !range.contains(value) {
            throw ValidationError("\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
        }
    }

    /// What a host may take beyond the memory at which it evicts and then refuses, in MiB, at least: an isolate may
    /// grow by its whole limit before that is measured, and the kernel's own memory for the host counts too.
    private static let leastMargin = 512
    /// The part of that memory by which the margin is larger where there is more of it. Refusing begins at an eighth.
    private static let margin = 4
    /// Threads beside the lanes: the engine's, native work, storage, watchers.
    private static let otherThreads = 64
    /// Threads for each lane, and each that may be lost before the host is replaced.
    private static let threadsPerLane = 4

    /// Where the kernel stops a host, and where the host stops itself before that.
    /// - Parameters:
    ///   - placement: by the flags for lanes and memory.
    ///   - isMemorySet: whether these have the process's memory.
    func bounds(
        for placement: Placement.Options, isMemorySet: Bool
    ) throws(CleanFailure) -> (limits: ControlGroups.Limits, processMemoryMegabytes: Int) {
        var process = placement.processMemoryMegabytes
        if let hostMemoryMb, !isMemorySet { process = min(process, hostMemoryMb * Self.margin / (Self.margin + 1)) }
        if let hostMemoryMb, hostMemoryMb <= process {
            throw CleanFailure(
                "--host-memory-mb must be more than --process-memory-mb, which is \(process), not \(hostMemoryMb)")
        }
        let memory = hostMemoryMb ?? process + max(process / Self.margin, Self.leastMargin)
        let lanes = placement.frontLanes + placement.backLanes + taintBudget
        let limits = ControlGroups.Limits(
            memory: memory << 20, threads: hostThreads ?? Self.otherThreads + Self.threadsPerLane * lanes)
        return (limits, process)
    }
}

extension SandboxMode: ExpressibleByArgument {}
