/// What one worker may use. The defaults are those of Cloudflare Workers' plans, where they have one.
package struct Limits: Sendable, Equatable, Codable {
    /// CPU time of one request with all it starts, in milliseconds. `--cpu-ms`.
    package var cpuMilliseconds = 50
    /// CPU time of a worker's top level, in milliseconds. `--startup-cpu-ms`.
    package var startupCPUMilliseconds = 1_000
    /// JavaScript heap, ArrayBuffers and Wasm memories of one isolate together, in MiB. `--memory-mb`.
    package var memoryMegabytes = 128
    /// Log text of one request, in KiB; the rest is dropped and counted. `--log-kb`.
    package var logKilobytes = 256
    /// Timers one request may have at a time. `--timers`.
    package var timers = 10_000
    /// How long after the answer `waitUntil` may go on, in seconds. `--wait-until-s`.
    package var waitUntilSeconds = 30
    /// How long a request may wait for nothing but other requests of its isolate, in seconds. One that waits while no
    /// other does either ends at once. `--hang-s`.
    package var hangSeconds = 30
    /// Requests one isolate works on at a time; more wait their turn elsewhere or are shed. `--concurrency`.
    package var concurrentRequests = 1_000

    /// Requests one request may make, redirects included. `--subrequests`.
    package var subrequests = 50
    /// How many of these may have a connection at a time; the others wait. `--subrequest-connections`.
    package var subrequestConnections = 6

    /// Operations on KV that one request may make.
    package var storageOperations = 1_000

    /// CPU time of a scheduled event, in milliseconds. `--scheduled-cpu-ms`.
    package var scheduledCPUMilliseconds = 30_000
    /// How long a scheduled event may take with all that it gives to `waitUntil`, in seconds. `--scheduled-s`.
    package var scheduledSeconds = 900

    package init() {}
}
