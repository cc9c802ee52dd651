package import Model
package import Sandbox

/// What a host is started with.
package struct HostSettings: Sendable, Equatable, Codable {
    /// What it is for.
    package enum Role: Sendable, Equatable, Codable {
        /// Serves the Workers that it is told, each by the first label of its host name.
        case folder
        /// Serves what a store says.
        case platform(baseDomain: String)
        /// Serves nothing: it finds out whether Workers can start.
        case check
    }

    package var role = Role.folder
    package var frontLanes = 1
    package var backLanes = 1
    package var blankIsolates = 8
    package var memoryBudgetMegabytes = 4_096
    package var processMemoryMegabytes = 4_096
    package var defaultMemoryMegabytes = 128
    /// What the Workers of each account may use of the host.
    package var accounts = AccountCaps()
    package var timerJitterMilliseconds = 0
    /// The most that a Worker gets.
    package var limits = Limits()
    /// V8's flags, after our own.
    package var engineFlags = ""
    /// Whether V8 makes no machine code; then there is no WebAssembly either.
    package var isJitless = false
    package var showsEveryOutcome = false
    /// Whether every request is reported, not only counted.
    package var wantsRequests = false
    /// Whether logs say which request of which client they belong to.
    package var wantsRays = false
    /// Whether Workers have anything to store in.
    package var hasStore = false
    /// Whether the host runs only if every measure of the sandbox holds, or whatever holds, or without.
    package var sandbox = SandboxMode.bestEffort
    package var ingress = IngressLimits()
    package var http2 = HTTP2Limits()
    package var location: EdgeLocation?
    /// Those who begin each connection with the PROXY protocol, as addresses or ranges.
    package var proxies: [String] = []
    /// The listening sockets that the host has got: whether connections of each are encrypted.
    package var listeners: [Bool] = []

    package init() {}
}
