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
    /// After this many looks without a call the watchdog sleeps until one begins.
    private static let idleLooksBeforeSleep = 50

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
        if isAsleep.load(ordering: .sequentiallyConsistent) { alarm.ring() }
    }

    private func watch() {
        var idleLooks = 0
        while !isStopped.load(ordering: .acquiring) {
            idleLooks = lookAtAll() ? 0 : idleLooks + 1
            if idleLooks < Self.idleLooksBeforeSleep {
                alarm.wait(nanoseconds: steps.tick)
                continue
            }
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            // A call that began before the flag was seen is found here; a later one rings.
            if !lookAtAll() { alarm.wait() }
            isAsleep.store(false, ordering: .sequentiallyConsistent)
            idleLooks = 0
        }
    }

    /// True if any call is under way.
    private func lookAtAll() -> Bool {
        watches.withLock { watches in
            var isAnyRunning = false
            for index in watches.indices where look(at: &watches[index]) { isAnyRunning = true }
            return isAnyRunning
        }
    }

    private func look(at watch: inout Watch) -> Bool {
        let slot = watch.slot
        guard let call = slot.currentCall else { return false }
        let cpu = slot.cpuTime
        if call != watch.call {
            watch.call = call
            watch.cpuAtStart = cpu
            watch.isTerminated = false
            return true
        }
        let used = cpu &- watch.cpuAtStart
        let budget = slot.budget
        guard used > budget else { return true }
        if !watch.isTerminated {
            watch.isTerminated = true
            slot.terminate(call: call)
        }
        if used > budget &+ steps.graceBeforeEjection { slot.eject(call: call) }
        if used > budget &+ steps.graceBeforeLoss { slot.giveUp(call: call) }
        return true
    }
}
