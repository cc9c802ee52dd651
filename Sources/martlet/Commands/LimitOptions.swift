import ArgumentParser
import Model

/// Flags for every limit, shared by the commands.
struct LimitOptions: ParsableArguments {
    @Option(help: "CPU time of one request with all it starts, in ms.")
    var cpuMs = Limits().cpuMilliseconds
    @Option(help: "CPU time of a worker's top level, in ms.")
    var startupCpuMs = Limits().startupCPUMilliseconds
    @Option(help: "Memory of one isolate: heap, ArrayBuffers and Wasm together, in MiB.")
    var memoryMb = Limits().memoryMegabytes
    @Option(help: "Log text of one request, in KiB; the rest is dropped and counted.")
    var logKb = Limits().logKilobytes
    @Option(help: "Timers one request may have at a time.")
    var timers = Limits().timers
    @Option(help: "How long waitUntil may go on after the answer, in seconds.")
    var waitUntilS = Limits().waitUntilSeconds
    @Option(help: "How long a request may wait for nothing but other requests of its isolate, in seconds.")
    var hangS = Limits().hangSeconds
    @Option(help: "Requests one isolate works on at a time; more are refused with 503.")
    var concurrency = Limits().concurrentRequests
    @Option(help: "Requests that one request may make of others, redirects included.")
    var subrequests = Limits().subrequests
    @Option(help: "How many of these may have a connection at a time; the others wait.")
    var subrequestConnections = Limits().subrequestConnections

    @Option(help: "CPU time of a scheduled event, in ms.")
    var scheduledCpuMs = Limits().scheduledCPUMilliseconds
    @Option(help: "How long a scheduled event may take, in seconds.")
    var scheduledS = Limits().scheduledSeconds

    func validate() throws {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("--cpu-ms", cpuMs, 1...300_000), ("--startup-cpu-ms", startupCpuMs, 1...60_000),
            ("--memory-mb", memoryMb, 8...2_048), ("--log-kb", logKb, 0...1 << 20), ("--timers", timers, 0...1_000_000),
            ("--scheduled-cpu-ms", scheduledCpuMs, 1...900_000), ("--scheduled-s", scheduledS, 1...86_400),
            ("--wait-until-s", waitUntilS, 0...3_600), ("--hang-s", hangS, 1...3_600),
            ("--concurrency", concurrency, 1...1_000_000),
            ("--subrequests", subrequests, 0...1_000_000),
            ("--subrequest-connections", subrequestConnections, 1...1_000),
        ]
        for (flag, value, range) in ranges where !range.contains(value) {
            throw ValidationError("\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
        }
    }

    var limits: Limits {
        var limits = Limits()
        limits.cpuMilliseconds = cpuMs
        limits.startupCPUMilliseconds = startupCpuMs
        limits.memoryMegabytes = memoryMb
        limits.logKilobytes = logKb
        limits.timers = timers
        limits.waitUntilSeconds = waitUntilS
        limits.scheduledCPUMilliseconds = scheduledCpuMs
        limits.scheduledSeconds = scheduledS
        limits.hangSeconds = hangS
        limits.concurrentRequests = concurrency
        limits.subrequests = subrequests
        limits.subrequestConnections = subrequestConnections
        return limits
    }
}

/// `--var NAME=VALUE`.
struct VariableOptions: ParsableArguments {
    @Option(name: .customLong("var"), help: "A variable of env, as NAME=VALUE. May be given many times.")
    var pairs: [String] = []

    func validate() throws {
        for pair in pairs where pair.first == "=" || !pair.contains("=") {
            throw ValidationError("--var takes NAME=VALUE, not '\(pair)'.")
        }
    }

    var bindings: [WorkerBinding] {
        pairs.map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return WorkerBinding(name: String(parts[0]), text: String(parts[1]))
        }
    }
}
