internal import Model
package import Runtime

/// Sends a request to the worker that its host name begins with: `NAME.localhost` is worker NAME. Bound to a lane.
package final class HostRouter: RequestHandler {
    private let lane: Lane
    private let table: WorkerTable
    private var entries: [String: WorkerTable.Entry] = [:]
    private var version = -1

    package init(lane: Lane, table: WorkerTable) {
        self.lane = lane
        self.table = table
    }

    package func handle(_ exchange: any Exchange) {
        refresh()
        switch entries[Self.workerName(in: exchange.head)] {
        case .worker(let worker): lane.dispatch(exchange, to: worker)
        case .broken: ErrorPage(.exception).respond(to: exchange)
        case nil: ErrorPage(.scriptNotFound).respond(to: exchange)
        }
    }

    private func refresh() {
        guard version != table.version else { return }
        version = table.version
        entries = table.entries
    }

    /// The first label of the URL's host. The URL is absolute: the parser has made it so.
    static func workerName(in head: RequestHead) -> String {
        let url = head.bytes[head.url]
        guard let scheme = url.firstIndex(of: UInt8(ascii: ":")) else { return "" }
        let host = url[min(scheme + 3, url.endIndex)...]
        let label = host.prefix { byte in
            byte != UInt8(ascii: ".") && byte != UInt8(ascii: "/") && byte != UInt8(ascii: ":")
        }
        return String(decoding: label, as: UTF8.self)
    }
}
