package import Model
package import Runtime

/// Sends a request to the script that its host name, a route or a custom domain says. Bound to a lane.
package final class PlatformRouter: RequestHandler {
    private let lane: Lane
    private let table: PlatformTable
    private var routes: PlatformRoutes
    /// The lane's own copy of Workers that it asked for.
    private var workers: [String: Worker] = [:]
    private var version = -1

    package init(lane: Lane, table: PlatformTable) {
        self.lane = lane
        self.table = table
        routes = table.routes
    }

    private static let suspended = ErrorPage(
        status: 403, message: "The account of this Worker is suspended.", outcome: .rejected)

    private static let paused = ErrorPage(
        status: 503, message: "This Worker has crashed again and again, and is suspended for some time.",
        outcome: .loadShed, retryAfter: 60)
    /// RFC 9110, section 15.5.20.
    private static let misdirected = ErrorPage(
        status: 421, message: "There is no Worker here. Another connection may find one.", outcome: .scriptNotFound)

    package func handle(_ exchange: any Exchange) {
        refresh()
        let head = exchange.head
        let (scheme, host, target) = Self.parts(of: head)
        switch routes.target(scheme: scheme, host: host, target: target) {
        case .none: (table.isOneOfMany ? Self.misdirected : ErrorPage(.scriptNotFound)).respond(to: exchange)
        case .paused: Self.paused.respond(to: exchange)
        case .suspended: Self.suspended.respond(to: exchange)
        case .origin(let server): OriginForward(exchange, to: server, on: lane).begin()
        case .script(let script):
            guard let version = VersionChoice.version(of: script, head), let worker = worker(version, script.key) else {
                return ErrorPage(.internalError).respond(to: exchange)
            }
            lane.dispatch(exchange, to: worker) { isAdmitted(exchange, of: script.key.account) }
        }
    }

    package func isElsewhere(_ head: RequestHead) -> Bool {
        guard table.isOneOfMany else { return false }
        refresh()
        let (scheme, host, target) = Self.parts(of: head)
        return routes.target(scheme: scheme, host: host, target: target) == .none
    }

    /// Whether the account may have one more request; if not, it has been answered.
    private func isAdmitted(_ exchange: any Exchange, of account: String) -> Bool {
        guard table.daily.isNeeded, let refusal = table.daily.refusal(of: account) else { return true }
        switch refusal {
        case .daily: ErrorPage.dailyLimit.respond(to: exchange)
        case .burst: ErrorPage.rateLimited.respond(to: exchange)
        }
        return false
    }

    private func refresh() {
        let current = table.version
        guard version != current else { return }
        version = current
        routes = table.routes
        workers = [:]
    }

    private func worker(_ version: String, _ key: ScriptKey) -> Worker? {
        if let worker = workers[version] { return worker }
        let worker = table.worker(version, of: key)
        workers[version] = worker
        return worker
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Scheme, host without port, path and query. The URL is absolute and its host in lower case: the parser has made
    /// it so.
    static func parts(of head: RequestHead) -> (scheme: String, host: String, target: String) {
        let url = head.bytes[head.url]
        guard let colon = url.firstIndex(of: UInt8(ascii: ":")), colon + 3 <= url.endIndex else { return ("", "", "/") }
        let rest = url[(colon + 3)...]
        let slash = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        var host = rest[..<slash]
        if host.last != UInt8(ascii: "]"), let port = host.lastIndex(of: UInt8(ascii: ":")) { host = host[..<port] }
        return (text(url[..<colon]), text(host), slash == rest.endIndex ? "/" : text(rest[slash...]))
    }
}
