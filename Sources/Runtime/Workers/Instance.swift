internal import Isolates
internal import Model
internal import WebAPI

/// One isolate that runs one worker, on one lane. Its requests, what they wait for, its end.
final class Instance {
    /// Why no request may come here any more.
    enum State {
        case running
        /// The worker has no isolate left here: condemned, evicted or replaced.
        case ended
    }

    let worker: Worker
    // Sound: a lane ends its instances before it ends. Counted, it would cost a retain and a release at each use.
    unowned(unsafe) let lane: Lane
    let isolate: Isolate
    /// The calls of its account.
    let line: FairQueue.Line
    private(set) var state = State.running
    /// Requests by their number.
    private(set) var requests: [Int: RequestContext] = [:]
    /// Whose code is running; nil while the worker's top level is evaluated, and between calls.
    private(set) var current: RequestContext?
    /// The thread's CPU time (ns) when the call under way began, where answers tell of it.
    private(set) var callBegan: UInt64 = 0
    private(set) var isLoading = false
    /// Owners of open tickets.
    private var tickets: [Int: RequestContext] = [:]
    private var lastNumber = 0
    /// Lane time (ns) of the last call; what eviction goes by.
    private(set) var lastUsed: UInt64 = 0
    /// CPU time of a call, as a moving average in nanoseconds: decides for front or back.
    private(set) var averageSlice: Double = 0
    private(set) var sliceCount = 0
    private(set) var countedMemory = 0
    private var hasSharedCode = false
    private var endedDuringCall: [RequestContext] = []
    /// Log text of the top level, which belongs to no request.
    private var startLogBytes = 0
    /// Looks for requests that wait for nothing while others wait for something.
    private var hangWatch: TimerToken?

    var memoryLimit: Int { worker.definition.limits.memoryMegabytes << 20 }
    var isIdle: Bool { requests.isEmpty && current == nil }

    init(worker: Worker, isolate: Isolate, lane: Lane) {
        self.worker = worker
        self.isolate = isolate
        self.lane = lane
        line = lane.line(of: worker.definition.account)
        isolate.setMemoryLimit(memoryLimit)
        isolate.tag = worker.source.tag
        isolate.setHost(
            WebHost(
                scope: self, timers: self, log: self, exchanges: self, bodies: self, fetches: self, sockets: self,
                work: self, kv: self, rates: self, services: self))
        worker.counts.addIsolate(1)
    }

    // MARK: Starting

    /// Evaluates the worker's top level.
    /// - Returns: the CPU time it took, in nanoseconds.
    func load() throws(CallFailure) -> UInt64 {
        isLoading = true
        defer { isLoading = false }
        lane.setTime(of: nil)
        let budget = UInt64(worker.definition.limits.startupCPUMilliseconds) * 1_000_000
        worker.counts.addColdStart()
        defer {
            worker.counts.addCPUTime(isolate.lastCallCPUTime)
            line.charge(isolate.lastCallCPUTime)
        }
        for entry in worker.preparations {
            try isolate.call(entry.isolateEntry, number: 0, on: lane.thread, budget: budget)
        }
        try isolate.load(worker.source, loaded: Bundle.Entry.loaded.isolateEntry, on: lane.thread, budget: budget)
        accountMemory()
        return isolate.lastCallCPUTime
    }

    // MARK: Requests

    /// Gives the request to the worker's handler.
    func dispatch(_ exchange: any Exchange, startUpTime: UInt64?) {
        lastNumber += 1
        let context = RequestContext(
            id: lastNumber, exchange: exchange, instance: self, startedAt: lane.loop.now,
            isColdStart: startUpTime != nil)
        context.startUpTime = startUpTime ?? 0
        context.trace = beginTrace(of: exchange)
        exchange.observer = context
        requests[context.id] = context
        worker.counts.addRequest()
        if !exchange.event.hasCaller { limitTime(of: context) }
        call(exchange.entry, context.id, for: context)
        if !hasSharedCode { shareCode() }
    }

    /// How long (ns) after the first request the code cache is made: when the answer is out and other cold starts are
    /// too.
    private static let codeCacheDelay: UInt64 = 100_000_000

    /// After the first answer a code cache holds what requests need.
    private func shareCode() {
        guard state == .running else { return }
        hasSharedCode = true
        guard worker.source.wantsCompiledCode else { return }
        lane.loop.schedule(after: Self.codeCacheDelay) { [self] in
            guard state == .running else { return }
            keepHouse { budget throws(CallFailure) in
                try isolate.shareCompiledCode(on: lane.thread, budget: budget)
            }
        }
    }

    /// Runs an entry for a request, with what is left of its CPU budget, and deals with what came of it.
    func call(_ entry: Bundle.Entry, _ argument: Int, for context: RequestContext) {
        run(for: context) { budget throws(CallFailure) in
            try isolate.call(entry.isolateEntry, number: Double(argument), on: lane.thread, budget: budget)
        }
    }

    /// Settles a ticket, in the context of the request that it belongs to.
    func settle(_ ticket: Int, of context: RequestContext, with value: FlatValue) {
        guard tickets.removeValue(forKey: ticket) != nil else { return }
        context.openTickets -= 1
        guard state == .running else { return }
        var isError = false
        if case .error = value { isError = true }
        run(for: context) { budget throws(CallFailure) in
            try isolate.call(
                Bundle.Entry.settle.isolateEntry, .number(Double(ticket)), .bool(isError), value, on: lane.thread,
                budget: budget)
        }
    }

    func run(for context: RequestContext, _ body: (UInt64) throws(CallFailure) -> Void) {
        guard state == .running else { return }
        precondition(current == nil, "A call while another is under way")
        let limit = context.cpuLimit
        guard context.cpuTime < limit else { return condemn(.exceededCPU, culprit: context) }
        current = context
        lastUsed = lane.loop.now
        if lane.placement.showsTimings { callBegan = CPUClock.threadTime() }
        var failure: CallFailure?
        do { try body(limit - context.cpuTime) } catch { failure = error }
        current = nil
        charge(context)
        if let failure { ended(with: failure, in: context) }
        if context.subrequests != nil { breakDeadlock(of: context) }
        finishTurn()
        lane.leaveIfLost()
    }

    private func charge(_ context: RequestContext) {
        let time = isolate.lastCallCPUTime
        context.cpuTime += time
        worker.counts.addCPUTime(time)
        line.charge(time)
        sliceCount += 1
        averageSlice += (Double(min(time, Lane.longestSliceCounted)) - averageSlice) * Lane.sliceWeight
    }

    private func ended(with failure: CallFailure, in context: RequestContext) {
        if failure.condemns { return condemn(failure, culprit: context) }
        if case .exception(let error) = failure { requestFailed(context.id, message: error.stack) }
    }

    /// After a call: requests that are done leave; what can never be answered is told so.
    func finishTurn() {
        guard state == .running else { return }
        for context in endedDuringCall {
            // In the same turn, but after the answer, waitUntil may have been called.
            if isSettled(context) { release(context) } else { prolong(context) }
        }
        endedDuringCall.removeAll(keepingCapacity: true)
        accountMemory()
        if !requests.isEmpty { endHungRequests() }
        if isIdle { lane.becameIdle(self) }
    }

    /// A request that waits for nothing hangs at once if no other in the isolate waits for an event either; else after
    /// a while: promises may cross requests.
    private func endHungRequests() {
        for context in requests.values where context.isWaiting {
            if hangWatch == nil { watchForStuckRequests() }
            return
        }
        for context in Array(requests.values) { hang(context) }
    }

    private func watchForStuckRequests() {
        let longestStuck = UInt64(worker.definition.limits.hangSeconds) * 1_000_000_000
        hangWatch = lane.loop.schedule(after: longestStuck / 3) { [self] in
            hangWatch = nil
            guard state == .running else { return }
            let now = lane.loop.now
            for context in Array(requests.values) {
                context.stuckSince = context.isWaiting ? nil : context.stuckSince ?? now
                if let since = context.stuckSince, now &- since >= longestStuck { hang(context) }
            }
            finishTurn()
        }
    }

    private func isSettled(_ context: RequestContext) -> Bool { context.isAnswered && context.waitUntilCount == 0 }

    private func hang(_ context: RequestContext) {
        guard !context.isAnswered else { return release(context) }
        let message = """
            The Workers runtime canceled this request because it detected that your Worker's code had hung and would \
            never generate a response. Refer to: https://developers.cloudflare.com/workers/observability/errors/
            """
        logFailure(message, for: context)
        fail(context, .hang)
        release(context)
    }

    // MARK: The end of a request

    /// Marks that nothing is owed to the client any more. The context goes when waitUntil has nothing left either.
    func answered(_ context: RequestContext) {
        context.answer = .complete
        endIfSettled(context)
        guard context.waitUntilCount > 0, context.waitUntilDeadline == nil else { return }
        prolong(context)
    }

    /// waitUntil may go on for a while; then what is left is given up.
    private func prolong(_ context: RequestContext) {
        let seconds = UInt64(worker.definition.limits.waitUntilSeconds)
        context.waitUntilDeadline = lane.loop.schedule(after: seconds * 1_000_000_000) { [self] in
            guard state == .running, requests[context.id] != nil else { return }
            let message = """
                waitUntil() tasks did not complete within the allowed time after invocation end and have been \
                cancelled. See: https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
                """
            log(level: "warn", text: message, for: context)
            release(context)
            if isIdle { lane.becameIdle(self) }
        }
    }

    func endIfSettled(_ context: RequestContext) {
        guard isSettled(context) else { return }
        if current == nil { release(context) } else { endedDuringCall.append(context) }
    }

    func clientGone(_ context: RequestContext) {
        guard state == .running, !context.isAnswered else { return }
        context.isClientGone = true
        context.outcome = .canceled
        context.pump?.stop()
        context.pump = nil
        for entry in [Bundle.Entry.requestAborted, .responseCanceled] {
            call(entry, context.id, for: context)
            guard state == .running, requests[context.id] != nil else { return }
        }
        // A read under way fails.
        context.body?.becameReady()
        guard state == .running, requests[context.id] != nil else { return }
        if context.waitUntilCount > 0 { prolong(context) } else { release(context) }
        finishTurn()
    }

    /// Answers for a worker that did not: an error page, or a cut connection if the answer had begun.
    func fail(_ context: RequestContext, _ outcome: Outcome) {
        guard !context.isAnswered else { return }
        context.outcome = outcome
        if !context.exchange.event.hasCaller {
            answerEvent(context, outcome)
        } else if context.answer == .none {
            context.status = lane.pages.respond(to: context.exchange, outcome: outcome)
        } else {
            context.exchange.abort()
        }
        context.answer = .complete
    }

    func isRunning(_ context: RequestContext) -> Bool { state == .running && requests[context.id] === context }

    /// Ends a request that is not over between two calls.
    func giveUp(_ context: RequestContext, _ outcome: Outcome) {
        fail(context, outcome)
        release(context)
        finishTurn()
    }

    private func release(_ context: RequestContext) {
        guard requests.removeValue(forKey: context.id) != nil else { return }
        line.share.requests.give()
        if !context.isAnswered { fail(context, context.outcome == .ok ? .hang : context.outcome) }
        if let subrequests = context.subrequests {
            context.subrequests = nil
            let followed = subrequests.abandonAll()
            if !followed.isEmpty { enqueue { [self] in for id in followed { tell(.fetchEnded, .number(Double(id))) } } }
        }
        if !context.timers.isEmpty || context.openTickets > 0 { forgetEvents(of: context) }
        if let deadline = context.waitUntilDeadline { lane.loop.cancel(deadline) }
        if let deadline = context.wallDeadline { lane.loop.cancel(deadline) }
        context.pump = nil
        context.webSocket?.release()
        context.webSocket = nil
        context.body?.release()
        context.body = nil
        context.work?.end()
        if context.exchange.observer === context { context.exchange.observer = nil }
        if context.isFollowed { enqueue { [self] in tell(.exchangeEnded, .number(Double(context.id))) } }
        if context.outcome != .ok { worker.counts.addError() }
        let wall = EventLoop.monotonicNow() - context.startedAt
        worker.counts.addWallTime(wall)
        lane.timings.record(
            context.outcome, wall: wall, cpu: context.startUpTime + context.cpuTime + context.earlierCPUTime,
            isColdStart: context.isColdStart)
        report(context)
    }

    /// What the request still waited for will not happen; JavaScript drops its half of it when this call is over.
    private func forgetEvents(of context: RequestContext) {
        let timers = Array(context.timers.keys)
        let dropped = tickets.filter { $0.value === context }.map(\.key)
        for token in context.timers.values { lane.loop.cancel(token) }
        line.share.timers.give(timers.count)
        for ticket in dropped { tickets.removeValue(forKey: ticket) }
        context.timers.removeAll()
        context.openTickets = 0
        enqueue { [self] in
            if !timers.isEmpty { tell(.timersDrop, .list(timers.map { .number(Double($0)) })) }
            if !dropped.isEmpty { tell(.ticketsDrop, .list(dropped.map { .number(Double($0)) })) }
        }
    }

    /// Calls an entry that runs nothing of the tenant's.
    func tell(_ entry: Bundle.Entry, _ argument: FlatValue) {
        keepHouse { budget throws(CallFailure) in
            try isolate.tell(entry.isolateEntry, argument, on: lane.thread, budget: budget)
        }
    }

    /// A call of the runtime's own between those for requests: charged to the worker, not to a request.
    private func keepHouse(_ body: (UInt64) throws(CallFailure) -> Void) {
        guard state == .running else { return }
        precondition(current == nil, "A call while another is under way")
        var failure: CallFailure?
        do { try body(Self.housekeepingBudget) } catch { failure = error }
        worker.counts.addCPUTime(isolate.lastCallCPUTime)
        if let failure, failure.condemns { condemn(failure, culprit: nil) }
        lane.leaveIfLost()
    }

    /// Nanoseconds of CPU for calls of the runtime's own; far more than they need.
    private static let housekeepingBudget: UInt64 = 1_000_000_000

    private func report(_ context: RequestContext) {
        if context.droppedLogLines > 0 {
            let text = "\(context.droppedLogLines) more log lines were dropped: the request is over its log limit"
            emit(level: "warn", text: text, of: context)
            context.trace?.log("warn", text)
        }
        endTrace(of: context)
        let event = context.exchange.event
        guard lane.events.wantsRequests || !event.hasCaller else { return }
        let head = context.exchange.head
        lane.events.requestEnded(
            RequestEvent(
                worker: worker.name, method: head.methodString, url: head.urlString, status: context.status,
                outcome: context.outcome, wallTime: EventLoop.monotonicNow() - context.startedAt,
                cpuTime: context.startUpTime + context.cpuTime + context.earlierCPUTime,
                isColdStart: context.isColdStart, event: event))
    }

    // MARK: The end of the instance

    /// A limit was broken or V8 failed. The isolate's microtasks are lost, so every request of it ends here.
    func condemn(_ failure: CallFailure, culprit: RequestContext?) {
        guard state == .running else { return }
        let outcome: Outcome =
            switch failure {
            case .exceededCPU: .exceededCpu
            case .exceededMemory: .exceededMemory
            default: .internalError
            }
        let what =
            switch failure {
            case .exceededCPU: "Worker exceeded CPU time limit."
            case .exceededMemory: "Worker exceeded memory limit."
            case .fatal(let message): "The worker's isolate failed: \(message)"
            case .exception(let error): error.message
            }
        emit(level: "error", text: what, of: culprit)
        for context in requests.values { context.trace?.fail(what) }
        end(failingWith: outcome)
        if outcome == .exceededCpu { lane.usedUpItsTime(worker) }
    }

    /// Ends the instance; requests that are not answered fail with `outcome`.
    func end(failingWith outcome: Outcome) {
        guard state == .running else { return }
        state = .ended
        for context in requests.values { fail(context, outcome) }
        for context in Array(requests.values) { release(context) }
        tickets.removeAll()
        if let hangWatch { lane.loop.cancel(hangWatch) }
        worker.counts.addIsolate(-1)
        worker.counts.addMemory(-countedMemory)
        lane.remove(self)
    }

    private func accountMemory() {
        let now = isolate.memoryEstimate
        guard now != countedMemory else { return }
        worker.counts.addMemory(now - countedMemory)
        lane.memoryChanged(by: now - countedMemory)
        countedMemory = now
    }

    // MARK: Tickets

    /// A number for what JavaScript knows by one.
    func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    func openTicket(for context: RequestContext) -> Int {
        lastNumber += 1
        tickets[lastNumber] = context
        context.openTickets += 1
        return lastNumber
    }

    /// Gives a ticket up: JavaScript has settled its half itself.
    func dropTicket(_ ticket: Int) {
        if let context = tickets.removeValue(forKey: ticket) { context.openTickets -= 1 }
    }

    /// Whether anything still waits for the ticket.
    func isOpen(_ ticket: Int) -> Bool { tickets[ticket] != nil }

    /// Runs `body` on the lane when the call under way is over.
    func enqueue(_ body: @escaping () -> Void) { lane.loop.enqueue(body) }

    func pumpEnded(_ context: RequestContext) {
        context.pump = nil
        answered(context)
        finishTurn()
    }

    // MARK: Logs

    func log(level: String, text: String, for context: RequestContext?) {
        guard let context else {
            startLogBytes += text.utf8.count
            if startLogBytes > worker.definition.limits.logKilobytes << 10 { return }
            return emit(level: level, text: worker.sourceMaps.resolved(text), of: nil)
        }
        guard takeRoom(for: text, of: context) else { return }
        let text = worker.sourceMaps.resolved(text)
        emit(level: level, text: text, of: context)
        context.trace?.log(level, text)
    }

    /// - Returns: whether a text is within the request's limit.
    func takeRoom(for text: String, of context: RequestContext) -> Bool {
        context.logBytes += text.utf8.count
        let isWithin = context.logBytes <= worker.definition.limits.logKilobytes << 10
        if !isWithin { context.droppedLogLines += 1 }
        return isWithin
    }

    /// - Parameter text: its places are those of the sources.
    func emit(level: String, text: String, of context: RequestContext?) {
        var event = LogEvent(worker: worker.name, request: context?.id ?? 0, level: level, text: text)
        if lane.events.wantsRays {
            event.ray = context?.exchange.head.firstValue(of: "cf-ray").map { String(decoding: $0, as: UTF8.self) }
        }
        lane.events.log(event)
    }
}
