internal import Isolates
package import Model
internal import Runtime
internal import Synchronization

/// Writes what Workers use into the ledger, each second: so much is lost at most if the process is killed, and nothing
/// is counted twice.
package final class Meter: Sendable {
    private struct Entry {
        let key: ScriptKey
        let worker: Worker
        /// What of the Worker's counters was read already.
        var written = UsageAmounts()
        /// Memory by time that was not written yet, in KiB times seconds, and the readings that it comes from.
        var memory: Int64 = 0
        var memoryTicks = 0
        /// How many times in a row a Worker that was replaced had used nothing.
        var quietTicks = 0
    }

    /// Readings on their way to the ledger. The name by which it is known there stays the same if it is tried again.
    private struct Batch {
        let id: String
        let readings: [Usage]
    }

    private struct State {
        var entries: [Entry] = []
        var unwritten: Batch?
        var hasFailed = false
    }

    /// Between two readings, in nanoseconds.
    private static let tick: UInt64 = 1_000_000_000
    /// After so many readings without use, a Worker that was replaced is not read any more.
    private static let quietTicksAtMost = 60
    /// The memory of a Worker that does nothing else is written after so many readings: most Workers do nothing most of
    /// the time.
    private static let memoryTicksAtMost = 10

    /// What accounts with limits have used.
    let daily = DailyUse()
    private let ledger: any UsageStore
    private let log: any EventSink
    private let state = Mutex(State())
    /// Held while a batch is written.
    private let writing = Mutex<Void>(())

    package init(ledger: any UsageStore, log: any EventSink) {
        self.ledger = ledger
        self.log = log
    }

    /// From now on that Worker's use is the script's.
    func add(_ worker: Worker, of key: ScriptKey) {
        state.withLock { $0.entries.append(Entry(key: key, worker: worker)) }
    }

    /// Reads and writes each second, on a thread of its own.
    package func start() {
        Thread.spawn(name: "meter") { [self] in
            let tick = Alarm()
            while true {
                tick.wait(nanoseconds: Self.tick)
                flush(isLast: false)
            }
        }
    }

    /// Writes what was used since the last time. Waits for the disk.
    /// - Parameter isLast: all of it, since there may be no later time.
    package func flush(isLast: Bool = true) {
        writing.withLock { _ in
            if !write() { return }
            do {
                try daily.prepare(.now) { try ledger.usage(of: $0, hours: $1) }
            } catch {
                complain("the ledger cannot be read, and limits of use do not hold: \(error)")
            }
            state.withLock { $0.unwritten = Self.read(&$0.entries, isLast: isLast) }
            _ = write()
        }
    }

    /// False if the batch that waits could not be written.
    private func write() -> Bool {
        guard let batch = state.withLock({ $0.unwritten }) else { return true }
        do {
            try ledger.add(batch.readings, batch: batch.id)
            daily.add(batch.readings)
            state.withLock { state in
                state.unwritten = nil
                state.hasFailed = false
            }
            return true
        } catch {
            let isFirst = state.withLock { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            if isFirst { complain("the ledger cannot be written, and is tried again each second: \(error)") }
            return false
        }
    }

    private func complain(_ text: String) { log.log(LogEvent(worker: "", request: 0, level: "error", text: text)) }

    private static func read(_ entries: inout [Entry], isLast: Bool) -> Batch? {
        let hour = Usage.hour(of: .now)
        var used: [ScriptKey: UsageAmounts] = [:]
        for index in entries.indices {
            let worker = entries[index].worker
            let now = worker.counts.amounts
            var amounts = now - entries[index].written
            entries[index].written = now
            entries[index].quietTicks = worker.isRetired && amounts.isZero ? entries[index].quietTicks + 1 : 0
            entries[index].memory += Int64(worker.counts.memory >> 10)
            entries[index].memoryTicks += 1
            if amounts.isZero, !isLast, entries[index].memoryTicks < memoryTicksAtMost { continue }
            amounts.memoryKilobyteSeconds = entries[index].memory
            entries[index].memory = 0
            entries[index].memoryTicks = 0
            if !amounts.isZero { used[entries[index].key] = (used[entries[index].key] ?? UsageAmounts()) + amounts }
        }
        entries.removeAll { $0.quietTicks > quietTicksAtMost }
        guard !used.isEmpty else { return nil }
        let readings = used.map { Usage(script: $0, hour: hour, amounts: $1) }
        return Batch(id: Identifier.hex(), readings: readings)
    }
}
