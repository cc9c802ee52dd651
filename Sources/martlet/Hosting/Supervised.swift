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
    /// - Parameter services: makes what the hosts need, with the cache and the certificates.
    init(
        host: String, port: UInt16, tls: TLSOptions, options: Supervisor.Options, cache settings: CacheSettings,
        log: any EventSink, services: (DiskCache, CertificateStore?) throws -> HostServices
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
        supervisor = Supervisor(options: options, services: try services(cache, certificates))
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
    func startAdmin(host: String, port: UInt16) throws {
        let listener = try Server.listen(host, port)
        let isOpen = ControlServer.isLoopback(host)
        Thread.spawn(name: "admin") { [self] in
            guard let loop = try? EventLoop() else { return }
            let ingress = Ingress(loop: loop, settings: IngressSettings())
            try? ingress.open(listener, handler: AdminPages(isOpen: isOpen) { self.hosts })
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
