internal import Isolates
internal import Model
internal import WebAPI

/// One request inside one isolate: what it waits for, what it has used, how far its answer is. Bound to the lane.
final class RequestContext {
    /// How far the answer is.
    enum Answer {
        case none
        /// Body pieces are being written.
        case streaming
        case complete
    }

    let id: Int
    let exchange: any Exchange
    let startedAt: UInt64
    let isColdStart: Bool
    /// The instance has its requests in a table until they end, so this is a cycle that `release` breaks.
    let instance: Instance

    var answer = Answer.none
    var status = 0
    var outcome = Outcome.ok
    /// CPU time so far, in nanoseconds: what the limit is for.
    var cpuTime: UInt64 = 0
    /// CPU time of the cold start that came first, in nanoseconds. It has a limit of its own.
    var startUpTime: UInt64 = 0
    /// CPU time before the message of a WebSocket that came last: each has its own limit.
    var earlierCPUTime: UInt64 = 0
    /// Nil if nobody follows the worker.
    var trace: Trace?
    var logBytes = 0
    var droppedLogLines = 0
    /// Promises given to waitUntil that have not settled.
    var waitUntilCount = 0
    /// Timers by the number that JavaScript knows them by.
    var timers: [Int: TimerToken] = [:]
    /// Tickets that the host owes: each is an event the request waits for.
    var openTickets = 0
    var isClientGone = false
    /// Since when (lane time, ns) the request has waited for no event of its own.
    var stuckSince: UInt64?
    /// Ends what waitUntil prolongs.
    var waitUntilDeadline: TimerToken?
    /// Ends an event that is no request.
    var wallDeadline: TimerToken?
    /// Whether the handler of an event has come to its end, and whether a failure of it may be tried again.
    var isHandlerDone = false
    var mayRetry = true
    var body: HostBody?
    /// If the handler throws, what stands behind the zone answers in its place.
    var passesThrough = false
    /// Bytes of the answer's body that are still to be written, if its length was announced.
    var unwritten: Int?
    /// Whether JavaScript keeps something for the exchange, of whose end it has to be told.
    var isFollowed = false
    /// Operations on what is stored, such as reads of KV.
    var storageOperations = 0
    /// Nil as long as there were none.
    var subrequests: Subrequests?
    /// How many workers have been called for the request that began it all; nil as long as this one has called none.
    private(set) lazy var chain = exchange.chain ?? CallChain()
    var writeTicket: Int?
    var pump: BodyPump?
    /// Native work of the request on other threads; nil if there was none.
    var work: RequestWork?
    /// What the connection has become.
    var webSocket: (any SocketEnd)?

    init(id: Int, exchange: any Exchange, instance: Instance, startedAt: UInt64, isColdStart: Bool) {
        self.id = id
        self.exchange = exchange
        self.instance = instance
        self.startedAt = startedAt
        self.isColdStart = isColdStart
    }

    /// Nanoseconds of CPU that all of it together may take.
    var cpuLimit: UInt64 {
        let limits = instance.worker.definition.limits
        let milliseconds = exchange.event.hasCaller ? limits.cpuMilliseconds : limits.scheduledCPUMilliseconds
        return UInt64(milliseconds) * 1_000_000
    }

    /// Whether anything can still happen that would run the request's code again, without other requests.
    var isWaiting: Bool { openTickets > 0 || !timers.isEmpty || pump != nil || webSocket != nil || hasOpenSockets }

    /// Whether messages may come by WebSockets that the worker has opened.
    private var hasOpenSockets: Bool { subrequests?.hasOpenSockets ?? false }

    func beginNextMessage() {
        earlierCPUTime += cpuTime
        cpuTime = 0
    }

    /// Nothing more is owed to the client: there is an answer, or nobody to give it to.
    var isAnswered: Bool { answer == .complete || isClientGone }
}

extension RequestContext: ExchangeObserver {
    func exchangeBodyReady(_ exchange: any Exchange) {
        if let webSocket { return webSocket.read() }
        body?.becameReady()
    }

    func exchangeWritable(_ exchange: any Exchange) {
        if let webSocket { return webSocket.becameWritable() }
        if let pump { return pump.advance() }
        guard let ticket = writeTicket else { return }
        writeTicket = nil
        instance.settle(ticket, of: self, with: .undefined)
    }

    func exchangeDraining(_ exchange: any Exchange) { webSocket?.goAway() }

    func exchangeClosed(_ exchange: any Exchange) {
        if let webSocket { webSocket.lost() } else { instance.clientGone(self) }
    }
}
