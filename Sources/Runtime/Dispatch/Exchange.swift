package import Model

/// One HTTP request and its answer, as the runtime sees it: the seam between Ingress and lanes. Bound to one lane's
/// thread.
///
/// The order of calls: any number of body reads; then either `respond`, or `beginResponse`, writes, and
/// `finishResponse`; or `abort` at any time. After the response's end or `exchangeClosed` every further call is
/// ignored.
package protocol Exchange: BodySource {
    /// What it is: a request, for most.
    var event: WorkerEvent { get }
    var head: RequestHead { get }
    /// What else is known of it. Asked for only if somebody looks: it may cost a system call.
    var properties: RequestProperties? { get }
    /// The service binding by which it came; nil if it came from outside.
    var service: Service? { get }
    var chain: CallChain? { get }
    /// Whether the request has a body (even an empty one that is announced as chunked).
    var hasBody: Bool { get }
    /// Who hears of later events. Whoever sets it takes it away again at the end: until then each keeps the other
    /// alive.
    var observer: (any ExchangeObserver)? { get set }

    /// The request is in a line, or is not any more: a connection with many of them sends no further one there.
    func waits(inLine: Bool)

    /// The whole answer at once.
    func respond(_ head: ResponseHead, body: ResponseBytes)
    /// An answer whose body follows piece by piece: with Content-Length if `length` is known, else chunked.
    func beginResponse(_ head: ResponseHead, length: Int?)
    /// Answers that the protocol is another now: from here on the body is all that the client sends, and what is
    /// written goes to it as it is.
    func upgrade(_ head: ResponseHead)
    /// Sends a piece (copied). False: enough is buffered, wait for `exchangeWritable` before the next.
    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool
    func finishResponse()
    /// Ends the answer in a way the client sees as an error (connection cut) if it has begun; else nothing was sent.
    func abort()
}

extension Exchange {
    package var event: WorkerEvent { .fetch }
    package var properties: RequestProperties? { nil }
    package var service: Service? { nil }
    package var chain: CallChain? { nil }
    package func waits(inLine: Bool) {}
}

package protocol ExchangeObserver: AnyObject {
    /// More of the body, its end or its failure can be read now.
    func exchangeBodyReady(_ exchange: any Exchange)
    /// There is room for more of the answer.
    func exchangeWritable(_ exchange: any Exchange)
    /// The server is about to end: what would go on for as long as it likes should not.
    func exchangeDraining(_ exchange: any Exchange)
    /// The client went away before the answer was complete.
    func exchangeClosed(_ exchange: any Exchange)
}

/// Status line and fields of an answer. The pointers are borrowed for the call.
package struct ResponseHead {
    package var status: Int
    /// Latin-1; empty for the standard phrase.
    package var reason: UnsafeRawBufferPointer
    /// "name: value\r\n" for each field, Latin-1. The exchange drops hop-by-hop and framing fields: those are its own.
    package var fields: UnsafeRawBufferPointer
    /// What became of the request, for the header `Martlet-Outcome`.
    package var outcome: Outcome

    package init(status: Int, reason: UnsafeRawBufferPointer, fields: UnsafeRawBufferPointer, outcome: Outcome = .ok) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.outcome = outcome
    }
}

/// A whole body, borrowed for the call.
package enum ResponseBytes {
    /// A status that has no body, or none was given.
    case none
    case bytes(UnsafeRawBufferPointer)
    /// To be sent as UTF-8.
    case latin1(UnsafeRawBufferPointer)
    case utf16(UnsafeBufferPointer<UInt16>)
}

/// Who answers requests on a lane: the router, a fixed worker, the admin pages.
package protocol RequestHandler: AnyObject {
    func handle(_ exchange: any Exchange)
    /// Whether another process may have what this one has not. Asked before the request is taken, and only where a
    /// connection can be handed back.
    func isElsewhere(_ head: RequestHead) -> Bool
}

extension RequestHandler {
    package func isElsewhere(_ head: RequestHead) -> Bool { false }
}
