internal import CLinux
internal import Glibc
internal import Isolates
internal import Model

/// A thread with an event loop and the isolates that live on it. Bound to that thread.
package final class Lane {
    /// Front lanes accept connections and run workers between socket and answer; back lanes run workers with long
    /// slices, where the kernel's scheduler shares the cores.
    package enum Kind: String, Sendable {
        case front
        case back
    }

    /// The weight of the last slice in the moving average that tells long-slice workers.
    static let sliceWeight = 0.05
    /// What of a slice counts there (ns): two long ones in close succession make a long-slice worker. A single one may
    /// be a collection, or time that a hypervisor gave to others, which the kernel takes for ours.
    static let longestSliceCounted: UInt64 = 11_000_000
    /// Workers whose average slice is longer than this (ns) are served from a back lane.
    static let longSlice: Double = 1_000_000
    /// In back they stay until their average is shorter than this (ns) after so many slices.
    static let shortSlice: Double = 250_000
    static let slicesBeforeReturn = 500

    package let id: Int
    package let kind: Kind
    package let loop: EventLoop
    let thread: IsolateThread
    package unowned let placement: Placement
    /// The instance of each worker that takes requests here.
    private var instances: [ObjectIdentifier: Instance] = [:]
    /// Instances whose worker has moved or been replaced: they end with their last request.
    private var retiring: [ObjectIdentifier: Instance] = [:]
    /// Requests that arrived here and run elsewhere, by the lane they run on.
    private var handOvers: [Int: [ObjectIdentifier: HandOverOrigin]] = [:]
    private var handOverLanes: [ObjectIdentifier: Int] = [:]
    /// Requests that run here and arrived elsewhere, by the loop they arrived on.
    private var handedOver: [ObjectIdentifier: [ObjectIdentifier: HandedOverExchange]] = [:]
    /// What the instances use, as of their last collections, in bytes.
    private(set) var memory = 0
    private var isAbandoned = false
    /// Whose calls run when.
    let fair: FairQueue
    /// Those of accounts that have an instance here, or something waiting.
    private var lines: [String: WeakLine] = [:]

    private struct WeakLine {
        weak var line: FairQueue.Line?
    }

    let events: any EventSink
    let pages: any ErrorPages
    let egress: any Egress
    let traces: (any TraceSink)?
    let timings = LaneTimings()
    var instanceCount: Int { instances.count + retiring.count }

    /// On the lane's thread, before its loop runs.
    init(id: Int, kind: Kind, loop: EventLoop, placement: Placement) {
        self.id = id
        self.kind = kind
        self.loop = loop
        self.placement = placement
        fair = FairQueue(loop: loop)
        events = placement.events
        pages = placement.pages
        egress = placement.egress
        traces = placement.traces
        thread = IsolateThread(watchdog: placement.watchdog) { [weak placement] in placement?.laneLost(id) }
    }

    // MARK: Requests

    /// Runs the request here, or hands it to the lane where the worker is, whichever is cheaper.
    /// - Parameter isAdmitted: asked once the request turns out to need the worker's code, not just an asset; whoever
    ///   says no has answered it.
    package func dispatch(_ exchange: any Exchange, to worker: Worker, ifAdmitted isAdmitted: () -> Bool = { true }) {
        if let assets = worker.assets, exchange.event == .fetch, exchange.service?.entrypoint == nil,
            assets.take(exchange, of: worker, on: self)
        {
            return
        }
        guard isAdmitted() else { return }
        guard worker.hasCode else { return refuse(exchange, worker, .scriptNotFound) }
        if LoopGuard.hops(of: exchange.head) >= LoopGuard.limit { return refuse(exchange, worker, .loopDetected) }
        if let instance = instances[ObjectIdentifier(worker)] { return run(exchange, in: instance) }
        guard !worker.isRetired else { return start(worker, for: exchange) }
        switch placement.place(worker, arrivingOn: self) {
        case .here: start(worker, for: exchange)
        case .elsewhere(let lane): handOver(exchange, of: worker, to: lane)
        }
    }

    /// Gives a request to the worker that a service binding names.
    /// - Parameter missing: called if there is none; without it the request is refused then.
    func dispatch(_ exchange: ServiceExchange, toService key: ScriptKey, ifMissing missing: (() -> Void)? = nil) {
        switch placement.service(key, for: exchange.head) {
        case .worker(let worker): dispatch(exchange, to: worker)
        case .missing where missing != nil: missing?()
        case .suspended, .missing: exchange.refuse(.noSuchWorker(key.name))
        }
    }

    /// Runs a request that another lane handed over.
    func dispatchHandedOver(_ exchange: any Exchange, to worker: Worker) {
        if let instance = instances[ObjectIdentifier(worker)] { return run(exchange, in: instance) }
        start(worker, for: exchange)
    }

    private func run(_ exchange: any Exchange, in instance: Instance) {
        guard instance.line.mayRun(in: loop.now) else { return wait(exchange, for: instance.worker, in: instance.line) }
        runNow(exchange, in: instance)
    }

    private func runNow(_ exchange: any Exchange, in instance: Instance, startUpTime: UInt64? = nil) {
        guard instance.requests.count < instance.worker.definition.limits.concurrentRequests,
            placement.processMemory.pressure != .critical, instance.line.share.requests.take()
        else { return shed(exchange, instance.worker) }
        instance.dispatch(exchange, startUpTime: startUpTime)
        if instance.state == .running { reconsiderPlace(of: instance) }
    }

    // MARK: Accounts

    /// The line of an account's calls, which is there as long as somebody has it.
    func line(of account: String) -> FairQueue.Line {
        if let known = lines[account]?.line { return known }
        if lines.count > 64, lines.count & (lines.count - 1) == 0 { lines = lines.filter { $0.value.line != nil } }
        let line = FairQueue.Line(placement.accounts.share(of: account))
        lines[account] = WeakLine(line: line)
        return line
    }

    /// The account has had its part of this turn.
    private func wait(_ exchange: any Exchange, for worker: Worker, in line: FairQueue.Line) {
        let isTaken = fair.add(exchange, to: line) { [unowned self] exchange in
            if let instance = instances[ObjectIdentifier(worker)] {
                runNow(exchange, in: instance)
            } else {
                startNow(worker, for: exchange)
            }
        } refuse: { [unowned self] exchange, outcome in
            refuse(exchange, worker, outcome)
        }
        if !isTaken { shed(exchange, worker) }
    }

    /// Takes an isolate of the account's share, for which an idle one of its own goes if need be.
    private func takeIsolate(of share: AccountShare) -> Bool {
        if share.isolates.take() { return true }
        if evictOne(of: share) { return share.isolates.take() }
        // What is idle elsewhere goes too late for this request.
        placement.onEachLane { _ = $0.evictOne(of: share) }
        return false
    }

    /// Long slices belong in back, short ones in front.
    private func reconsiderPlace(of instance: Instance) {
        switch kind {
        case .front where instance.averageSlice > Self.longSlice:
            if placement.move(instance.worker, to: .back) { retire(instance) }
        case .back where instance.averageSlice < Self.shortSlice && instance.sliceCount > Self.slicesBeforeReturn:
            if placement.move(instance.worker, to: .front) { retire(instance) }
        default: break
        }
    }

    /// Who has used up the CPU time of a request, or of a start, is likely to do it again: not where others wait.
    func usedUpItsTime(_ worker: Worker) {
        if kind == .front { _ = placement.move(worker, to: .back) }
    }

    private func start(_ worker: Worker, for exchange: any Exchange) {
        let line = line(of: worker.definition.account)
        guard line.mayRun(in: loop.now) else { return wait(exchange, for: worker, in: line) }
        startNow(worker, for: exchange)
    }

    private func startNow(_ worker: Worker, for exchange: any Exchange) {
        let line = line(of: worker.definition.account)
        guard takeIsolate(of: line.share) else { return shed(exchange, worker) }
        guard placement.makeRoom(on: self) else {
            line.share.isolates.give()
            return shed(exchange, worker)
        }
        guard let isolate = placement.pool.take() else {
            placement.isolateEnded()
            line.share.isolates.give()
            return shed(exchange, worker)
        }
        let instance = Instance(worker: worker, isolate: isolate, lane: self)
        instances[ObjectIdentifier(worker)] = instance
        instanceCountChanged(by: 1)
        do {
            let time = try instance.load()
            runNow(exchange, in: instance, startUpTime: time)
        } catch {
            startFailed(instance, error, exchange)
        }
        // The request was on its way when its version was replaced.
        if worker.isRetired { retire(worker) }
        leaveIfLost()
    }

    private func startFailed(_ instance: Instance, _ failure: CallFailure, _ exchange: any Exchange) {
        let worker = instance.worker
        worker.counts.addRequest()
        worker.counts.addError()
        let outcome: Outcome
        if case .exception(let error) = failure {
            outcome = .exception
            let text = "Uncaught at start: \(error.resolved(by: worker.sourceMaps).explanation)"
            events.log(LogEvent(worker: worker.name, request: 0, level: "error", text: text))
            instance.end(failingWith: .exception)
        } else {
            outcome = failure.startOutcome
            instance.condemn(failure, culprit: nil)
        }
        let startedAt = loop.now
        let status = pages.respond(to: exchange, outcome: outcome)
        timings.record(outcome, wall: 0, cpu: instance.isolate.cpuTime, isColdStart: true)
        if var trace = trace(of: exchange, to: worker) {
            trace.fail(failure.explanation(of: worker))
            trace.outcome = outcome
            trace.status = status
            trace.cpuTime = instance.isolate.cpuTime
            traces?.take(trace)
        }
        guard events.wantsRequests else { return }
        let head = exchange.head
        events.requestEnded(
            RequestEvent(
                worker: worker.name, method: head.methodString, url: head.urlString, status: status, outcome: outcome,
                wallTime: EventLoop.monotonicNow() - startedAt, cpuTime: instance.isolate.cpuTime, isColdStart: true))
    }

    private func shed(_ exchange: any Exchange, _ worker: Worker) { refuse(exchange, worker, .loadShed) }

    private func refuse(_ exchange: any Exchange, _ worker: Worker, _ outcome: Outcome) {
        worker.counts.addRequest()
        worker.counts.addError()
        let status = pages.respond(to: exchange, outcome: outcome)
        timings.record(outcome, wall: 0, cpu: 0, isColdStart: false)
        guard var trace = trace(of: exchange, to: worker) else { return }
        trace.outcome = outcome
        trace.status = status
        traces?.take(trace)
    }

    // MARK: Handing over

    private func handOver(_ exchange: any Exchange, of worker: Worker, to target: Placement.LaneReference) {
        let origin = HandOverOrigin(exchange, lane: self)
        exchange.observer = origin
        let link = HandOver(origin, on: loop, to: target.loop)
        handOvers[target.id, default: [:]][ObjectIdentifier(origin)] = origin
        handOverLanes[ObjectIdentifier(origin)] = target.id
        let head = exchange.head
        let hasBody = exchange.hasBody
        let event = exchange.event
        let properties = exchange.properties
        let (service, chain) = (exchange.service, exchange.chain)
        let body = hasBody && exchange.isBodyComplete ? Self.wholeBody(of: exchange) : nil
        let isTaken = target.loop.execute { [placement] loop in
            guard let lane = placement.lane(on: loop) else { return }
            let handedOver = HandedOverExchange(
                event, head: head, properties: properties, service: service, chain: chain, hasBody: hasBody,
                completeBody: body, link: link, lane: lane)
            lane.handedOver[ObjectIdentifier(link.origin), default: [:]][ObjectIdentifier(handedOver)] = handedOver
            let end = LoopBound(handedOver, to: loop)
            let remote = loop.remote
            link.tellOrigin { $0.started(end, on: remote) }
            lane.dispatchHandedOver(handedOver, to: worker)
        }
        if !isTaken { origin.targetLost() }
    }

    private static func wholeBody(of exchange: any Exchange) -> [UInt8] {
        var body: [UInt8] = []
        let count = exchange.bodyBytesBuffered
        body.reserveCapacity(count)
        while body.count < count {
            guard exchange.readBody(limit: count - body.count, { body.append(contentsOf: $0) }) == .bytes else { break }
        }
        return body
    }

    func handOverEnded(_ origin: HandOverOrigin) {
        guard let target = handOverLanes.removeValue(forKey: ObjectIdentifier(origin)) else { return }
        handOvers[target]?.removeValue(forKey: ObjectIdentifier(origin))
        if origin.exchange.observer === origin { origin.exchange.observer = nil }
    }

    func handedOverEnded(_ exchange: HandedOverExchange) {
        handedOver[ObjectIdentifier(exchange.originLoop)]?.removeValue(forKey: ObjectIdentifier(exchange))
    }

    /// Requests handed to a lane that is lost get their answer here; those that came from it have no client any more.
    func laneLost(_ id: Int, _ loop: EventLoop.Remote) {
        for origin in (handOvers.removeValue(forKey: id) ?? [:]).values { origin.targetLost() }
        for exchange in (handedOver.removeValue(forKey: ObjectIdentifier(loop)) ?? [:]).values { exchange.closed() }
    }

    // MARK: Instances

    func memoryChanged(by bytes: Int) {
        memory += bytes
        placement.memoryChanged(by: bytes)
    }

    private func instanceCountChanged(by count: Int) {
        placement.memoryChanged(by: count * MappingBudget.bytesPerIsolate)
    }

    func becameIdle(_ instance: Instance) {
        if retiring[ObjectIdentifier(instance)] != nil { instance.end(failingWith: .internalError) }
    }

    /// The instance takes no new requests; it ends with its last one.
    private func retire(_ instance: Instance) {
        let key = ObjectIdentifier(instance.worker)
        guard instances[key] === instance else { return }
        instances.removeValue(forKey: key)
        if instance.isIdle { return instance.end(failingWith: .internalError) }
        retiring[ObjectIdentifier(instance)] = instance
    }

    /// The worker was replaced or deleted: its instance here ends with its last request.
    func retire(_ worker: Worker) {
        if let instance = instances[ObjectIdentifier(worker)] { retire(instance) }
    }

    /// Called by an instance at its end.
    func remove(_ instance: Instance) {
        let key = ObjectIdentifier(instance.worker)
        if instances[key] === instance {
            instances.removeValue(forKey: key)
            placement.left(instance.worker, self)
        }
        retiring.removeValue(forKey: ObjectIdentifier(instance))
        memoryChanged(by: -instance.countedMemory)
        instanceCountChanged(by: -1)
        placement.isolateEnded()
        instance.line.share.isolates.give()
        // Not now: the call that brought the end may still be on the stack.
        loop.enqueue { [placement] in placement.reaper.take(instance.isolate) }
    }

    /// Ends the idle instance that was used the longest time ago. False if none is idle.
    /// - Parameter share: of the account whose it is to be; nil for any.
    func evictOne(of share: AccountShare? = nil) -> Bool {
        let idle = instances.values.filter { $0.isIdle && (share == nil || $0.line.share === share) }
        guard let oldest = idle.min(by: { $0.lastUsed < $1.lastUsed }) else { return false }
        oldest.end(failingWith: .internalError)
        placement.countEviction()
        return true
    }

    // MARK: Time

    /// Sets the clock that JavaScript sees: the wall clock at the beginning of this turn, or at a timer's deadline.
    func setTime(of deadline: UInt64?) {
        let monotonic = deadline ?? loop.now
        if loop.now &- wallReadAt > 1_000_000_000 { readWallClock() }
        let nanoseconds = Double(wallAtReading) + Double(Int64(bitPattern: monotonic &- wallReadAt))
        thread.setTime((nanoseconds / 1e6).rounded(.down))
    }

    private var wallReadAt: UInt64 = 0
    private var wallAtReading: UInt64 = 0

    private func readWallClock() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        wallReadAt = EventLoop.monotonicNow()
        wallAtReading = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: The end

    /// The watchdog gave this lane up while it was in a call that did not end. Now that it has, everything here ends:
    /// the sockets are shut down and another lane has taken the lane's place.
    func leaveIfLost() {
        guard thread.isLost, !isAbandoned else { return }
        isAbandoned = true
        endAll()
        loop.stop()
    }

    /// Whether any request is under way here, be it only by `waitUntil`.
    private var isQuiet: Bool { fair.isEmpty && instances.values.allSatisfy(\.isIdle) && retiring.isEmpty }

    /// How often (ns) a lane that is to end looks whether its requests have.
    private static let quietTick: UInt64 = 5_000_000

    /// Calls `completion` when the last request here has ended, what waitUntil prolongs included.
    package func whenQuiet(_ completion: @escaping () -> Void) {
        if isQuiet { return completion() }
        loop.schedule(after: Self.quietTick) { [self] in whenQuiet(completion) }
    }

    /// Ends every instance, answering what is open.
    func endAll() {
        fair.refuseAll(.laneLost)
        for instance in Array(instances.values) + Array(retiring.values) { instance.end(failingWith: .laneLost) }
    }

    /// After the loop has ended, on its thread.
    func close() { thread.close() }
}

extension CallFailure {
    fileprivate var startOutcome: Outcome {
        switch self {
        case .exceededCPU: .exceededCpu
        case .exceededMemory: .exceededMemory
        default: .internalError
        }
    }
}
