import Cache
import Edge
import Glibc
import Isolates
import Model
import Runtime
import Synchronization
import WebAPI

/// The process: engine, lanes, listeners, joined together. One per process.
final class Server: Sendable {
    let table = WorkerTable()
    private let engine: Engine
    private let placement: Placement
    private let doors = Doors()

    /// Starts the lanes.
    /// - Parameters:
    ///   - engine: started on the calling thread, from which all lanes descend.
    ///   - storage: what workers' bindings store and read.
    ///   - traces: who follows workers.
    init(
        _ engine: Engine, _ options: Placement.Options, defaultMemoryMegabytes: Int, egress: any Egress,
        cache: any CacheStore, storage: Storage? = nil, traces: (any TraceSink)? = nil, events: any EventSink
    ) {
        self.engine = engine
        placement = Placement(
            engine: engine, options: options, defaultMemoryMegabytes: defaultMemoryMegabytes, events: events,
            pages: StandardErrorPages(), egress: egress, cache: cache, storage: storage, traces: traces,
            attachFrontLane: doors.attach, forgetFrontLane: doors.forget)
    }

    /// Starts V8 on the calling thread, and no other thread.
    static func startEngine(flags: String, isJitless: Bool = false) throws -> Engine {
        var options = Engine.Options()
        options.extraFlags = flags
        options.isJitless = isJitless
        return try Engine(bundle: Bundle.make(), options: options, warmUpHost: DetachedHost.warmUp())
    }

    /// Evaluates a worker's top level in an isolate that is thrown away.
    /// - Returns: nil if the worker can start, else what is wrong.
    func check(_ definition: WorkerDefinition, log: any EventSink) -> String? {
        WorkerCheck.report(on: definition, engine: engine, watchdog: placement.watchdog, events: log).report.failure
    }

    /// What a store says is served, kept up to date.
    func follow(
        _ feed: any RoutingFeed & VersionSource, settings: PlatformTable.Settings, meter: Meter,
        elsewhere: any ServiceCaller, log: any EventSink
    ) throws -> PlatformTable {
        try PlatformTable(
            following: feed, placement: placement, settings: settings, meter: meter, elsewhere: elsewhere, log: log)
    }

    /// Answers a call that another process makes; nil if there is no lane to do it.
    func answer(
        _ request: ServiceRequest, afterChanges: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> IncomingCall? {
        placement.answer(request, afterChanges: afterChanges, deliver: deliver)
    }

    /// Where the Workers of service bindings are.
    func useServices(_ directory: any ServiceDirectory) { placement.useServices(directory) }

    /// Runs a worker's handler for an event that is no request.
    func dispatch(
        _ event: WorkerEvent, to worker: Worker, completion: @escaping @Sendable (EventResult) -> Void
    ) {
        placement.dispatch(event, to: worker, completion: completion)
    }

    /// What the process is doing, as far as those workers are concerned.
    func status(of workers: [String: Worker], revision: Int64? = nil) -> RuntimeStatus {
        RuntimeStatus(placement, workers: workers, revision: revision)
    }

    /// How much of the process is lost: see `RuntimeStatus.taint`.
    var taint: Int { placement.taint }

    /// Changes what stands under a name; requests under way end as they began.
    func replace(_ name: String, with entry: WorkerTable.Entry?) {
        if case .worker(let worker) = entry { placement.announce(worker) }
        if let old = table.replace(name, with: entry) { placement.retire(old) }
    }

    /// Opens the listeners on every front lane, and says so on stdout. Certificates are followed as their files change.
    func start(
        host: String, port: UInt16, tls: TLSOptions, settings: IngressSettings, log: any EventSink,
        router: @escaping @Sendable (Lane) -> any RequestHandler
    ) throws {
        let certificates = try tls.certificates()
        var listeners = [try Self.listen(host, port)]
        if let port = tls.port, let certificates {
            listeners.append(try Self.listen(host, port, certificates))
            try CertificateReload.follow(certificates, log: log)
        }
        open(listeners, settings: settings, router: router)
        for listener in listeners { Self.announce(listener) }
    }

    /// Takes listeners' connections on every front lane.
    func open(
        _ listeners: [Listener], settings: IngressSettings, router: @escaping @Sendable (Lane) -> any RequestHandler
    ) {
        doors.open(Doors.Plan(listeners: listeners, settings: settings, router: router))
    }

    /// Whether lanes accept connections themselves, or get them from another process.
    func setAccepting(_ isAccepting: Bool) { doors.setAccepting(isAccepting) }

    static func egress(_ settings: EgressSettings) throws -> HTTPEgress {
        do {
            return try HTTPEgress(settings)
        } catch {
            throw CleanFailure(error.description)
        }
    }

    static func cache(_ settings: CacheSettings) throws -> DiskCache {
        do {
            return try DiskCache(settings)
        } catch {
            throw CleanFailure(error.description)
        }
    }

    static func listen(
        _ host: String, _ port: UInt16, _ certificates: CertificateStore? = nil
    ) throws -> Listener {
        do {
            return try Listener(host: host, port: Int(port), certificates: certificates)
        } catch {
            throw CleanFailure(error.description)
        }
    }

    static func announce(_ listener: Listener) { announce("Listening on \(listener.url)") }

    /// Tells the person, or the program, that started this one.
    static func announce(_ line: String) {
        // Straight to the descriptor: whoever waits for the line must not wait for a buffer.
        let line = Array("\(line)\n".utf8)
        _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }

    /// Takes no more connections, and calls `completion` when nothing is under way any more.
    /// - Parameter closed: called when no lane takes connections any more.
    func drain(closed: @escaping @Sendable () -> Void = {}, then completion: @escaping @Sendable () -> Void) {
        doors.drain(closed: closed) { [placement] in placement.whenQuiet(completion) }
    }

    /// Serves until SIGTERM or SIGINT; then finishes what is under way and ends the process, whatever happens within
    /// `longestDrain` ms and a second. A second signal ends it at once.
    /// - Parameter last: called before the process ends.
    func runUntilSignal(writer: LineWriter, longestDrain milliseconds: Int, last: () -> Void = {}) -> Never {
        SignalWait.wait()
        let finished = Alarm()
        drain { finished.ring() }
        doors.stop()
        Thread.spawn(name: "impatience") {
            SignalWait.wait()
            _exit(1)
        }
        finished.wait(nanoseconds: UInt64(milliseconds + 1_000) * 1_000_000)
        last()
        writer.flush()
        _exit(0)
    }
}

/// The listeners of the front lanes: each lane opens its own door to them, lanes that come later too.
private final class Doors: Sendable {
    struct Plan: Sendable {
        let listeners: [Listener]
        let settings: IngressSettings
        let router: @Sendable (Lane) -> any RequestHandler
    }

    private struct State {
        var plan: Plan?
        var isAccepting = true
        var lanes: [(loop: EventLoop.Remote, lane: LoopBound<Lane>)] = []
        var ingresses: [(loop: EventLoop.Remote, ingress: LoopBound<Ingress>)] = []
        /// Lanes that have not finished yet, and who waits for the last.
        var draining: [EventLoop.Remote] = []
        var drained: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// On a front lane's thread, at its start.
    @Sendable func attach(_ lane: Lane) throws {
        let entry = (loop: lane.loop.remote, lane: LoopBound(lane, to: lane.loop))
        let plan = state.withLock { state in
            state.lanes.append(entry)
            return state.plan
        }
        if let plan { try open(plan, on: lane) }
    }

    func open(_ plan: Plan) {
        let lanes = state.withLock { state in
            state.plan = plan
            return state.lanes
        }
        for (loop, lane) in lanes {
            loop.execute { [self] loop in
                do {
                    try self.open(plan, on: lane.value(on: loop))
                } catch {
                    fatalError("A lane cannot accept connections: \(error)")
                }
            }
        }
    }

    private func open(_ plan: Plan, on lane: Lane) throws {
        let ingress = Ingress(loop: lane.loop, settings: plan.settings)
        let router = plan.router(lane)
        for listener in plan.listeners { try ingress.open(listener, handler: router) }
        let entry = (loop: lane.loop.remote, ingress: LoopBound(ingress, to: lane.loop))
        let isAccepting = state.withLock { state in
            state.ingresses.append(entry)
            return state.isAccepting
        }
        ingress.setAccepting(isAccepting)
    }

    /// A lane is lost: its connections count no more, and nothing waits for it.
    @Sendable func forget(_ lane: EventLoop.Remote) {
        hasDrained(lane)
        let plan = state.withLock { state in
            state.lanes.removeAll { $0.loop === lane }
            state.ingresses.removeAll { $0.loop === lane }
            return state.plan
        }
        for listener in plan?.listeners ?? [] { listener.forget(lane) }
    }

    /// Stops accepting on every lane and calls `closed` then, and `completion` when the last has finished.
    func drain(closed: @escaping @Sendable () -> Void, then completion: @escaping @Sendable () -> Void) {
        let ingresses = state.withLock { state in
            state.draining = state.ingresses.map(\.loop)
            state.drained = completion
            return state.ingresses
        }
        let left = Countdown(ingresses.count, closed)
        for (loop, ingress) in ingresses {
            let isTaken = loop.execute { [self] loop in
                ingress.value(on: loop).drain { self.hasDrained(loop.remote) }
                left.step()
            }
            if isTaken { continue }
            left.step()
            hasDrained(loop)
        }
        if ingresses.isEmpty {
            left.finish()
            completion()
        }
    }

    /// Whether lanes accept connections themselves, or get them from another process.
    func setAccepting(_ isAccepting: Bool) {
        let ingresses = state.withLock { state in
            state.isAccepting = isAccepting
            return state.ingresses
        }
        for (loop, ingress) in ingresses {
            loop.execute { loop in ingress.value(on: loop).setAccepting(isAccepting) }
        }
    }

    /// Turns new connections away.
    func stop() {
        for listener in state.withLock({ $0.plan?.listeners ?? [] }) { listener.stop() }
    }

    private func hasDrained(_ lane: EventLoop.Remote) {
        let completion = state.withLock { state -> (@Sendable () -> Void)? in
            let count = state.draining.count
            state.draining.removeAll { $0 === lane }
            return count > 0 && state.draining.isEmpty ? state.drained : nil
        }
        completion?()
    }
}
