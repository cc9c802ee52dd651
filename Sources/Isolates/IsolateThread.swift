internal import CV8
internal import Glibc
internal import Synchronization

/// The right to run isolates on the current thread: its bridge record, its CPU clock, and the slot through which the
/// watchdog sees it. Bound to the thread that made it.
package final class IsolateThread {
    /// What the watchdog reads. Outlives the thread's last call.
    let slot: WatchdogSlot
    private var clock = CPUClock()
    private let watchdog: Watchdog
    /// Says whose code runs on the thread, for those who look at what a crash has left.
    private let crashSlot: UnsafeMutablePointer<UInt64>?

    /// Attaches the calling thread. Its stack must be at least 2 MB.
    /// - Parameter onLost: called on the watchdog's thread, once, when a call has run 500 ms past its limit and could
    ///   not be ended.
    package init(watchdog: Watchdog, onLost: @escaping @Sendable () -> Void) {
        self.watchdog = watchdog
        let thread = cv8_thread_attach()
        slot = WatchdogSlot(thread: thread, onLost: onLost)
        crashSlot = CrashSlots.claim()
        cv8_thread_set_crash_slot(thread, crashSlot)
        watchdog.add(slot)
    }

    /// Detaches. The last thing done on the thread.
    package func close() {
        watchdog.remove(slot)
        cv8_thread_set_crash_slot(slot.thread, nil)
        if let crashSlot { CrashSlots.giveBack(crashSlot) }
        cv8_thread_detach()
    }

    /// The wall clock that JavaScript sees from now on, in ms since 1970: the time of the last I/O.
    package func setTime(_ milliseconds: Double) { cv8_thread_set_time(milliseconds) }

    /// Whether the watchdog has given this thread up: it must leave as soon as it can.
    package var isLost: Bool { slot.isLost }

    func beginCall(of isolate: OpaquePointer, tag: UInt64, budget: UInt64) {
        crashSlot?.pointee = tag
        slot.arm(isolate: isolate, budget: budget)
        watchdog.wakeIfAsleep()
        clock.begin()
    }

    func endCall() -> (cpuTime: UInt64, wasTerminated: Bool) {
        let used = clock.end()
        crashSlot?.pointee = 0
        return (used, slot.disarm())
    }
}

/// One thread's call under way, as the watchdog sees it. Written by the thread, read and raised by the watchdog.
final class WatchdogSlot: Sendable {
    /// Where a call stands. The low bits are the stage, the rest the call's number.
    private enum Stage {
        static let idle: UInt64 = 0
        static let armed: UInt64 = 1
        /// The watchdog is inside TerminateExecution: the thread must not go on to another call.
        static let terminating: UInt64 = 2
        static let terminated: UInt64 = 3
        static let mask: UInt64 = 3
    }

    nonisolated(unsafe) let thread: OpaquePointer
    let cpuClock: clockid_t
    private let onLost: @Sendable () -> Void
    private let state = Atomic<UInt64>(0)
    private let budgetNanoseconds = Atomic<UInt64>(0)
    private let isolate = Atomic<UInt>(0)
    /// The bridge's number for the call.
    private let bridgeCall = Atomic<UInt64>(0)
    private let lost = Atomic<Bool>(false)

    init(thread: OpaquePointer, onLost: @escaping @Sendable () -> Void) {
        self.thread = thread
        self.onLost = onLost
        var clock = clockid_t()
        pthread_getcpuclockid(pthread_self(), &clock)
        cpuClock = clock
    }

    // MARK: By the thread

    func arm(isolate pointer: OpaquePointer, budget: UInt64) {
        budgetNanoseconds.store(budget, ordering: .relaxed)
        isolate.store(UInt(bitPattern: pointer), ordering: .relaxed)
        bridgeCall.store(cv8_thread_next_call(thread), ordering: .relaxed)
        let next = (state.load(ordering: .relaxed) & ~Stage.mask) &+ 4
        state.store(next | Stage.armed, ordering: .sequentiallyConsistent)
    }

    /// True if the call was terminated, even if too late for it to notice.
    func disarm() -> Bool {
        let call = state.load(ordering: .relaxed) & ~Stage.mask
        if state.compareExchange(
            expected: call | Stage.armed, desired: call | Stage.idle, ordering: .acquiringAndReleasing
        ).exchanged {
            return false
        }
        while state.load(ordering: .acquiring) == call | Stage.terminating { sched_yield() }
        state.store(call | Stage.idle, ordering: .releasing)
        return true
    }

    // MARK: By the watchdog

    /// The number of the call under way, or nil.
    var currentCall: UInt64? {
        let now = state.load(ordering: .acquiring)
        return now & Stage.mask == Stage.idle ? nil : now & ~Stage.mask
    }

    var budget: UInt64 { budgetNanoseconds.load(ordering: .relaxed) }
    var isLost: Bool { lost.load(ordering: .acquiring) }
    var cpuTime: UInt64 { CPUClock.read(cpuClock) }

    /// Asks V8 to end that call, unless it has just ended.
    func terminate(call: UInt64) {
        let target = OpaquePointer(bitPattern: isolate.load(ordering: .relaxed))
        guard let target,
            state.compareExchange(
                expected: call | Stage.armed, desired: call | Stage.terminating, ordering: .acquiringAndReleasing
            ).exchanged
        else { return }
        cv8_isolate_terminate(target)
        state.store(call | Stage.terminated, ordering: .releasing)
    }

    /// Makes the thread jump out of that call, unless it has ended. The number is read before the stage is looked at
    /// again: a later call's would be that of another tenant.
    func eject(call: UInt64) {
        let target = bridgeCall.load(ordering: .acquiring)
        guard state.load(ordering: .acquiring) == call | Stage.terminated else { return }
        cv8_thread_eject(thread, target)
    }

    func giveUp(call: UInt64) {
        guard state.load(ordering: .acquiring) == call | Stage.terminated else { return }
        if !lost.exchange(true, ordering: .acquiringAndReleasing) { onLost() }
    }
}
