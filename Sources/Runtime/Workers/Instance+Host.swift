internal import Isolates
internal import Model
internal import WebAPI

// What the web platform asks of the instance. All of it is called by ops, that is, while the isolate is running.

extension Instance: ScopeHost {
    var isGlobalScope: Bool { isLoading }
    var bindings: [WorkerBinding] { worker.definition.bindings }
    var compatibility: Compatibility { worker.definition.compatibility }
    var currentExchange: Int { current?.id ?? 0 }
    var baseURL: String? { worker.definition.baseURL }
    func workerLoaded(handlers: [String]) {}
    func entrypointLoaded(_ entrypoint: Entrypoint) {}
}

extension Instance: LogHost {
    func log(level: String, text: String) { log(level: level, text: text, for: current) }
}

extension Instance: TimerHost {
    func startTimer(id: Int, milliseconds: Double, repeats: Bool) throws(OpError) {
        guard let context = current else { throw .type("Timers need a request to belong to") }
        guard context.timers.count < worker.definition.limits.timers else {
            throw OpError(
                "QuotaExceededError", "A request may have at most \(worker.definition.limits.timers) timers at a time")
        }
        guard line.share.timers.take() else {
            throw OpError(
                "QuotaExceededError",
                "The Workers of an account may have at most \(line.share.timers.most) timers at a time")
        }
        // An interval of nothing would keep the lane to itself.
        let delay = min(max(repeats ? 1 : 0, milliseconds.isNaN ? 0 : milliseconds), Self.longestDelay).rounded(.up)
        schedule(timer: id, of: context, at: deadline(after: delay, lane.loop.now), interval: repeats ? delay : nil)
    }

    /// Milliseconds, about 70 years: no request lives so long, and nanoseconds can still be counted.
    private static let longestDelay = 2e12
    /// The grain of timers, in nanoseconds: no finer a clock can be made of them.
    private static let grain: UInt64 = 1_000_000

    /// When a timer is due: on the next grain, and up to the setting's jitter later.
    private func deadline(after milliseconds: Double, _ start: UInt64) -> UInt64 {
        let jitter = lane.placement.timerJitter
        let exact = start + UInt64(milliseconds * 1e6) + (jitter > 0 ? UInt64.random(in: 0..<jitter) : 0)
        // What is due at once tells no time.
        return milliseconds == 0 && jitter == 0 ? exact : (exact + Self.grain - 1) / Self.grain * Self.grain
    }

    private func schedule(timer id: Int, of context: RequestContext, at deadline: UInt64, interval: Double?) {
        context.timers[id] = lane.loop.schedule(at: deadline) { [self] in
            lane.fair.run(in: line) { [self] in fire(timer: id, of: context, deadline: deadline, interval: interval) }
        }
    }

    private func fire(timer id: Int, of context: RequestContext, deadline: UInt64, interval: Double?) {
        guard context.timers.removeValue(forKey: id) != nil else { return }
        if let interval {
            let next = max(self.deadline(after: interval, deadline), lane.loop.now)
            schedule(timer: id, of: context, at: next, interval: interval)
        } else {
            line.share.timers.give()
        }
        lane.setTime(of: deadline)
        call(.timerFire, id, for: context)
    }

    func cancelTimer(id: Int) {
        guard let context = current else { return }
        if let token = context.timers.removeValue(forKey: id) { return forget(timer: token) }
        // A request may end a timer that another began, if both share state.
        for other in requests.values {
            if let token = other.timers.removeValue(forKey: id) { return forget(timer: token) }
        }
    }

    private func forget(timer token: TimerToken) {
        lane.loop.cancel(token)
        line.share.timers.give()
    }
}

extension Instance: ExchangeHost {
    private func context(_ id: Int) throws(OpError) -> RequestContext {
        if let context = current, context.id == id { return context }
        if let context = requests[id] { return context }
        throw OpError(
            "Error", "The request is over: its data are no longer here. Read what you need while it is handled.")
    }

    func open(_ id: Int) throws(OpError) -> RequestContext {
        let context = try context(id)
        guard !context.isClientGone else { throw OpError("AbortError", "The client has disconnected") }
        guard case .none = context.answer else { throw .type("The request has been answered already") }
        return context
    }

    func head(of exchange: Int) throws(OpError) -> RequestHead { try context(exchange).exchange.head }

    func properties(of exchange: Int) throws(OpError) -> String? {
        let exchange = try context(exchange).exchange
        let accepted = exchange.head.firstValue(of: "accept-encoding")
        return exchange.properties?.json(acceptEncoding: accepted.map { String(decoding: $0, as: UTF8.self) })
    }

    func state(of exchange: Int) -> ExchangeState {
        guard let context = requests[exchange] else { return .over }
        context.isFollowed = true
        return context.isClientGone ? .clientGone : context.isAnswered ? .over : .inProgress
    }

    func body(of exchange: Int) throws(OpError) -> Int {
        let context = try context(exchange)
        guard context.exchange.hasBody else { return 0 }
        if context.body == nil {
            let length = context.exchange.head.firstValue(of: "content-length").flatMap {
                Int(String(decoding: $0, as: UTF8.self))
            }
            let source = CountedBody(context.exchange) { [counts = worker.counts] in counts.addBytesIn($0) }
            context.body = HostBody(source, of: context, isolate: isolate, length: length)
        }
        return exchange
    }

    func respond(to exchange: Int, _ answer: Answer, body: AnswerBody) throws(OpError) {
        let context = try open(exchange)
        context.status = answer.status
        context.isFollowed = false
        worker.counts.addBytesOut(body.count)
        withHead(answer, of: context) { context.exchange.respond($0, body: ResponseBytes(body)) }
        answered(context)
    }

    func respond(
        to exchange: Int, _ answer: Answer, pipingBody body: Int, coding: String?
    ) throws(OpError) -> Bool {
        let context = try open(exchange)
        let body = try hostBody(body)
        let coding = coding.flatMap { ContentCoding(named: $0) }
        if let whole = try body.takeWhole(coded: coding) {
            context.status = answer.status
            context.isFollowed = false
            worker.counts.addBytesOut(whole.count)
            withHead(answer, of: context) { head in
                whole.withUnsafeBytes { context.exchange.respond(head, body: .bytes($0)) }
            }
            answered(context)
            return true
        }
        let length = body.length(coded: coding)
        let pump = try body.pump(to: AnswerSink(of: context), coded: coding)
        context.status = answer.status
        context.answer = .streaming
        context.isFollowed = true
        withHead(answer, of: context) { context.exchange.beginResponse($0, length: length) }
        context.pump = pump
        enqueue { context.pump?.advance() }
        return false
    }

    func beginResponse(to exchange: Int, _ answer: Answer, length: Int?) throws(OpError) {
        let context = try open(exchange)
        context.status = answer.status
        context.answer = .streaming
        context.isFollowed = true
        context.unwritten = length
        withHead(answer, of: context) { context.exchange.beginResponse($0, length: length) }
    }

    func writeResponse(to exchange: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> Int? {
        let context = try context(exchange)
        guard !context.isClientGone else { throw OpError("AbortError", "The client has disconnected") }
        if let unwritten = context.unwritten {
            guard bytes.count <= unwritten else {
                throw .type("The response's body is longer than the \(unwritten) bytes that are left of its length")
            }
            context.unwritten = unwritten - bytes.count
        }
        worker.counts.addBytesOut(bytes.count)
        if context.exchange.writeResponse(bytes) { return nil }
        let ticket = openTicket(for: context)
        context.writeTicket = ticket
        return ticket
    }

    func finishResponse(to exchange: Int) {
        guard let context = requests[exchange], case .streaming = context.answer else { return }
        if let unwritten = context.unwritten, unwritten > 0 {
            return abortResponse(to: exchange, message: "it ended \(unwritten) bytes before its length")
        }
        context.isFollowed = false
        context.exchange.finishResponse()
        answered(context)
    }

    func abortResponse(to exchange: Int, message: String) {
        guard let context = requests[exchange], case .streaming = context.answer else { return }
        context.outcome = .exception
        context.isFollowed = false
        logFailure(message, after: "The response's body failed: ", for: context)
        context.exchange.abort()
        answered(context)
    }

    func requestFailed(_ exchange: Int, message: String) {
        guard let context = requests[exchange] else { return }
        logFailure(message, after: "Uncaught ", for: context)
        guard !context.isAnswered else { return }
        if !passThrough(context) { fail(context, .exception) }
        answered(context)
    }

    func passThroughOnException(_ exchange: Int) { requests[exchange]?.passesThrough = true }

    /// Gives the request to what stands behind the zone, if it may still be answered there. False if not.
    private func passThrough(_ context: RequestContext) -> Bool {
        guard context.passesThrough, context.exchange.event == .fetch, case .none = context.answer,
            context.body?.isUntouched ?? true
        else {
            return false
        }
        let host = SubrequestHead.host(of: context.exchange.head)
        guard let server = lane.placement.origin(behind: host, and: host, of: worker.definition.account) else {
            return false
        }
        context.outcome = .exception
        context.answer = .complete
        // Not within a call of JavaScript's.
        let forward = OriginForward(context.exchange, to: server, on: lane)
        enqueue { forward.begin() }
        return true
    }

    func waitUntilBegan(_ exchange: Int) { requests[exchange]?.waitUntilCount += 1 }

    func waitUntilEnded(_ exchange: Int, failure: String?) {
        guard let context = requests[exchange] else { return }
        context.waitUntilCount -= 1
        if let failure {
            logFailure(failure, after: "Uncaught (in waitUntil) ", for: context)
            if !context.exchange.event.hasCaller { context.outcome = .exception }
        }
        endEventIfDone(context)
        endIfSettled(context)
    }
}

extension Instance: BodyHost {
    func readBody(_ body: Int) throws(OpError) -> BodyPiece { try hostBody(body).read() }
    func readWholeBody(_ body: Int) throws(OpError) -> BodyPiece { try hostBody(body).readWhole() }
    func cancelBody(_ body: Int) { try? hostBody(body).cancel() }
}

/// The client, as the end of a body that JavaScript does not look at.
private final class AnswerSink: BodySink {
    private let context: RequestContext

    init(of context: RequestContext) { self.context = context }

    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        context.instance.worker.counts.addBytesOut(bytes.count)
        return context.exchange.writeResponse(bytes)
    }

    func finish() {
        context.exchange.finishResponse()
        context.instance.pumpEnded(context)
    }

    func fail(_ reason: String) {
        context.instance.logFailure(reason, after: "The response's body failed: ", for: context)
        context.outcome = .exception
        context.exchange.abort()
        context.instance.pumpEnded(context)
    }
}

extension AnswerBody {
    /// Bytes, or units of a text: in UTF-8 it may have more.
    fileprivate var count: Int {
        switch self {
        case .none: 0
        case .text(let text): text.count
        case .bytes(let bytes): bytes.count
        }
    }
}

extension ResponseHead {
    init(_ answer: Answer, _ outcome: Outcome) {
        self.init(status: answer.status, reason: answer.reason, fields: answer.fields, outcome: outcome)
    }
}

extension ResponseBytes {
    init(_ body: AnswerBody) {
        switch body {
        case .none: self = .none
        case .bytes(let bytes): self = .bytes(bytes)
        case .text(.latin1(let units)): self = .latin1(UnsafeRawBufferPointer(units))
        case .text(.utf16(let units)): self = .utf16(units)
        }
    }
}
