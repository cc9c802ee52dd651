package import Isolates
package import Model

/// What the web platform asks of whoever runs an isolate: the host of every op.
///
/// The protocols are the seams: Runtime supplies them for a worker, the warm-up for the snapshot, tests for themselves.
package final class WebHost {
    package let scope: any ScopeHost
    package let timers: any TimerHost
    package let log: any LogHost
    package let exchanges: any ExchangeHost
    package let bodies: any BodyHost
    package let fetches: any FetchHost
    package let sockets: any WebSocketHost
    package let work: any WorkHost
    package let kv: any KVHost
    package let rates: any RateLimitHost
    package let services: any ServiceHost
    // What standards keep for an isolate; made on first use, since few workers need it.
    lazy var digests = DigestTable()
    lazy var compressors = ChargedCompressors(on: work)

    package init(
        scope: any ScopeHost, timers: any TimerHost, log: any LogHost, exchanges: any ExchangeHost,
        bodies: any BodyHost, fetches: any FetchHost, sockets: any WebSocketHost, work: any WorkHost,
        kv: any KVHost, rates: any RateLimitHost, services: any ServiceHost
    ) {
        self.scope = scope
        self.timers = timers
        self.log = log
        self.exchanges = exchanges
        self.bodies = bodies
        self.fetches = fetches
        self.work = work
        self.sockets = sockets
        self.kv = kv
        self.rates = rates
        self.services = services
    }
}

/// The worker around the code.
package protocol ScopeHost: AnyObject {
    /// Whether the worker's top level is being evaluated: no I/O then.
    var isGlobalScope: Bool { get }
    /// Members of the worker's `env`.
    var bindings: [WorkerBinding] { get }
    /// The date and flags by which the worker wants to be run.
    var compatibility: Compatibility { get }
    /// The request, or other event, whose code is running; 0 if there is none.
    var currentExchange: Int { get }
    /// What a worker's relative URLs are relative to; nil, as in Workers, if they are errors.
    var baseURL: String? { get }
    /// Told once, after loading: the events that the worker handles, such as "fetch".
    func workerLoaded(handlers: [String])
    /// Told before, for each named export that is an entrypoint.
    func entrypointLoaded(_ entrypoint: Entrypoint)
}

/// Timers (HTML, section 8.6). When one is due the host calls the entry `timerFire`.
package protocol TimerHost: AnyObject {
    func startTimer(id: Int, milliseconds: Double, repeats: Bool) throws(OpError)
    func cancelTimer(id: Int)
}

package protocol LogHost: AnyObject {
    /// `level`: "debug", "log", "info", "warn", "error" or "trace".
    func log(level: String, text: String)
}

/// Requests under way, each known by its number.
package protocol ExchangeHost: AnyObject {
    func head(of exchange: Int) throws(OpError) -> RequestHead
    /// What `request.cf` shows, as JSON.
    func properties(of exchange: Int) throws(OpError) -> String?
    func state(of exchange: Int) -> ExchangeState
    /// The number of the request's body, 0 if it has none.
    func body(of exchange: Int) throws(OpError) -> Int

    func respond(to exchange: Int, _ answer: Answer, body: AnswerBody) throws(OpError)
    /// Sends a body that the host has and nobody has read from, in that content coding (nil: in none). True if that was
    /// all of it.
    func respond(to exchange: Int, _ answer: Answer, pipingBody body: Int, coding: String?) throws(OpError) -> Bool
    func beginResponse(to exchange: Int, _ answer: Answer, length: Int?) throws(OpError)
    /// Nil if there is room for more, else the ticket that is settled when there is.
    func writeResponse(to exchange: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> Int?
    func finishResponse(to exchange: Int)
    func abortResponse(to exchange: Int, message: String)

    /// Of an event that is no request: what it is; that its failure must not be tried again; that its handler is done.
    func scheduledEvent(_ exchange: Int) throws(OpError) -> ScheduledEvent
    func eventRefusedRetry(_ exchange: Int)
    func eventEnded(_ exchange: Int)

    /// The handler threw, or gave what is no Response.
    func requestFailed(_ exchange: Int, message: String)
    /// What stands behind the worker is to answer if it throws.
    func passThroughOnException(_ exchange: Int)
    /// `ctx.waitUntil` was called, and what it was given has settled.
    func waitUntilBegan(_ exchange: Int)
    func waitUntilEnded(_ exchange: Int, failure: String?)
}

package enum ExchangeState: Int {
    case inProgress, clientGone, over
}

/// Status line and fields of an answer; borrowed for the call.
package struct Answer {
    package let status: Int
    /// Latin-1, empty for the standard phrase.
    package let reason: UnsafeRawBufferPointer
    /// "name: value\r\n" for each field; values in UTF-8.
    package let fields: UnsafeRawBufferPointer
}

/// A whole body; borrowed for the call.
package enum AnswerBody {
    case none
    case text(FlatText)
    case bytes(UnsafeRawBufferPointer)
}

/// Bodies that the host holds, each known by its number.
package protocol BodyHost: AnyObject {
    func readBody(_ body: Int) throws(OpError) -> BodyPiece
    func readWholeBody(_ body: Int) throws(OpError) -> BodyPiece
    func cancelBody(_ body: Int)
}

/// Subrequests, each known by the number that is also the ticket of its answer and the answer's body. The ticket gives
/// a list: the status, the reason, and the number of the body or 0.
package protocol FetchHost: AnyObject {
    func startFetch(_ fetch: FetchRequest) throws(OpError) -> Int
    /// The head of the answer that has come.
    func fetchHead(_ fetch: Int) throws(OpError) -> EgressResponseHead
    /// Sends a piece of the request's body.
    func writeFetch(_ fetch: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> SendProgress
    func finishFetch(_ fetch: Int)
    /// Ends a subrequest. The number of the ticket that it would have settled next, 0 if there is none.
    func abortFetch(_ fetch: Int) -> Int
    /// The content coding in which the host has the body of a subrequest's answer, "" for none that it knows; nil for
    /// any other body.
    func coding(ofBody body: Int) -> String?
}

/// WebSockets that connections have become, each known by a number: that of the subrequest, if the worker has opened
/// it. What comes of one is told by the entry `webSocketEvent`.
package protocol WebSocketHost: AnyObject {
    /// Answers an exchange with 101. The number of its WebSocket.
    func respondWebSocket(to exchange: Int, _ answer: Answer) throws(OpError) -> Int
    /// Answers an exchange with 101, and lets it and a WebSocket that the worker has opened be one.
    func respondWebSocket(to exchange: Int, _ answer: Answer, relaying socket: Int) throws(OpError)
    /// Bytes that wait to be sent.
    func bufferedBytes(ofWebSocket socket: Int) -> Int
    /// From now on messages are taken.
    func startWebSocket(_ socket: Int)
    func sendWebSocket(_ socket: Int, _ bytes: UnsafeRawBufferPointer, isText: Bool) throws(OpError)
    /// Begins the closing handshake; code 1005 for none.
    func closeWebSocket(_ socket: Int, code: Int, reason: String)
    /// What came was malformed.
    func failWebSocket(_ socket: Int, code: Int, reason: String)
}

/// Rate limits that the worker is bound to.
package protocol RateLimitHost: AnyObject {
    /// Counts one more under a key.
    /// - Returns: whether that is within the limit that the binding of that place names.
    func isWithinLimit(_ key: String, ofBinding binding: Int) throws(OpError) -> Bool
}

package enum SendProgress {
    /// There is room for more.
    case room
    /// The ticket is settled when there is.
    case ticket(Int)
    /// Nobody takes any more.
    case ended
}

/// What a worker asks for.
package struct FetchRequest {
    package enum Body {
        case none
        case bytes([UInt8])
        /// Pieces follow; `length` bytes in all, if known.
        case stream(length: Int?)
        /// A body that the host has, by its number.
        case host(Int)
    }

    package enum Destination {
        case origin
        /// The cache that is meant ("default" or "named", and the name) and, for what is stored, status, reason, and
        /// names and values of the fields in `Vary`.
        case cache([String])
        /// The place of a service binding.
        case binding(Int)
    }

    package let method: String
    /// Absolute, without a fragment.
    package let url: String
    /// "name: value\r\n" for each field; values in UTF-8.
    package let fields: [UInt8]
    package let body: Body
    package let destination: Destination
    /// Whether the entry `fetchEnded` is to be called when the answer's body is read or given up.
    package let isFollowed: Bool
}

package enum BodyPiece {
    case bytes(ChargedBuffer)
    case end
    /// Settled later with bytes, with null at the end, or with an error.
    case ticket(Int)
}
