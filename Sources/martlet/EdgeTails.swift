import Foundation
import Model
import Supervisor
import Synchronization

/// Sends a location's events of followed Workers to the control node, as fast as that takes them; what finds no room is
/// counted, and told. Any thread.
final class EdgeTails: TraceSink {
    private struct State {
        var followed: Set<String> = []
        var queue: [Trace] = []
        var queuedBytes = 0
        /// Events that found no room, by Worker.
        var dropped: [String: Int] = [:]
        var isSending = false
    }

    /// Bytes of events that wait.
    private static let queueBytes = 4 << 20
    /// Bytes of events that are sent at once, unless one is larger.
    private static let batchBytes = 256 << 10

    private let state = Mutex(State())
    private let send = Mutex<(@Sendable ([UInt8]) throws -> Void)?>(nil)
    private let queue = DispatchQueue(label: "tails")

    /// - Parameter send: returns when the control node has taken them.
    func connect(send: @escaping @Sendable ([UInt8]) throws -> Void) { self.send.withLock { $0 = send } }

    /// Those, and no others.
    /// - Parameter names: nil if nobody says any more. What was dropped is told to whoever asks for the same again.
    func follow(_ names: [String]?) {
        state.withLock { state in
            state.followed = Set(names ?? [])
            guard let names else { return }
            state.dropped = state.dropped.filter { names.contains($0.key) }
            state.queue.removeAll { !state.followed.contains($0.worker) }
            state.queuedBytes = state.queue.reduce(0) { $0 + $1.size }
        }
    }

    func follows(_ worker: String) -> Bool { state.withLock { $0.followed.contains(worker) } }

    func take(_ trace: Trace) {
        let begins = state.withLock { state in
            guard state.followed.contains(trace.worker) else { return false }
            guard state.queuedBytes + trace.size <= Self.queueBytes else {
                state.dropped[trace.worker, default: 0] += 1
                return false
            }
            state.queue.append(trace)
            state.queuedBytes += trace.size
            defer { state.isSending = true }
            return !state.isSending
        }
        if begins { queue.async { [self] in drain() } }
    }

    private func drain() {
        while let batch = next() {
            let bytes = batch.bytes
            let isTaken = bytes.count <= TraceBatch.mostBytes && (try? send.withLock({ $0 })?(bytes)) != nil
            if !isTaken { count(batch) }
        }
    }

    /// Nil if nothing waits.
    private func next() -> TraceBatch? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.isSending = false
                return nil
            }
            var count = 0
            var bytes = 0
            while count < state.queue.count, count == 0 || bytes + state.queue[count].size <= Self.batchBytes {
                bytes += state.queue[count].size
                count += 1
            }
            defer {
                state.queue.removeFirst(count)
                state.queuedBytes -= bytes
                state.dropped = [:]
            }
            return TraceBatch(traces: Array(state.queue.prefix(count)), dropped: state.dropped)
        }
    }

    /// What was not taken is told of with what comes next.
    private func count(_ batch: TraceBatch) {
        state.withLock { state in
            for trace in batch.traces { state.dropped[trace.worker, default: 0] += 1 }
            state.dropped.merge(batch.dropped, uniquingKeysWith: +)
        }
    }
}
