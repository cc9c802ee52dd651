package import Isolates
package import Model

/// What ops meet where there is no lane: two made-up requests while the snapshot is made, none while a worker is
/// checked.
package final class DetachedHost: ScopeHost, TimerHost, LogHost, ExchangeHost, BodyHost, FetchHost, WebSocketHost,
    WorkHost, KVHost, RateLimitHost, ServiceHost
{
    private static let fields = [("host", "warm.example"), ("accept", "*/*"), ("x-name", "value")]
    private static let heads = [
        RequestHead(method: "GET", url: "http://warm.example/path/to?a=1&b=2", headers: fields),
        RequestHead(method: "POST", url: "http://warm.example/path/to", headers: fields),
    ]

    package let isGlobalScope: Bool
    package let bindings: [WorkerBinding]
    package let compatibility: Compatibility
    private let loaded: (WorkerExports) -> Void
    private var entrypoints: [Entrypoint] = []
    private let write: (_ level: String, _ text: String) -> Void
    /// Where a worker is checked; it holds this host.
    private weak var isolate: Isolate?

    private init(
        isGlobalScope: Bool, bindings: [WorkerBinding], compatibility: Compatibility, isolate: Isolate? = nil,
        loaded: @escaping (WorkerExports) -> Void = { _ in },
        write: @escaping (_ level: String, _ text: String) -> Void
    ) {
        self.loaded = loaded
        self.isGlobalScope = isGlobalScope
        self.bindings = bindings
        self.compatibility = compatibility
        self.isolate = isolate
        self.write = write
    }

    /// For `Engine.init`. The made-up requests log nothing: what comes is a fault of the bundle.
    package static func warmUp() -> WebHost {
        DetachedHost(isGlobalScope: false, bindings: [], compatibility: .standard) {
            preconditionFailure("The warm-up failed: \($1)")
        }.host
    }

    /// For evaluating a worker's top level to see whether it can be.
    package static func check(
        bindings: [WorkerBinding], compatibility: Compatibility, in isolate: Isolate,
        loaded: @escaping (WorkerExports) -> Void,
        log: @escaping (_ level: String, _ text: String) -> Void
    ) -> WebHost {
        DetachedHost(
            isGlobalScope: true, bindings: bindings, compatibility: compatibility, isolate: isolate,
            loaded: loaded, write: log
        ).host
    }

    private var host: WebHost {
        WebHost(
            scope: self, timers: self, log: self, exchanges: self, bodies: self, fetches: self, sockets: self,
            work: self, kv: self, rates: self, services: self)
    }

    package var baseURL: String? { nil }
    package var currentExchange: Int { 0 }
    package func workerLoaded(handlers: [String]) {
        loaded(WorkerExports(handlers: handlers, entrypoints: entrypoints))
    }
    package func entrypointLoaded(_ entrypoint: Entrypoint) { entrypoints.append(entrypoint) }

    package func startTimer(id: Int, milliseconds: Double, repeats: Bool) throws(OpError) {}
    package func cancelTimer(id: Int) {}
    package func log(level: String, text: String) { write(level, text) }

    package func head(of exchange: Int) throws(OpError) -> RequestHead { Self.heads[exchange - 1] }
    package func properties(of exchange: Int) throws(OpError) -> String? { nil }
    package func body(of exchange: Int) throws(OpError) -> Int { 0 }
    package func state(of exchange: Int) -> ExchangeState { .inProgress }
    package func respond(to exchange: Int, _ answer: Answer, body: AnswerBody) throws(OpError) {}
    package func respond(
        to exchange: Int, _ answer: Answer, pipingBody body: Int, coding: String?
    ) throws(OpError) -> Bool { true }
    package func beginResponse(to exchange: Int, _ answer: Answer, length: Int?) throws(OpError) {}
    package func writeResponse(to exchange: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> Int? { nil }
    package func finishResponse(to exchange: Int) {}
    package func abortResponse(to exchange: Int, message: String) {}
    package func scheduledEvent(_ exchange: Int) throws(OpError) -> ScheduledEvent {
        throw .type("There is no event where there is no lane")
    }
    package func eventRefusedRetry(_ exchange: Int) {}
    package func eventEnded(_ exchange: Int) {}
    package func requestFailed(_ exchange: Int, message: String) { log(level: "error", text: message) }
    package func passThroughOnException(_ exchange: Int) {}
    package func waitUntilBegan(_ exchange: Int) {}
    package func waitUntilEnded(_ exchange: Int, failure: String?) {}

    package func readBody(_ body: Int) throws(OpError) -> BodyPiece { .end }
    package func readWholeBody(_ body: Int) throws(OpError) -> BodyPiece { .end }
    package func cancelBody(_ body: Int) {}

    package func respondWebSocket(to exchange: Int, _ answer: Answer) throws(OpError) -> Int { 0 }
    package func respondWebSocket(to exchange: Int, _ answer: Answer, relaying socket: Int) throws(OpError) {}
    package func bufferedBytes(ofWebSocket socket: Int) -> Int { 0 }
    package func startWebSocket(_ socket: Int) {}
    package func sendWebSocket(_ socket: Int, _ bytes: UnsafeRawBufferPointer, isText: Bool) throws(OpError) {}
    package func closeWebSocket(_ socket: Int, code: Int, reason: String) {}
    package func failWebSocket(_ socket: Int, code: Int, reason: String) {}

    package func startFetch(_ fetch: FetchRequest) throws(OpError) -> Int {
        Self.ticket
    }
    /// The number of every subrequest: nothing comes of any.
    private static let ticket = 1
    package func fetchHead(_ fetch: Int) throws(OpError) -> EgressResponseHead {
        EgressResponseHead(status: 200, reason: "OK")
    }
    package func writeFetch(_ fetch: Int, _ bytes: UnsafeRawBufferPointer) -> SendProgress { .ended }
    package func finishFetch(_ fetch: Int) {}
    package func abortFetch(_ fetch: Int) -> Int { 0 }
    package func coding(ofBody body: Int) -> String? { nil }

    package func begin(_ operation: KVOperation, inBinding binding: Int) throws(OpError) -> Int { Self.ticket }
    package func service(of exchange: Int) throws(OpError) -> (service: Service?, call: RPCCall?) { (nil, nil) }
    package func answerCall(_ exchange: Int, _ bytes: UnsafeRawBufferPointer, failure: String?) {}
    package func startCall(
        _ call: RPCCall, inBinding binding: Int, _ arguments: [UInt8]
    ) throws(OpError) -> Int { Self.ticket }
    package func isWithinLimit(_ key: String, ofBinding binding: Int) throws(OpError) -> Bool { true }

    package func adopt(_ bytes: WorkBytes) -> ChargedBuffer? {
        guard let account = isolate?.account else { return nil }
        return bytes.give { ChargedBuffer(adopting: $0, chargedTo: account) }
    }
    package func charge(_ bytes: Int) -> Bool { isolate?.charge(bytes) ?? false }
    package func discharge(_ bytes: Int) { isolate?.discharge(bytes) }
    /// There are no requests here.
    package func begin(holding memory: Int, _ work: @escaping Work) throws(OpError) -> Int? { nil }
}
