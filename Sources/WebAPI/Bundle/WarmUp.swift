package import Isolates
package import Model

/// What ops meet while the snapshot is made: two made-up requests, and nobody to answer.
package final class WarmUp: ScopeHost, TimerHost, LogHost, ExchangeHost, BodyHost {
    private static let fields = [("host", "warm.example"), ("accept", "*/*"), ("x-name", "value")]
    private let heads = [
        RequestHead(method: "GET", url: "http://warm.example/path/to?a=1&b=2", headers: WarmUp.fields),
        RequestHead(method: "POST", url: "http://warm.example/path/to", headers: WarmUp.fields),
    ]

    private init() {}

    /// The host to give to `Engine.init`.
    package static func host() -> WebHost {
        let warmUp = WarmUp()
        return WebHost(scope: warmUp, timers: warmUp, log: warmUp, exchanges: warmUp, bodies: warmUp)
    }

    package var isGlobalScope: Bool { false }
    package var environment: [String] { [] }
    package var baseURL: String? { nil }
    package func workerLoaded(handlers: [String]) {}

    package func startTimer(id: Int, milliseconds: Double, repeats: Bool) throws(OpError) {}
    package func cancelTimer(id: Int) {}
    /// The made-up requests log nothing: what comes here is a fault of the bundle.
    package func log(level: String, text: String) { preconditionFailure("The warm-up failed: \(text)") }

    package func head(of exchange: Int) throws(OpError) -> RequestHead { heads[exchange - 1] }
    package func properties(of exchange: Int) throws(OpError) -> String { "{}" }
    package func body(of exchange: Int) throws(OpError) -> Int { 0 }
    package func state(of exchange: Int) -> ExchangeState { .inProgress }
    package func respond(to exchange: Int, _ answer: Answer, body: AnswerBody) throws(OpError) {}
    package func respond(to exchange: Int, _ answer: Answer, pipingBody body: Int) throws(OpError) {}
    package func beginResponse(to exchange: Int, _ answer: Answer, length: Int?) throws(OpError) {}
    package func writeResponse(to exchange: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> Int? { nil }
    package func finishResponse(to exchange: Int) {}
    package func abortResponse(to exchange: Int, message: String) {}
    package func requestFailed(_ exchange: Int, message: String) { log(level: "error", text: message) }
    package func waitUntilBegan(_ exchange: Int) {}
    package func waitUntilEnded(_ exchange: Int, failure: String?) {}

    package func readBody(_ body: Int) throws(OpError) -> BodyPiece { .end }
    package func readWholeBody(_ body: Int) throws(OpError) -> BodyPiece { .end }
    package func cancelBody(_ body: Int) {}
}
