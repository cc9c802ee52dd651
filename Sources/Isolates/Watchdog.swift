internal import Glibc
internal import Synchronization

/// One thread that holds all deadlines: it looks at each running call every few milliseconds, and raises its means
/// step by step: terminate, eject, give the thread up (architecture.md, section 2).
package final class Watchdog: Sendable {
    /// When each step is taken.
    package struct Steps: Sendable {
        /// How often running calls are looked at, in ns. A budget is overrun by at most about this much.
        package var tick: UInt64 = 2_000_000
        /// From termination to the first try at ejection, in ns of CPU time: what V8 gets to notice.
        package var graceBeforeEjection: UInt64 = 50_000_000
        /// From termination until the thread is given up, in ns of CPU time.
        package var graceBeforeLoss: UInt64 = 500_000_000
        package init() {}
    }

    /// What the watchdog remembers of a slot between two looks.
    private struct Watch {
        let slot: WatchdogSlot
        var call: UInt64 = 0
        var cpuAtStart: UInt64 = 0
        var isTerminated = false
    }

    private let steps: Steps
    private let watches = Mutex<[Watch]>([])
    private let isAsleep = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let alarm = Alarm()
    /// After this many looks at which no call had begun the watchdog sleeps until one begins, or one that goes on may
    /// have used up its time. To wake it costs a call a few microseconds; each look costs as much, on a processor that
    /// others may want.
    private static let looksBeforeSleep = 2
    /// While a call goes on, in ns.
    private static let longestSleep: UInt64 = 10_000_000_000

    package init(steps: Steps = Steps()) {
        self.steps = steps
        Thread.spawn(name: "watchdog") { [self] in watch() }
    }

    package func stop() {
        isStopped.store(true, ordering: .releasing)
        alarm.ring()
    }

    func add(_ slot: WatchdogSlot) { watches.withLock { $0.append(Watch(slot: slot)) } }

    func remove(_ slot: WatchdogSlot) { watches.withLock { $0.removeAll { $0.slot === slot } } }

    /// Called at each call's begin, after its slot is armed.
    func wakeIfAsleep() {
        guard isAsleep.load(ordering: .sequentiallyConsistent) else { return }
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { alarm.ring() }
    }

    private func watch() {
        var looks = 0
        while !isStopped.load(ordering: .acquiring) {
            looks = lookAtAll().hasBegun ? 0 : looks + 1
            if looks < Self.looksBeforeSleep {
                alarm.wait(nanoseconds: steps.tick)
                continue
            }
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            // A call that began before the flag was seen is found here; a later one rings.
            let found = lookAtAll()
            if found.hasBegun {
                looks = 0
            } else {
                alarm.wait(nanoseconds: found.left.map { min(max(steps.tick, $0), Self.longestSleep) })
            }
            isAsleep.store(false, ordering: .sequentiallyConsistent)
        }
    }

    /// What was seen of the calls under way.
    private struct Look {
        /// There is one that was not there before.
        var hasBegun = false
        /// The least time until something is to be done about one: none uses up more than passes. Nil without any.
        var left: UInt64?

        mutating func add(_ other: Look) {
            hasBegun = hasBegun || other.hasBegun
            if let time = other.left { left = min(left ?? time, time) }
        }
    }

    private func lookAtAll() -> Look {
        watches.withLock { watches in
            var all = Look()
            for index in watches.indices { all.add(look(at: &watches[index])) }
            return all
        }
    }

    private func look(at watch: inout Watch) -> Look {
        let slot = watch.slot
        guard let call = slot.currentCall else { return Look() }
        let cpu = slot.cpuTime
        if call != watch.call {
            watch.call = call
            watch.cpuAtStart = cpu
            watch.isTerminated = false
            return Look(hasBegun: true, left: slot.budget)
        }
        let used = cpu &- watch.cpuAtStart
        let budget = slot.budget
        guard used > budget else { return Look(left: budget &- used) }
        if !watch.isTerminated {
            watch.isTerminated = true
            slot.terminate(call: call)
        }
        if used > budget &+ steps.graceBeforeEjection { slot.eject(call: call) }
        if used > budget &+ steps.graceBeforeLoss { slot.giveUp(call: call) }
        return Look(left: steps.tick)
    }
}
