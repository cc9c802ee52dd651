package import Model
package import Runtime

/// The admin port of `serve --workers`: `GET /__martlet/status`, as JSON, `/metrics`, `/healthz` and `/readyz`.
package final class AdminPages: RequestHandler {
    private let hosts: @Sendable () -> [HostStatus]
    /// Whether everybody who can reach the port may see how the process is.
    private let isOpen: Bool
    private let place: (@Sendable () -> JSONValue)?
    private let metrics: (@Sendable () -> [UInt8])?

    /// - Parameters:
    ///   - isOpen: whether who comes may see more than that the process is well.
    ///   - place: how the location is that this process serves; nil if it is none.
    ///   - metrics: the metrics page; nil if it is what the hosts that are there have counted.
    ///   - hosts: how those who run Workers are just now.
    package init(
        isOpen: Bool = true, place: (@Sendable () -> JSONValue)? = nil, metrics: (@Sendable () -> [UInt8])? = nil,
        hosts: @escaping @Sendable () -> [HostStatus]
    ) {
        self.metrics = metrics
        self.place = place
        self.isOpen = isOpen
        self.hosts = hosts
    }

    package func handle(_ exchange: any Exchange) {
        exchange.discardBody()
        let url = exchange.head.urlString
        let target = url.split(separator: "/", maxSplits: 2).dropFirst(2).first.map { "/" + $0 } ?? "/"
        let path = target.split(separator: "?").first ?? ""
        guard ["/__martlet/status", "/metrics", "/healthz", "/readyz"].contains(path) else {
            return ErrorPage(
                status: 404, message: "Here are /__martlet/status, /metrics, /healthz and /readyz.", outcome: .ok
            ).respond(to: exchange)
        }
        guard ["GET", "HEAD"].contains(exchange.head.methodString) else {
            return ErrorPage(status: 405, message: "Only GET and HEAD work here.", outcome: .ok).respond(to: exchange)
        }
        if path == "/readyz", let place = place?() {
            let body = Array((place.text + "\n").utf8)
            return answer(exchange, body, "application/json", status: place["ready"] == true ? 200 : 503)
        }
        if path == "/healthz" || path == "/readyz" { return answer(exchange, Array("ok\n".utf8), "text/plain") }
        guard isOpen else {
            // There are no tokens without a platform.
            return ErrorPage(
                status: 403, message: "This page is only there if the admin port listens on this machine alone.",
                outcome: .ok
            ).respond(to: exchange)
        }
        if path == "/metrics" { return answer(exchange, metrics?() ?? MetricsPage(hosts()).text, MetricsPage.type) }
        answer(exchange, StatusPage(hosts(), location: place?()).json, "application/json")
    }

    private func answer(_ exchange: any Exchange, _ body: [UInt8], _ type: String, status: Int = 200) {
        var fields = "content-type: \(type)\r\ncache-control: no-store\r\n"
        fields.withUTF8 { fields in
            body.withUnsafeBytes { body in
                let head = ResponseHead(
                    status: status, reason: UnsafeRawBufferPointer(start: nil, count: 0),
                    fields: UnsafeRawBufferPointer(fields))
                exchange.respond(head, body: .bytes(body))
            }
        }
    }
}
