import ArgumentParser
import Glibc
import Model
import Runtime
import Sandbox

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
    @Option(
        help:
            """
            Memory of the process at which idle isolates go, and an eighth beyond it requests are refused (503), in \
            MiB. Three quarters of the machine's or the control group's by default.
            """
    )
    var processMemoryMb: Int?
    @Option(help: "Requests of one account under way at a time (503).")
    var accountRequests = AccountCaps().requests
    @Option(help: "Requests of one account that wait for their turn on a lane (503).")
    var accountQueue = AccountCaps().queued
    @Option(help: "Isolates of one account at a time.")
    var accountIsolates = AccountCaps().isolates
    @Option(help: "Timers of one account at a time.")
    var accountTimers = AccountCaps().timers
    @Option(help: "Subrequests of one account under way at a time.")
    var accountSubrequests = AccountCaps().subrequests
    @Option(help: "Make Workers' timers late by up to so much, each by chance, in ms: what they time is blurred.")
    var timerJitterMs = 0
    @Option(help: .hidden)
    var v8Flags = ""

    func validate() throws {
        let ranges: [(String, Int?, ClosedRange<Int>)] = [
            ("--front-lanes", frontLanes, 1...1_024), ("--back-lanes", backLanes, 0...1_024),
            ("--blank-isolates", blankIsolates, 0...1_000), ("--memory-budget-mb", memoryBudgetMb, 64...16 << 20),
            ("--process-memory-mb", processMemoryMb, 1...16 << 20),
            ("--account-requests", accountRequests, 1...1_000_000), ("--account-queue", accountQueue, 0...1_000_000),
            ("--account-isolates", accountIsolates, 1...1_000_000), ("--account-timers", accountTimers, 0...1_000_000),
            ("--timer-jitter-ms", timerJitterMs, 0...1_000),
            ("--account-subrequests", accountSubrequests, 0...1_000_000),
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
        options.processMemoryMegabytes =
            processMemoryMb ?? (min(memory, GroupTree.memoryLimit ?? memory) / 4 * 3) >> 20
        options.timerJitterMilliseconds = timerJitterMs
        options.accounts.requests = accountRequests
        options.accounts.queued = accountQueue
        options.accounts.isolates = accountIsolates
        options.accounts.timers = accountTimers
        options.accounts.subrequests = accountSubrequests
        return options
    }
}
