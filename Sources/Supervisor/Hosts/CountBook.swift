package import Model
internal import Synchronization

/// What hosts have counted, those that have ended included: no counter goes back when a host is replaced. What a host
/// counts between the last time that it was asked, some 15 seconds before at most, and a crash is lost.
package final class CountBook: Sendable {
    /// Workers of ended hosts whose counts are kept.
    private static let mostWorkers = 10_000

    private struct State {
        /// Counters of hosts that have ended, and of versions that hosts have no more.
        var ended = RuntimeStatus()
        /// What those that have not ended said last, by number.
        var last: [Int: RuntimeStatus] = [:]

        mutating func keep(_ name: String, _ row: RuntimeStatus.Worker) {
            // Versions of a Worker are told apart behind its name; what is gone is the Worker's.
            let name = String(name.prefix { $0 != " " })
            guard ended.workers[name] != nil || ended.workers.count < CountBook.mostWorkers else { return }
            var row = row
            (row.isolates, row.memoryBytes) = (0, 0)
            ended.workers[name, default: RuntimeStatus.Worker()].add(row)
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter host: its number, of all hosts that there have been.
    package func note(_ status: RuntimeStatus, of host: Int) {
        state.withLock { state in
            let old = state.last[host] ?? RuntimeStatus()
            // Of two that were asked for at once the later may come first.
            guard status.requests.count >= old.requests.count else { return }
            for (name, row) in old.workers where status.workers[name] == nil { state.keep(name, row) }
            state.last[host] = status
        }
    }

    package func hasEnded(_ host: Int) {
        state.withLock { state in
            guard let last = state.last.removeValue(forKey: host) else { return }
            state.ended.addCounters(of: last)
            for (name, row) in last.workers { state.keep(name, row) }
        }
    }

    /// All counters together; what is no counter is that of the hosts that are there.
    package var total: RuntimeStatus {
        state.withLock { state in
            var total = RuntimeStatus(sumOf: Array(state.last.values))
            total.addCounters(of: state.ended)
            for (name, row) in state.ended.workers { total.workers[name, default: RuntimeStatus.Worker()].add(row) }
            return total
        }
    }
}
