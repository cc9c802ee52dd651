import ArgumentParser
import Edge
import Model
import Runtime
import Sandbox
import Supervisor

/// Flags of the commands that run hosts: where they listen, and what the hosts are told.
struct HostingOptions: ParsableArguments {
    @Option(help: "Port to listen on; 0 picks a free one.")
    var port: UInt16 = 8787
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port of the status page, and of the control API where there is one; 0 picks a free one.")
    var adminPort: UInt16 = 8788
    @Option(help: "Address of the status page, and of the control API where there is one.")
    var adminHost = "127.0.0.1"
    @Flag(help: "Puts Martlet-Outcome on every answer, not only on errors.")
    var showOutcome = false
    @OptionGroup var limits: LimitOptions
    @OptionGroup var lanes: LaneOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var ingress: IngressOptions
    @OptionGroup var tls: TLSOptions
    @OptionGroup var egress: EgressOptions
    @OptionGroup var cache: CacheOptions
    @OptionGroup var logs: LogOptions

    /// From the signal to end until requests are cut off, in milliseconds.
    var longestDrain: Int { ingress.longestDrain(limits.limits) }

    /// What hosts are told, and where they are bounded.
    /// - Throws: which of the flags do not go together.
    func options(_ role: HostSettings.Role, log: any EventSink) throws(CleanFailure) -> Supervisor.Options {
        let placement = lanes.options
        let bounds = try sandbox.bounds(for: placement, isMemorySet: lanes.processMemoryMb != nil)
        let settings = ingress.settings(showsEveryOutcome: showOutcome)
        var options = Supervisor.Options()
        options.taintBudget = sandbox.taintBudget
        options.jitlessCordons = Set(sandbox.jitless)
        options.groups = sandbox.mode == .off ? nil : ControlGroups(limits: bounds.limits)
        options.host.role = role
        options.host.frontLanes = placement.frontLanes
        options.host.backLanes = placement.backLanes
        options.host.blankIsolates = placement.blankIsolates
        options.host.memoryBudgetMegabytes = placement.memoryBudgetMegabytes
        options.host.processMemoryMegabytes = bounds.processMemoryMegabytes
        options.host.accounts = placement.accounts
        options.host.timerJitterMilliseconds = placement.timerJitterMilliseconds
        options.host.defaultMemoryMegabytes = limits.memoryMb
        options.host.limits = limits.limits
        options.host.engineFlags = lanes.v8Flags
        options.host.showsEveryOutcome = showOutcome
        options.host.wantsRequests = log.wantsRequests
        options.host.wantsRays = log.wantsRays
        options.host.sandbox = sandbox.mode
        options.host.ingress = settings.limits
        options.host.http2 = settings.http2
        options.host.location = settings.location
        options.host.proxies = ingress.proxies
        return options
    }
}
