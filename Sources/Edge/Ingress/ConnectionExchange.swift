internal import Model
internal import Runtime

/// One request of a connection, in the hands of whoever answers it. When the answer is complete, or the client gone, it
/// lets go of the connection, and is a shell that ignores all calls.
final class ConnectionExchange: Exchange {
    /// Written by the parser.
    var head = RequestHead()
    fileprivate(set) var hasBody = false
    var observer: (any ExchangeObserver)?
    /// Nil when the exchange is over.
    private var connection: Connection?
    /// Why reading the body fails once the exchange is over.
    private var failure = ""

    func begin(on connection: Connection, hasBody: Bool) {
        self.connection = connection
        self.hasBody = hasBody
        observer = nil
    }

    func end(failure: String) {
        connection = nil
        self.failure = failure
    }

    var properties: RequestProperties? { connection?.properties }

    // MARK: The body

    var isBodyComplete: Bool { connection?.isBodyComplete ?? true }
    var bodyBytesBuffered: Int { connection?.bodyBytesBuffered ?? 0 }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        guard let connection else { return .failed(failure) }
        return connection.readBody(limit: limit, consume)
    }

    func discardBody() {
        connection?.discardBody()
    }

    // MARK: The answer

    func respond(_ head: ResponseHead, body: ResponseBytes) {
        connection?.respond(head, body: body)
    }

    func beginResponse(_ head: ResponseHead, length: Int?) {
        connection?.beginResponse(head, length: length)
    }

    func upgrade(_ head: ResponseHead) {
        connection?.upgrade(head)
    }

    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        connection?.writeResponse(bytes) ?? true
    }

    func finishResponse() {
        connection?.finishResponse()
    }

    func abort() {
        connection?.abort()
    }
}
