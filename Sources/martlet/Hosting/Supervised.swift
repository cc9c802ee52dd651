import Cache
import Control
import Edge
import Glibc
import Isolates
import Model
import Runtime
import Supervisor
import Synchronization

/// The process of `martlet serve`: sockets, and the supervisor of the hosts. It starts no V8.
final class Supervised: Sendable {
    let supervisor: Supervisor
    private let listeners: [Listener]
    private let cache: DiskCache

    /// Binds the sockets.
    /// - Parameters:
    ///   - door: where there may be several cordons.
    ///   - services: makes what the hosts need, with the cache and the certificates.
    init(
        host: String, port: UInt16, tls: TLSOptions, options: Supervisor.Options, cache settings: CacheSettings,
        log: any EventSink, door: CordonDoor? = nil, services: (DiskCache, CertificateStore?) throws -> HostServices
    ) throws {
        let certificates = try tls.certificates()
        var listeners = [try Server.listen(host, port)]
        if let port = tls.port, let certificates {
            listeners.append(try Server.listen(host, port, certificates))
            try CertificateReload.follow(certificates, log: log)
        }
        self.listeners = listeners
        var options = options
        options.listeners = listeners.map(\.descriptor)
        options.host.listeners = listeners.map(\.isSecure)
        cache = try Server.cache(settings)
        supervisor = Supervisor(options: options, services: try services(cache, certificates), door: door)
        let proxies = options.host.proxies.compactMap { AddressRange($0) }
        door?.connect(listeners, proxies: proxies, to: supervisor)
    }

    /// What hosts are told, by the flags of a command.
    static func options(
        _ role: HostSettings.Role, lanes: LaneOptions, limits: LimitOptions, sandbox: SandboxOptions,
        ingress: IngressOptions, showsEveryOutcome: Bool, log: any EventSink
    ) -> Supervisor.Options {
        let placement = lanes.options
        let settings = ingress.settings(showsEveryOutcome: showsEveryOutcome)
        var options = Supervisor.Options()
        options.taintBudget = sandbox.taintBudget
        options.jitlessCordons = Set(sandbox.jitless)
        options.host.role = role
        options.host.frontLanes = placement.frontLanes
        options.host.backLanes = placement.backLanes
        options.host.blankIsolates = placement.blankIsolates
        options.host.memoryBudgetMegabytes = placement.memoryBudgetMegabytes
        options.host.processMemoryMegabytes = placement.processMemoryMegabytes
        options.host.accounts = placement.accounts
        options.host.timerJitterMilliseconds = placement.timerJitterMilliseconds
        options.host.defaultMemoryMegabytes = limits.memoryMb
        options.host.limits = limits.limits
        options.host.engineFlags = lanes.v8Flags
        options.host.showsEveryOutcome = showsEveryOutcome
        options.host.wantsRequests = log.wantsRequests
        options.host.wantsRays = log.wantsRays
        options.host.sandbox = sandbox.mode
        options.host.ingress = settings.limits
        options.host.http2 = settings.http2
        options.host.location = settings.location
        options.host.proxies = ingress.proxies
        return options
    }

    /// Starts a host and says where it listens.
    func start() throws {
        do {
            try supervisor.start()
        } catch {
            throw CleanFailure("\(error)")
        }
        for listener in listeners { Server.announce(listener) }
    }

    /// Whoever runs Workers, for the status page and the metrics.
    var hosts: [HostStatus] {
        supervisor.statuses.map { HostStatus(process: $0.process, cordon: $0.cordon.name, runtime: $0.status) }
    }

    /// The status page, on a thread that serves nothing else.
    /// - Parameter place: how a location is; nil if this is none.
    func startAdmin(host: String, port: UInt16, place: (@Sendable () -> JSONValue)? = nil) throws {
        let listener = try Server.listen(host, port)
        let isOpen = ControlServer.isLoopback(host)
        Thread.spawn(name: "admin") { [self] in
            guard let loop = try? EventLoop() else { return }
            let ingress = Ingress(loop: loop, settings: IngressSettings())
            try? ingress.open(listener, handler: AdminPages(isOpen: isOpen, place: place) { self.hosts })
            loop.run()
        }
        Server.announce(listener)
    }

    /// Serves until SIGTERM or SIGINT; then the hosts finish what is under way, and the process ends, whatever happens
    /// within `longestDrain` ms and a second. A second signal ends it at once.
    /// - Parameter last: called before the process ends.
    func runUntilSignal(writer: LineWriter, longestDrain milliseconds: Int, last: () -> Void = {}) -> Never {
        SignalWait.wait()
        Thread.spawn(name: "impatience") { [supervisor] in
            SignalWait.wait()
            supervisor.kill()
            _exit(1)
        }
        supervisor.drain(within: milliseconds + 1_000) {
            for listener in listeners { listener.stop() }
        }
        cache.close()
        last()
        writer.flush()
        _exit(0)
    }
}
