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

    /// A call and its answer, on the way from one thread to the other.
    private final class Wait: Sendable {
        let answer = Mutex<StoreAnswer?>(nil)
        let isThere = DispatchSemaphore(value: 0)
    }

    private struct Calls {
        var waits: [Int: Wait] = [:]
        var lastID = 0
    }

    private let send: @Sendable (FromHost) -> Void
    private let routing = Mutex(Routing())
    private let calls = Mutex(Calls())

    package init(send: @escaping @Sendable (FromHost) -> Void) { self.send = send }

    // MARK: What the supervisor says

    package func take(_ answer: StoreAnswer, of id: Int) {
        guard let wait = calls.withLock({ $0.waits.removeValue(forKey: id) }) else { return }
        wait.answer.withLock { $0 = answer }
        wait.isThere.signal()
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

    private func call(_ call: StoreCall) throws -> StoreAnswer {
        let wait = Wait()
        let id = calls.withLock { calls in
            calls.lastID += 1
            calls.waits[calls.lastID] = wait
            return calls.lastID
        }
        send(.call(id: id, call))
        wait.isThere.wait()
        let answer = wait.answer.withLock { $0 }
        if case .failed(let error) = answer { throw error }
        return answer ?? .done
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

extension RemoteStore: ValueStore {
    package func entries(_ keys: [String], in namespace: String) throws -> [KVEntry?] {
        guard case .entries(let entries) = try call(.entries(keys, namespace: namespace)), !entries.isEmpty else {
            throw Self.confused
        }
        return entries
    }

    package func entry(_ key: String, in namespace: String) throws -> KVEntry? {
        try entries([key], in: namespace)[0]
    }

    package func put(_ entries: [(key: String, entry: KVEntry)], in namespace: String) throws {
        for (key, entry) in entries { _ = try call(.put(key: key, entry, namespace: namespace)) }
    }

    package func delete(_ keys: [String], in namespace: String) throws {
        for key in keys { _ = try call(.delete(key: key, namespace: namespace)) }
    }

    package func keys(in namespace: String, prefix: String, after: String?, limit: Int) throws -> KVPage {
        guard
            case .page(let page) = try call(.keys(namespace: namespace, prefix: prefix, after: after, limit: limit))
        else { throw Self.confused }
        return page
    }
}

extension RemoteStore: UsageStore {
    package func add(_ readings: [Usage], batch: String) throws { _ = try call(.addUsage(readings, batch: batch)) }

    package func usage(of account: String, hours: Range<Int64>) throws -> [Usage] {
        guard case .usage(let readings) = try call(.usage(account: account, hours: hours)) else { throw Self.confused }
        return readings
    }
}
