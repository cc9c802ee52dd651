package import Isolates
package import Model
internal import Synchronization
internal import WebAPI

/// Which worker runs on which lane; the lanes themselves; what they share. Any thread.
package final class Placement: Sendable {
    package struct Options: Sendable {
        /// Lanes that accept connections; as many as cores.
        package var frontLanes = 1
        package var backLanes = 4
        /// Blank isolates kept ready. `--blank-isolates`.
        package var blankIsolates = 8
        /// What all isolates together may use before idle ones are evicted, in MiB. `--memory-budget-mb`.
        package var memoryBudgetMegabytes = 4_096
        /// Memory of the whole process at which isolates are evicted and then requests refused, in MiB.
        /// `--process-memory-mb`.
        package var processMemoryMegabytes = 4_096
        package var accounts = AccountCaps()
        package var watchdog = Watchdog.Steps()
        /// Milliseconds by which timers may be late, each by chance. `--timer-jitter-ms`.
        package var timerJitterMilliseconds = 0
        /// Whether answers say what they cost, as under `martlet dev`.
        package var showsTimings = false
        package init() {}
    }

    /// A lane as other lanes see it.
    package struct LaneReference: Sendable {
        let id: Int
        let kind: Lane.Kind
        let loop: EventLoop.Remote
        let lane: LoopBound<Lane>
    }

    /// What a lane does with a request whose worker it does not have.
    enum Place {
        case here
        case elsewhere(LaneReference)
    }

    private struct Residence {
        /// Lanes that take the worker's requests, by number.
        var lanes: [Int] = []
        var isInBack = false
        /// Requests handed over since the last start, by the lane they came from.
        var handOvers: [Int: Int] = [:]
    }

    private struct State {
        var lanes: [Int: LaneReference] = [:]
        var nextLane = 0
        var nextBack = 0
        var residences: [ObjectIdentifier: Residence] = [:]
        /// What came before the first front lane was there, or between two.
        var waitingForFront: [@Sendable (LaneReference) -> Void] = []
        /// Who waits for a lane to have no request under way, by the lane.
        var quietWaiters: [Int: [@Sendable () -> Void]] = [:]
        /// Calls of other processes that are answered, by the lane.
        var calls: [Int: [ObjectIdentifier: IncomingCall]] = [:]
    }

    /// A request handed over costs about 20 us, a start 5 ms of CPU and a megabyte: after so many the start is cheaper.
    private static let handOversWorthAStart = 250

    package let engine: Engine
    package let pool: BlankPool
    package let reaper = Reaper()
    private let precompiler: Precompiler
    package let watchdog: Watchdog
    let work: NativeWork
    /// Threads that wait for the disk.
    let storageWork: NativeWork
    /// Nil if workers have nowhere to store anything.
    let storage: Storage?
    let rates = RateLimiter()
    let assets = AssetCache()
    private let services = Mutex<(any ServiceDirectory)?>(nil)
    let events: any EventSink
    let pages: any ErrorPages
    let egress: any Egress
    let cache: (any CacheStore)?
    /// Nil if nobody can follow workers.
    let traces: (any TraceSink)?
    private let options: Options
    private let mappings = MappingBudget()
    let processMemory: ProcessMemory
    let accounts: AccountShares
    private let evictions = Atomic<Int>(0)
    private let lostLanes = Atomic<Int>(0)
    /// Of all lanes that there have been.
    private let laneTimings = Mutex<[LaneTimings]>([])
    /// What the instances of all lanes use, as of their last collections, in bytes.
    private let memory = Atomic<Int>(0)
    private let state = Mutex(State())
    /// Called on each new front lane's thread, before its loop runs: connects the lane to the listeners.
    private let attachFrontLane: @Sendable (Lane) throws -> Void
    /// Called on the watchdog's thread when a front lane is lost.
    private let forgetFrontLane: @Sendable (EventLoop.Remote) -> Void

    /// Opens what a placement needs later, for a process that locks itself in before it makes one.
    package static func openFiles() {
        MappingBudget.openFiles()
        ProcessMemory.openFiles()
    }

    /// Starts the lanes.
    package init(
        engine: Engine, options: Options, defaultMemoryMegabytes: Int, events: any EventSink, pages: any ErrorPages,
        egress: any Egress, cache: (any CacheStore)?, storage: Storage?, traces: (any TraceSink)?,
        attachFrontLane: @escaping @Sendable (Lane) throws -> Void,
        forgetFrontLane: @escaping @Sendable (EventLoop.Remote) -> Void
    ) {
        self.engine = engine
        self.options = options
        processMemory = ProcessMemory(limit: options.processMemoryMegabytes << 20)
        accounts = AccountShares(caps: options.accounts)
        self.events = events
        self.pages = pages
        self.egress = egress
        self.cache = cache
        self.storage = storage
        self.traces = traces
        self.attachFrontLane = attachFrontLane
        self.forgetFrontLane = forgetFrontLane
        watchdog = Watchdog(steps: options.watchdog)
        // As many as cores, and two at least: one isolate may keep half of them busy.
        work = NativeWork(threads: max(2, options.frontLanes))
        storageWork = storage?.work ?? NativeWork("storage", threads: 0)
        pool = BlankPool(
            engine: engine, watchdog: watchdog, size: options.blankIsolates,
            memoryLimit: defaultMemoryMegabytes << 20, prepare: Self.prepare)
        precompiler = Precompiler(
            engine: engine, watchdog: watchdog, reaper: reaper, memoryLimit: defaultMemoryMegabytes << 20)
        for _ in 0..<options.frontLanes { startLane(.front) }
        for _ in 0..<options.backLanes { startLane(.back) }
        Thread.spawn(name: "governor") { [self] in govern() }
    }

    /// Answers the made-up requests of the warm-up in a blank isolate: its heap's first pages are touched then, and the
    /// functions that every request needs have their feedback, before a client waits for them.
    @Sendable private static func prepare(_ isolate: Isolate, _ thread: IsolateThread) {
        isolate.setHost(DetachedHost.warmUp())
        do {
            try isolate.call(Bundle.Entry.prepare.isolateEntry, number: 0, on: thread, budget: warmUpBudget)
        } catch {
            preconditionFailure("The runtime's own warm-up failed: \(error)")
        }
        isolate.setHost(nil)
    }

    /// Nanoseconds of CPU: a hundred times what it takes.
    private static let warmUpBudget: UInt64 = 100_000_000

    /// Where workers find each other. Before the first request.
    package func useServices(_ directory: any ServiceDirectory) { services.withLock { $0 = directory } }

    func service(_ key: ScriptKey, for head: RequestHead) -> ServiceTarget {
        services.withLock { $0 }?.worker(for: key, head) ?? .missing
    }

    func caller(of key: ScriptKey) -> (any ServiceCaller)? { services.withLock { $0 }?.caller(of: key) }

    /// Answers a call that another process makes. Where there is no front lane just then, waits for the next.
    /// - Parameters:
    ///   - afterChanges: runs what it is given when all is done that this process was told before.
    ///   - deliver: as of an `Egress`.
    package func answer(
        _ request: ServiceRequest, afterChanges: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> IncomingCall? {
        let (present, arrival) = state.withLock { state -> (LaneReference?, LaneArrival?) in
            if let front = state.lanes.values.filter({ $0.kind == .front }).randomElement() { return (front, nil) }
            let arrival = LaneArrival()
            state.waitingForFront.append { arrival.set($0) }
            return (nil, arrival)
        }
        guard let lane = present ?? arrival?.wait() else { return nil }
        let call = IncomingCall(on: lane.loop, deliver: deliver)
        state.withLock { $0.calls[lane.id, default: [:]][ObjectIdentifier(call)] = call }
        let isTaken = lane.loop.execute { [self] loop in
            let lane = lane.lane.value(on: loop)
            let exchange = call.begin(request, on: lane) { [self] in forget(call, on: lane.id) }
            lane.dispatch(exchange, toService: request.service.script) { [loop = loop.remote] in
                let waiting = LoopBound(exchange, to: lane.loop)
                let bound = LoopBound(lane, to: lane.loop)
                afterChanges {
                    loop.execute { loop in
                        bound.value(on: loop).dispatch(
                            waiting.value(on: loop), toService: request.service.script)
                    }
                }
            }
        }
        if !isTaken { forget(call, on: lane.id) }
        return isTaken ? call : nil
    }

    private func forget(_ call: IncomingCall, on lane: Int) {
        _ = state.withLock { $0.calls[lane]?.removeValue(forKey: ObjectIdentifier(call)) }
    }

    /// Whether something stands behind any zone: if not, no subrequest need be asked about.
    let hasOrigins = Atomic<Bool>(false)

    package func zonesHaveOrigins(_ haveSome: Bool) { hasOrigins.store(haveSome, ordering: .releasing) }

    func origin(behind host: String, and other: String, of account: String) -> OriginServer? {
        services.withLock { $0 }?.origin(behind: host, and: other, of: account)
    }

    // MARK: Lanes

    private func startLane(_ kind: Lane.Kind) {
        let id = state.withLock { state in
            defer { state.nextLane += 1 }
            return state.nextLane
        }
        Thread.spawn(name: "\(kind.rawValue)-\(id)") { [self] in
            do {
                try runLane(id, kind)
            } catch {
                let text = "The \(kind.rawValue) lane \(id) could not be started: \(error)"
                events.log(LogEvent(worker: "", request: 0, level: "error", text: text))
            }
        }
    }

    /// A lane's whole life, on its thread.
    private func runLane(_ id: Int, _ kind: Lane.Kind) throws {
        let loop = try EventLoop()
        let lane = Lane(id: id, kind: kind, loop: loop, placement: self)
        defer { lane.close() }
        laneTimings.withLock { $0.append(lane.timings) }
        let reference = LaneReference(id: id, kind: kind, loop: loop.remote, lane: LoopBound(lane, to: loop))
        let waiting = state.withLock { state -> [@Sendable (LaneReference) -> Void] in
            state.lanes[id] = reference
            guard kind == .front else { return [] }
            defer { state.waitingForFront = [] }
            return state.waitingForFront
        }
        for body in waiting { body(reference) }
        if kind == .front { try attachFrontLane(lane) }
        loop.run()
    }

    /// The lane that runs that loop.
    func lane(on loop: EventLoop) -> Lane? {
        let reference = state.withLock { $0.lanes.values.first { $0.loop === loop.remote } }
        return reference?.lane.value(on: loop)
    }

    /// On the watchdog's thread: a call there cannot be ended. Its clients are cut off rather than kept waiting, and
    /// a fresh lane takes its place.
    func laneLost(_ id: Int) {
        let (lost, others, waiters, calls) = state.withLock { state in
            let lost = state.lanes.removeValue(forKey: id)
            let calls = state.calls.removeValue(forKey: id) ?? [:]
            for key in Array(state.residences.keys) {
                state.residences[key]?.lanes.removeAll { $0 == id }
            }
            return (lost, Array(state.lanes.values), state.quietWaiters.removeValue(forKey: id) ?? [], calls.values)
        }
        guard let lost else { return }
        for call in calls { call.laneLost() }
        for waiter in waiters { waiter() }
        lostLanes.add(1, ordering: .relaxed)
        if lost.kind == .front { forgetFrontLane(lost.loop) }
        lost.loop.acceptedSockets.shutdownAll()
        for other in others { other.loop.execute { loop in other.lane.value(on: loop).laneLost(id, lost.loop) } }
        // Its call may end just now after all, wherever that is.
        lost.loop.execute { loop in lost.lane.value(on: loop).leaveIfLost() }
        startLane(lost.kind)
    }

    /// Runs a worker's handler for an event that is no request.
    /// - Parameter completion: called once, on some lane.
    package func dispatch(
        _ event: WorkerEvent, to worker: Worker, completion: @escaping @Sendable (EventResult) -> Void
    ) {
        let run: @Sendable (LaneReference) -> Void = { reference in
            let isTaken = reference.loop.execute { loop in
                reference.lane.value(on: loop).dispatch(EventExchange(event, completion: completion), to: worker)
            }
            if !isTaken { completion(EventResult(outcome: .laneLost, mayRetry: true)) }
        }
        let reference = state.withLock { state in
            let front = state.lanes.values.first { $0.kind == .front }
            if front == nil { state.waitingForFront.append(run) }
            return front
        }
        if let reference { run(reference) }
    }

    /// Runs `body` on every lane.
    package func onEachLane(_ body: @escaping @Sendable (Lane) -> Void) {
        for reference in state.withLock({ Array($0.lanes.values) }) {
            reference.loop.execute { loop in body(reference.lane.value(on: loop)) }
        }
    }

    /// Calls `completion`, on some lane, when no request is under way on any. What waitUntil prolongs is bounded, and
    /// so is the wait.
    package func whenQuiet(_ completion: @escaping @Sendable () -> Void) {
        let (lanes, left) = state.withLock { state in
            let lanes = Array(state.lanes.values)
            let left = Countdown(lanes.count, completion)
            for lane in lanes { state.quietWaiters[lane.id, default: []].append(left.step) }
            return (lanes, left)
        }
        if lanes.isEmpty { left.finish() }
        for reference in lanes {
            reference.loop.execute { [self] loop in
                reference.lane.value(on: loop).whenQuiet { self.laneIsQuiet(reference.id) }
            }
        }
    }

    private func laneIsQuiet(_ id: Int) {
        for waiter in state.withLock({ $0.quietWaiters.removeValue(forKey: id) ?? [] }) { waiter() }
    }

    // MARK: Places

    func place(_ worker: Worker, arrivingOn lane: Lane) -> Place {
        let (id, kind) = (lane.id, lane.kind)
        return state.withLock { state in
            let key = ObjectIdentifier(worker)
            guard !worker.isRetired else { return .here }
            var residence = state.residences[key] ?? Residence()
            defer { state.residences[key] = residence }
            if residence.lanes.contains(id) { return .here }
            let living = residence.lanes.compactMap { state.lanes[$0] }
            if residence.isInBack {
                if kind == .back && living.isEmpty { return Self.settle(&residence, id) }
                if let home = living.first { return .elsewhere(home) }
                let backs = state.lanes.values.filter { $0.kind == .back }.sorted { $0.id < $1.id }
                guard !backs.isEmpty else { return Self.settle(&residence, id) }
                let chosen = backs[state.nextBack % backs.count]
                state.nextBack += 1
                residence.lanes = [chosen.id]
                return .elsewhere(chosen)
            }
            guard let home = living.first else { return Self.settle(&residence, id) }
            residence.handOvers[id, default: 0] += 1
            if residence.handOvers[id]! > Self.handOversWorthAStart { return Self.settle(&residence, id) }
            return .elsewhere(home)
        }
    }

    private static func settle(_ residence: inout Residence, _ lane: Int) -> Place {
        residence.lanes.append(lane)
        residence.handOvers[lane] = nil
        return .here
    }

    /// From now on the worker's requests go to lanes of that kind. False if they do already or there is none.
    func move(_ worker: Worker, to kind: Lane.Kind) -> Bool {
        guard kind == .front || options.backLanes > 0 else { return false }
        let others = state.withLock { state -> [LaneReference]? in
            let key = ObjectIdentifier(worker)
            guard let residence = state.residences[key], residence.isInBack != (kind == .back) else { return nil }
            state.residences[key] = Residence(lanes: [], isInBack: kind == .back)
            return residence.lanes.compactMap { state.lanes[$0] }
        }
        guard let others else { return false }
        for other in others { other.loop.execute { loop in other.lane.value(on: loop).retire(worker) } }
        return true
    }

    /// The worker has no instance on that lane any more.
    func left(_ worker: Worker, _ lane: Lane) {
        let id = lane.id
        state.withLock { $0.residences[ObjectIdentifier(worker)]?.lanes.removeAll { $0 == id } }
    }

    /// The worker is going to be served: it is compiled in the background, so that its first request finds it ready.
    package func announce(_ worker: Worker) { if worker.hasCode { precompiler.add(worker.source) } }

    /// The worker is not served any more: its instances end with their last requests.
    package func retire(_ worker: Worker) {
        worker.retire()
        if worker.hasCode { precompiler.remove(worker.source) }
        _ = state.withLock { $0.residences.removeValue(forKey: ObjectIdentifier(worker)) }
        onEachLane { $0.retire(worker) }
    }

    // MARK: Room

    /// Sees to it that one more isolate fits, by evicting idle ones: here, and if none is idle here, elsewhere. False
    /// if nothing is idle.
    func makeRoom(on lane: Lane) -> Bool {
        let budget = options.memoryBudgetMegabytes << 20
        while memory.load(ordering: .relaxed) > budget {
            if lane.evictOne() { continue }
            // What the others give up comes too late for this isolate: a little over the budget it may still start.
            onEachLane { _ = $0.evictOne() }
            guard memory.load(ordering: .relaxed) <= budget + budget / Self.tolerance else { return false }
            break
        }
        // One for one, as long as there is one: what an isolate gives back is not seen at once.
        if processMemory.pressure != .none, !lane.evictOne() { return false }
        if mappings.take() { return true }
        guard lane.evictOne() else { return false }
        mappings.takeOver()
        return true
    }

    /// How often (ns) the process's mappings are counted while there are many.
    private static let governorTick: UInt64 = 1_000_000_000
    /// The share of its idle isolates that a lane gives up when the mappings run short.
    private static let shareGivenUp = 16
    /// The same when the process's memory does: that is nearer the end.
    private static let shareGivenUpForMemory = 4

    /// Evicts before the kernel's limits are reached: not only new isolates bring them nearer, grown heaps do too.
    private func govern() {
        let tick = Alarm()
        var pressure = ProcessMemory.Pressure.none
        while true {
            tick.wait(nanoseconds: Self.governorTick)
            let now = processMemory.measure()
            if now != pressure { tell(of: now) }
            pressure = now
            let isShortOfMappings = mappings.recount()
            guard now != .none || isShortOfMappings else { continue }
            let share = now == .none ? Self.shareGivenUp : Self.shareGivenUpForMemory
            onEachLane { lane in
                for _ in 0...lane.instanceCount / share where !lane.evictOne() { break }
            }
        }
    }

    private func tell(of pressure: ProcessMemory.Pressure) {
        let text =
            switch pressure {
            case .none: "Memory is no longer short."
            case .high: "Memory is short: idle isolates are evicted, and none are started beside them."
            case .critical: "Memory is nearly used up: requests are refused."
            }
        events.log(LogEvent(worker: "", request: 0, level: pressure == .none ? "info" : "warn", text: text))
    }

    /// The part of the memory budget by which it may be exceeded while other lanes evict.
    private static let tolerance = 8

    func memoryChanged(by bytes: Int) { memory.add(bytes, ordering: .relaxed) }

    func isolateEnded() { mappings.give() }

    func countEviction() { evictions.add(1, ordering: .relaxed) }

    // MARK: Numbers

    /// The process as the status page shows it.
    package struct Numbers: Sendable {
        package let frontLanes: Int
        package let backLanes: Int
        package let lostLanes: Int
        package let blankIsolates: Int
        package let isolates: Int
        package let condemned: Int
        /// Condemned isolates whose memory could not be given back.
        package let leaked: Int
        package let evictions: Int
        package let mappings: Int
        /// Jobs that wait for a thread.
        package let waitingWork: Int
        package let waitingStorageWork: Int
    }

    /// Nanoseconds.
    var timerJitter: UInt64 { UInt64(options.timerJitterMilliseconds) * 1_000_000 }

    var showsTimings: Bool { options.showsTimings }

    /// What requests took, on all lanes since the start.
    package var timings: LaneTimings.Values {
        laneTimings.withLock { $0 }.reduce(into: LaneTimings.Values()) { $0.add($1.values) }
    }

    /// Isolates whose memory could not be given back, and lanes that were given up.
    package var taint: Int { reaper.counts.lost + lostLanes.load(ordering: .relaxed) }

    package var numbers: Numbers {
        let lanes = state.withLock { Array($0.lanes.values) }
        let reaped = reaper.counts
        return Numbers(
            frontLanes: lanes.count { $0.kind == .front }, backLanes: lanes.count { $0.kind == .back },
            lostLanes: lostLanes.load(ordering: .relaxed), blankIsolates: pool.readyCount,
            isolates: mappings.isolates, condemned: reaped.condemned, leaked: reaped.lost,
            evictions: evictions.load(ordering: .relaxed), mappings: mappings.count,
            waitingWork: work.waitingCount, waitingStorageWork: storage?.waitingCount ?? 0)
    }
}
