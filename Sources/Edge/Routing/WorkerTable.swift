internal import Model
package import Runtime
internal import Synchronization

/// The workers that are served, by name. Written by whoever deploys, read by every lane.
package final class WorkerTable: Sendable {
    /// What stands under a name.
    package enum Entry: Sendable {
        case worker(Worker)
        /// The worker could not be read; the text says why.
        case broken(String)
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var version = 0
    }

    private let state = Mutex(State())
    private let currentVersion = Atomic<Int>(0)

    package init() {}

    /// Changes with every change of the table: a lane's copy is good while it stays the same.
    var version: Int { currentVersion.load(ordering: .acquiring) }

    /// Those of the entries that can be served.
    package var workers: [String: Worker] {
        entries.compactMapValues { entry in
            if case .worker(let worker) = entry { worker } else { nil }
        }
    }

    package var entries: [String: Entry] { state.withLock { $0.entries } }

    /// Puts an entry in place, or removes it (nil). Returns the worker that stood there.
    @discardableResult
    package func replace(_ name: String, with entry: Entry?) -> Worker? {
        state.withLock { state in
            let old = state.entries[name]
            state.entries[name] = entry
            currentVersion.add(1, ordering: .acquiringAndReleasing)
            if case .worker(let worker) = old { return worker }
            return nil
        }
    }
}
