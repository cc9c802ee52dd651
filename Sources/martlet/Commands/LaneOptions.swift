import ArgumentParser
import Glibc
import Runtime

/// Flags for the process: lanes, memory, the pool.
struct LaneOptions: ParsableArguments {
    @Option(help: "Front lanes: threads that accept connections and run workers. As many as cores by default.")
    var frontLanes: Int?
    @Option(help: "Back lanes: threads for workers whose slices are long. Twice the cores by default.")
    var backLanes: Int?
    @Option(help: "Blank isolates kept ready for cold starts; about 1 MB each.")
    var blankIsolates = 8
    @Option(
        help:
            "Memory of all isolates before idle ones are evicted, in MiB. Half of the machine's by default."
    )
    var memoryBudgetMb: Int?
    @Option(help: .hidden)
    var v8Flags = ""

    func validate() throws {
        let ranges: [(String, Int?, ClosedRange<Int>)] = [
            ("--front-lanes", frontLanes, 1...1_024), ("--back-lanes", backLanes, 0...1_024),
            ("--blank-isolates", blankIsolates, 0...1_000), ("--memory-budget-mb", memoryBudgetMb, 64...16 << 20),
        ]
        for case (let flag, let value?, let range) in ranges where !range.contains(value) {
            throw ValidationError("\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
        }
    }

    var options: Placement.Options {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        var options = Placement.Options()
        options.frontLanes = frontLanes ?? cores
        options.backLanes = backLanes ?? 2 * cores
        options.blankIsolates = blankIsolates
        options.memoryBudgetMegabytes = memoryBudgetMb ?? max(256, memory >> 21)
        return options
    }
}
