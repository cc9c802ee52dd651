import Edge
import Glibc
import Isolates
import Model
import Runtime
import Supervisor
import Synchronization

/// A host that serves: does what its supervisor says, and asks it for all that lies outside.
final class ServingHost: Sendable {
    private let channel: FrameChannel
    private let settings: HostSettings
    private let server: Server
    private let exchanges: RemoteExchanges
    private let store: RemoteStore
    private let traces: RemoteTraces
    private let events: RemoteEvents
    private let signer: RemoteSigner
    private let certificates = CertificateStore()
    private let listeners: [Listener]
    /// Those of other hosts that are answered here.
    private let calls = Mutex<[Int: IncomingCall]>([:])
    private let platform = Mutex<(table: PlatformTable, meter: Meter)?>(nil)
    /// Does what waits for the supervisor, and so must not be done where its answers come in.
    private let follower = OrderedWork(name: "follower")

    init(_ engine: Engine, _ settings: HostSettings, _ channel: FrameChannel) throws {
        self.channel = channel
        self.settings = settings
        exchanges = RemoteExchanges { channel.send($0.bytes) }
        store = RemoteStore { channel.send($0.bytes) }
        traces = RemoteTraces { channel.sendIfPossible($0.bytes) }
        let events = RemoteEvents(channel, settings)
        self.events = events
        signer = RemoteSigner { channel.send($0.bytes) }
        listeners = settings.listeners.enumerated().map { [certificates] index, isSecure in
            Listener(
                inherited: Supervisor.firstListener + Int32(index), certificates: isSecure ? certificates : nil)
        }
        var options = Placement.Options()
        options.frontLanes = settings.frontLanes
        options.backLanes = settings.backLanes
        options.blankIsolates = settings.blankIsolates
        options.memoryBudgetMegabytes = settings.memoryBudgetMegabytes
        options.processMemoryMegabytes = settings.processMemoryMegabytes
        options.accounts = settings.accounts
        options.timerJitterMilliseconds = settings.timerJitterMilliseconds
        let storage = settings.hasStore ? Storage(kv: store) { events.say("error", $0) } : nil
        server = Server(
            engine, options, defaultMemoryMegabytes: settings.defaultMemoryMegabytes, egress: exchanges,
            cache: exchanges, storage: storage, traces: traces, events: events)
    }

    /// Does what the supervisor says, until it says nothing more.
    func obey() -> Never {
        while let frame = (try? channel.receive()) ?? nil, let order = try? ToHost(frame[...]) { obey(order) }
        // The supervisor is gone, and with it the sockets' owner.
        _exit(1)
    }

    private func obey(_ order: ToHost) {
        switch order {
        case .hello, .check: break
        case .put(let definition): server.replace(definition.name, with: .worker(Worker(definition)))
        case .broken(let name, let why): server.replace(name, with: .broken(why))
        case .remove(let name): server.replace(name, with: nil)
        case .routes(let routes, let isWhole):
            follower.add { [self] in
                take(routes, isWhole: isWhole)
                channel.send(FromHost.applied(revision: routes.revision).bytes)
            }
        case .open:
            follower.add { [self] in
                open()
                channel.send(FromHost.serving.bytes)
            }
        case .status(let id): channel.send(FromHost.status(id: id, status).bytes)
        case .pulse(let id): channel.send(FromHost.pulse(id: id, taint: server.taint).bytes)
        case .exchange(let id, let events): exchanges.take(events, of: id)
        case .answer(let id, let answer): store.take(answer, of: id)
        case .service(let id, let order): answer(order, id)
        case .follow(let id, let names):
            traces.follow(names)
            // Who tells no number does not wait.
            if id > 0 { channel.send(FromHost.following(id: id).bytes) }
        case .certificates(let served):
            do {
                try certificates.take(served, signer: signer)
            } catch {
                events.say("error", "Certificates cannot be used: \(error)")
            }
        case .signed(let id, let signature): signer.take(signature, of: id)
        case .run(let id, let key, let event): follower.add { [self] in run(event, of: key, id) }
        case .accept(let isAccepting):
            server.setAccepting(isAccepting)
            // The table comes with the first routes.
            follower.add { [self] in platform.withLock { $0?.table }?.setOneOfMany(!isAccepting) }
        case .connection(let listener, let received, let staysForOne):
            guard let descriptor = channel.takeDescriptor() else { break }
            channel.send(FromHost.taken.bytes)
            guard listeners.indices.contains(listener) else {
                close(descriptor)
                break
            }
            listeners[listener].take(PassedSocket(descriptor, received: received, staysForOne: staysForOne))
        case .drain: drain()
        }
    }

    // MARK: What is served

    private func take(_ routes: RoutingSnapshot, isWhole: Bool) {
        guard case .platform(let baseDomain) = settings.role else { return }
        store.take(routes, isWhole: isWhole)
        guard platform.withLock({ $0 == nil }) else { return }
        let meter = Meter(ledger: store, log: events)
        do {
            let table = try server.follow(
                store, settings: PlatformTable.Settings(baseDomain: baseDomain, limits: settings.limits), meter: meter,
                elsewhere: exchanges, log: events)
            platform.withLock { $0 = (table, meter) }
            meter.start()
        } catch {
            events.say("error", "The routes cannot be read: \(error)")
        }
    }

    private func open() {
        var ingress = IngressSettings(
            limits: settings.ingress, showsEveryOutcome: settings.showsEveryOutcome, location: settings.location,
            http2: settings.http2, proxies: settings.proxies.compactMap { AddressRange($0) })
        ingress.handBack = { [channel, listeners] socket, listener in
            guard let index = listeners.firstIndex(where: { $0 === listener }) else { return }
            channel.send(FromHost.handBack(listener: index, socket.received).bytes, with: socket.descriptor)
        }
        if let table = platform.withLock({ $0?.table }) {
            server.open(listeners, settings: ingress) { lane in PlatformRouter(lane: lane, table: table) }
        } else {
            server.open(listeners, settings: ingress) { [table = server.table] lane in
                HostRouter(lane: lane, table: table)
            }
        }
    }

    private var status: RuntimeStatus {
        let table = platform.withLock { $0?.table }
        return server.status(of: table?.workers ?? server.table.workers, revision: table?.revision)
    }

    // MARK: Other hosts

    /// What another host wants of a Worker here.
    private func answer(_ order: ExchangeOrder, _ id: Int) {
        guard case .beginService(let request) = order else {
            let call = calls.withLock { calls in
                order == .cancel ? calls.removeValue(forKey: id) : calls[id]
            }
            call?.obey(order)
            return
        }
        // Under the lock: its end, on a lane, finds it there.
        let isTaken = calls.withLock { calls in
            calls[id] = server.answer(
                request, afterChanges: { [follower] in follower.add($0) },
                deliver: { [self] events in
                    channel.send(FromHost.service(id: id, events).bytes)
                    if events.contains(where: \.isFinal) { self.calls.withLock { $0[id] = nil } }
                })
            return calls[id] != nil
        }
        if !isTaken { channel.send(FromHost.service(id: id, [.failed(.workerFailed(.laneLost))]).bytes) }
    }

    // MARK: Events

    private func run(_ event: ScheduledEvent, of key: ScriptKey, _ id: Int) {
        let head = RequestHead(method: "scheduled", url: event.cron)
        let ended = { @Sendable [channel] (result: EventResult) in
            channel.send(FromHost.ran(id: id, result).bytes)
        }
        guard let table = platform.withLock({ $0?.table }), case .worker(let worker) = table.worker(for: key, head)
        else { return ended(EventResult(outcome: .scriptNotFound, mayRetry: false)) }
        server.dispatch(.scheduled(event), to: worker, completion: ended)
    }

    // MARK: The end

    private func drain() {
        server.drain { [channel] in
            channel.send(FromHost.closed.bytes)
        } then: { [self] in
            follower.add { [self] in
                platform.withLock { $0?.meter }?.flush()
                channel.send(FromHost.counted(status).bytes)
                channel.send(FromHost.drained.bytes)
                channel.flush()
                _exit(0)
            }
        }
    }
}

/// Sends what happens to the supervisor.
final class RemoteEvents: EventSink {
    private let channel: FrameChannel
    let wantsRequests: Bool
    let wantsRays: Bool

    init(_ channel: FrameChannel, _ settings: HostSettings) {
        self.channel = channel
        wantsRequests = settings.wantsRequests
        wantsRays = settings.wantsRays
    }

    func log(_ event: LogEvent) {
        let dropped = channel.takeDropped()
        if dropped > 0 {
            let text = "... \(dropped) lines were dropped: the log is read too slowly"
            channel.send(FromHost.log(LogEvent(worker: "", request: 0, level: "warn", text: text)).bytes)
        }
        channel.sendIfPossible(FromHost.log(event.cut).bytes)
    }

    func say(_ level: String, _ text: String) {
        log(LogEvent(worker: "", request: 0, level: level, text: text))
    }

    func requestEnded(_ event: RequestEvent) { channel.sendIfPossible(FromHost.requestEnded(event).bytes) }
}
