package import Model
internal import Synchronization

/// What hosts may ask for.
package typealias HostedStore = RoutingFeed & UsageStore & ValueStore & VersionSource

/// Asks the store what one host wants to know. Whether the host may ask was looked at before.
final class StoreDesk: Sendable {
    /// Calls of one host that wait or are under way, and bytes of all that they brought: it has some threads that call,
    /// each one thing at a time.
    static let mostCalls = 1_024
    static let mostBytes = 256 << 20

    private struct State {
        var calls = 0
        var bytes = 0
    }

    private let store: any HostedStore
    private let threads: CallThreads
    private let reply: @Sendable (_ id: Int, _ answer: StoreAnswer) -> Void
    /// Called before a Worker is told to the host.
    private let granted: @Sendable (StoredWorker, ScriptKey) -> Void
    private let state = Mutex(State())

    init(
        _ store: any HostedStore, threads: CallThreads, granted: @escaping @Sendable (StoredWorker, ScriptKey) -> Void,
        reply: @escaping @Sendable (_ id: Int, _ answer: StoreAnswer) -> Void
    ) {
        self.store = store
        self.threads = threads
        self.granted = granted
        self.reply = reply
    }

    /// - Parameters:
    ///   - size: bytes of the frame.
    ///   - mayWaitHere: nothing else of the host's waits for the calling thread. What is read at once is read there
    ///     then: another thread would have to wake up.
    func take(_ call: StoreCall, _ id: Int, size: Int, mayWaitHere: Bool) throws(WireError) {
        if mayWaitHere, case .value(.entries(let keys, _)) = call, keys.count == 1 {
            return reply(id, answer(to: call))
        }
        let isTaken = state.withLock { state in
            guard state.calls < Self.mostCalls, state.bytes + size <= Self.mostBytes else { return false }
            state.calls += 1
            state.bytes += size
            return true
        }
        guard isTaken else { throw WireError("more calls than it has threads for") }
        threads.add { [self] in
            let answer = answer(to: call)
            state.withLock { state in
                state.calls -= 1
                state.bytes -= size
            }
            reply(id, answer)
        }
    }

    private func answer(to call: StoreCall) -> StoreAnswer {
        do {
            switch call {
            case .definition(let version, let key):
                let worker = try store.definition(ofVersion: version, script: key)
                granted(worker, key)
                return .worker(worker)
            case .asset(let blob, let offset, let count):
                return .bytes(try store.assetBytes(blob, from: offset, count: count))
            case .value(let call): return .value(try store.answer(to: call))
            case .addUsage(let readings, let batch): try store.add(readings, batch: batch)
            case .usage(let account, let hours): return .usage(try store.usage(of: account, hours: hours))
            }
            return .done
        } catch {
            return .failed(error as? StoreError ?? StoreError(.failed, "\(error)"))
        }
    }
}
