import Cache
import Control
import Edge
import Glibc
import Isolates
import Model
import Runtime
import Sandbox
import Supervisor
import Synchronization

/// The process of `martlet serve`: sockets, and the supervisor of the hosts. It starts no V8.
final class Supervised: Sendable {
    let supervisor: Supervisor
    private let groups: ControlGroups?
    private let handover: Handover
    private let listeners: [Listener]
    private let cache: DiskCache
    private let log: any EventSink
    /// The status page's.
    private let admin = Mutex<(loop: EventLoop.Remote, ingress: LoopBound<Ingress>)?>(nil)

    /// Binds the sockets.
    /// - Parameters:
    ///   - handover: from the process that served before, and to the next.
    ///   - data: the folder of all that is kept; nil if nothing is.
    ///   - door: where there may be several cordons.
    ///   - zones: where certificates are that lie in no file.
    ///   - services: makes what the hosts need, with the cache and the certificates.
    init(
        _ hosting: HostingOptions, options: Supervisor.Options, handover: Handover, data: String? = nil,
        log: any EventSink, door: CordonDoor? = nil, zones: (any CertificateSource)? = nil,
        services: (DiskCache, CertificateStore?) throws -> HostServices
    ) throws {
        self.handover = handover
        self.log = log
        groups = options.groups
        let certificates = try hosting.tls.certificates(hasZones: zones != nil)
        var listeners = [try handover.listen("http", hosting.host, hosting.port)]
        if let port = hosting.tls.port, let certificates {
            listeners.append(try handover.listen("https", hosting.host, port, certificates))
            if !certificates.folders.isEmpty { try CertificateReload.follow(certificates, log: log) }
            if let zones { ZoneCertificates.follow(zones, for: certificates, log: log) }
        }
        self.listeners = listeners
        var options = options
        options.listeners = listeners.map(\.descriptor)
        options.host.listeners = listeners.map(\.isSecure)
        cache = try Server.cache(hosting.cache.settings(folder: data.map { "\($0)/cache" }))
        supervisor = Supervisor(options: options, services: try services(cache, certificates), door: door)
        let proxies = options.host.proxies.compactMap { AddressRange($0) }
        door?.connect(listeners, proxies: proxies, to: supervisor)
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

    /// The metrics page. Hosts are asked first.
    var metrics: [UInt8] {
        let hosts = hosts
        return MetricsPage(hosts, counted: supervisor.counted).text
    }

    /// The status page, on a thread that serves nothing else.
    /// - Parameter place: how a location is; nil if this is none.
    func startAdmin(host: String, port: UInt16, place: (@Sendable () -> JSONValue)? = nil) throws {
        let listener = try handover.listen("admin", host, port)
        let isOpen = ControlServer.isLoopback(host)
        Thread.spawn(name: "admin") { [self] in
            guard let loop = try? EventLoop() else { return }
            let ingress = Ingress(loop: loop, settings: IngressSettings())
            admin.withLock { $0 = (loop.remote, LoopBound(ingress, to: loop)) }
            try? ingress.open(
                listener, handler: AdminPages(isOpen: isOpen, place: place, metrics: { self.metrics }) { self.hosts })
            loop.run()
        }
        Server.announce(listener)
    }

    private func setAdmin(isAccepting: Bool) {
        guard let (loop, ingress) = admin.withLock({ $0 }) else { return }
        loop.execute { loop in ingress.value(on: loop).setAccepting(isAccepting) }
    }

    /// What a command has running beside the hosts.
    struct Company {
        /// Leaves what only one process may do to another; nothing of it is under way any more.
        var pause: () -> Void = {}
        /// Takes it up again: there is no other process.
        var resume: () -> Void = {}
        /// Called before the process ends.
        var end: () -> Void = {}
        /// The process that served before has ended: what it did last can be seen now. Called on any thread.
        var isAlone: @Sendable () -> Void = {}
    }

    /// Serves until SIGTERM or SIGINT; then the hosts finish what is under way, and the process ends, whatever happens
    /// within `longestDrain` ms and a second. A second signal ends it at once. SIGHUP starts the program anew, which
    /// takes over.
    func runUntilSignal(writer: LineWriter, longestDrain milliseconds: Int, _ company: Company = Company()) -> Never {
        handover.isReady()
        handover.whenAlone(company.isAlone)
        let successor = waitForEnd(company)
        if successor == nil { ServiceNotice.stopping() }
        Thread.spawn(name: "impatience") { [supervisor] in
            SignalWait.wait()
            supervisor.kill()
            // Who keeps the service waits for the successor.
            if let successor { kill(successor, SIGTERM) } else { _exit(1) }
        }
        supervisor.drain(within: milliseconds + 1_000) {
            if successor == nil { for listener in listeners { listener.stop() } }
        }
        cache.close()
        company.end()
        groups?.close()
        writer.flush()
        handover.leave()
    }

    /// Waits until this process is to end.
    /// - Returns: the process that has taken over, if that is why.
    private func waitForEnd(_ company: Company) -> pid_t? {
        while SignalWait.wait(for: SignalWait.ends + [SIGHUP]) == SIGHUP, !Terminal.isHungUp {
            if let successor = upgrade(company) { return successor }
        }
        return nil
    }

    /// Starts the program anew, and has it take over.
    /// - Returns: the process; nil if there is none, and this one goes on.
    private func upgrade(_ company: Company) -> pid_t? {
        say("info", "SIGHUP: the program is started anew and takes over.")
        setAdmin(isAccepting: false)
        company.pause()
        cache.close()
        do throws(CleanFailure) {
            let successor = try handover.startSuccessor()
            say("info", "Process \(successor) serves; this one ends when its work is done.")
            return successor
        } catch {
            cache.reopen()
            company.resume()
            setAdmin(isAccepting: true)
            say("error", "The program could not be started anew: \(error). This process goes on.")
            return nil
        }
    }

    private func say(_ level: String, _ text: String) {
        log.log(LogEvent(worker: "", request: 0, level: level, text: text))
    }
}
