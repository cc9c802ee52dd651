internal import Foundation
package import Model
internal import Synchronization

/// The store as a host has it: what is routed is told to it, all else it asks the supervisor for.
///
/// Calls wait for their answers, as calls of a store wait for the disk. Any thread, but not the one that takes frames.
package final class RemoteStore: Sendable {
    private struct Routing {
        /// All of it, and not taken yet.
        var whole: RoutingSnapshot?
        var changes: [RoutingSnapshot] = []
        var observers: [@Sendable () -> Void] = []
    }

    private struct Calls {
        var waits: [Int: @Sendable (StoreAnswer) -> Void] = [:]
        var lastID = 0
    }

    private let send: @Sendable (FromHost) -> Void
    private let routing = Mutex(Routing())
    private let calls = Mutex(Calls())

    package init(send: @escaping @Sendable (FromHost) -> Void) { self.send = send }

    // MARK: What the supervisor says

    package func take(_ answer: StoreAnswer, of id: Int) {
        calls.withLock { $0.waits.removeValue(forKey: id) }?(answer)
    }

    /// Returns when those who observe have followed. On a thread that may wait.
    package func take(_ routes: RoutingSnapshot, isWhole: Bool) {
        let observers = routing.withLock { routing in
            if isWhole {
                routing.whole = routes
                routing.changes = []
            } else {
                routing.changes.append(routes)
            }
            return routing.observers
        }
        for observer in observers { observer() }
    }

    // MARK: Calls

    private func ask(_ call: StoreCall, completion: @escaping @Sendable (StoreAnswer) -> Void) {
        let id = calls.withLock { calls in
            calls.lastID += 1
            calls.waits[calls.lastID] = completion
            return calls.lastID
        }
        send(.call(id: id, call))
    }

    /// An answer on its way from one thread to the other.
    private final class Wait: Sendable {
        private let answer = Mutex<StoreAnswer>(.done)
        private let isThere = DispatchSemaphore(value: 0)

        func set(_ answer: StoreAnswer) {
            self.answer.withLock { $0 = answer }
            isThere.signal()
        }

        func wait() -> StoreAnswer {
            isThere.wait()
            return answer.withLock { $0 }
        }
    }

    private func call(_ call: StoreCall) throws -> StoreAnswer {
        let wait = Wait()
        ask(call) { wait.set($0) }
        let answer = wait.wait()
        if case .failed(let error) = answer { throw error }
        return answer
    }

    private static var confused: StoreError { StoreError(.failed, "the supervisor answered something else") }
}

extension RemoteStore: RoutingFeed, VersionSource {
    package func snapshot() throws -> RoutingSnapshot {
        routing.withLock { routing in
            defer { routing.whole = nil }
            return routing.whole ?? RoutingSnapshot(revision: 0, items: [])
        }
    }

    package func changes(after revision: Int64) throws -> RoutingSnapshot? {
        routing.withLock { routing in
            guard routing.whole == nil else { return nil }
            defer { routing.changes = [] }
            return RoutingSnapshot(
                revision: routing.changes.last?.revision ?? revision, items: routing.changes.flatMap(\.items))
        }
    }

    package func observe(_ changed: @escaping @Sendable () -> Void) {
        routing.withLock { $0.observers.append(changed) }
    }

    package func definition(ofVersion id: String, script: ScriptKey) throws -> StoredWorker {
        guard case .worker(let worker) = try call(.definition(version: id, script)) else { throw Self.confused }
        return worker
    }

    package func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8] {
        guard case .bytes(let bytes) = try call(.asset(blob: blob, offset: offset, count: count)) else {
            throw Self.confused
        }
        return bytes
    }
}

extension RemoteStore: ValueService {
    package func ask(_ call: ValueCall, completion: @escaping @Sendable (Result<ValueAnswer, any Error>) -> Void) {
        ask(.value(call)) { answer in
            switch answer {
            // Whoever asks again for what is left would ask for ever.
            case .value(.entries(let entries)) where entries.isEmpty: completion(.failure(Self.confused))
            case .value(let answer): completion(.success(answer))
            case .failed(let error): completion(.failure(error))
            case .done, .worker, .bytes, .usage: completion(.failure(Self.confused))
            }
        }
    }
}

extension RemoteStore: UsageStore {
    package func add(_ readings: [Usage], batch: String) throws { _ = try call(.addUsage(readings, batch: batch)) }

    package func usage(of account: String, hours: Range<Int64>) throws -> [Usage] {
        guard case .usage(let readings) = try call(.usage(account: account, hours: hours)) else { throw Self.confused }
        return readings
    }
}
