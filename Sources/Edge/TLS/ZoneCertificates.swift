internal import Dispatch
package import Model
internal import Synchronization

/// Keeps what is served as the certificates of zones are.
package final class ZoneCertificates: Sendable {
    private struct State {
        /// Of those that are served.
        var mark = ""
        /// Why those that there are now could not be read.
        var failure: String?
        /// They are about to be read again.
        var isWaiting = false
    }

    /// Before what could not be read is read again, in seconds: nobody tells of a change twice.
    private static let pause = 1.0

    private let source: any CertificateSource
    private let served: CertificateStore
    private let log: any EventSink
    private let state = Mutex(State())

    private init(_ source: any CertificateSource, _ served: CertificateStore, _ log: any EventSink) {
        self.source = source
        self.served = served
        self.log = log
    }

    /// From now on, for ever.
    package static func follow(_ source: any CertificateSource, for served: CertificateStore, log: any EventSink) {
        let kept = ZoneCertificates(source, served, log)
        kept.update()
        source.observe { kept.update() }
    }

    private func update() {
        state.withLock { state in
            do {
                try update(&state)
                state.failure = nil
            } catch {
                if state.failure != "\(error)" { say("\(error)") }
                state.failure = "\(error)"
                guard !state.isWaiting else { return }
                state.isWaiting = true
                DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) { [self] in
                    self.state.withLock { $0.isWaiting = false }
                    update()
                }
            }
        }
    }

    private func update(_ state: inout State) throws {
        let now = try source.certificateMark()
        guard now != state.mark else { return }
        for problem in served.keep(try source.keyedCertificates()) { say(problem) }
        state.mark = now
    }

    private func say(_ problem: String) {
        log.log(LogEvent(worker: "", request: 0, level: "error", text: "Certificates of zones: \(problem)"))
    }
}
