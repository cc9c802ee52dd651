import Edge
import Model
import Synchronization

/// Keeps what is served as the certificates of zones are.
final class ZoneCertificates: Sendable {
    private let source: any CertificateSource
    private let served: CertificateStore
    private let log: any EventSink
    /// Of those that are served.
    private let mark = Mutex("")

    private init(_ source: any CertificateSource, _ served: CertificateStore, _ log: any EventSink) {
        self.source = source
        self.served = served
        self.log = log
    }

    static func follow(_ source: any CertificateSource, for served: CertificateStore, log: any EventSink) {
        let kept = ZoneCertificates(source, served, log)
        kept.update()
        source.observe { kept.update() }
    }

    private func update() {
        mark.withLock { mark in
            do {
                let now = try source.certificateMark()
                guard now != mark else { return }
                for problem in served.keep(try source.keyedCertificates()) { say(problem) }
                mark = now
            } catch {
                say("\(error)")
            }
        }
    }

    private func say(_ problem: String) {
        log.log(LogEvent(worker: "", request: 0, level: "error", text: "Certificates of zones: \(problem)"))
    }
}
