internal import CLinux
internal import Glibc

/// A loop over epoll that belongs to one thread: descriptors, timers, tasks from other threads. All calls but those of
/// `remote` come from that thread.
///
/// A turn is: wait; tell handlers what is ready, listening sockets first; tasks; timers; then what asked for the end
/// of the turn. A loop with nothing to do stays in its wait: it makes no system calls.
package final class EventLoop {
    /// Names a descriptor's place in the loop.
    package struct Registration {
        /// What was registered.
        package let descriptor: Int32
        fileprivate let key: UInt64
    }

    private struct Slot {
        var handler: (any EventHandler)?
        /// Of the registration that has the slot now; events of earlier ones, still in the batch, are told by it.
        var generation: UInt64
        var nextFree: Int
    }

    /// More events than this stay in the kernel until the next turn.
    private static let batch = 256
    /// Marks the keys of listening sockets.
    private static let priorityBit: UInt64 = 1 << 63
    /// The slot of the eventfd, which has no handler: its wake-up is all there is to it.
    private static let wakeSlot = 0

    /// Monotonic nanoseconds at which the turn under way began.
    package private(set) var now = EventLoop.monotonicNow()
    /// The loop as other threads may use it.
    package let remote: Remote

    private let heartbeat: Heartbeat
    private let thread = pthread_self()
    private let poll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var slots: UnsafeMutablePointer<Slot>
    private var slotCount = 0
    private var slotCapacity = 64
    private var firstFreeSlot = -1
    private var timers = TimerHeap()
    private var tasks: [() -> Void] = []
    private var turnHandlers: ContiguousArray<any TurnHandler> = []
    private var isStopping = false

    /// Makes a loop for the calling thread.
    package init() throws(SystemCallError) {
        assert(Readiness.areEpolls)
        let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else { throw SystemCallError("epoll_create1") }
        let remote: Remote
        do {
            remote = try Remote()
        } catch {
            close(poll)
            throw error
        }
        self.poll = poll
        self.remote = remote
        heartbeat = remote.heartbeat
        events = .allocate(capacity: EventLoop.batch)
        slots = .allocate(capacity: slotCapacity)
        let wakeKey = takeSlot(handler: nil)
        precondition(Int(wakeKey) == EventLoop.wakeSlot)
        // Edge-triggered, so that nobody has to read the counter back to zero.
        var event = epoll_event(events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: wakeKey))
        guard epoll_ctl(poll, EPOLL_CTL_ADD, remote.wakeDescriptor, &event) == 0 else {
            throw SystemCallError("epoll_ctl")
        }
    }

    deinit {
        remote.end()
        close(poll)
        events.deallocate()
        slots.deinitialize(count: slotCount)
        slots.deallocate()
    }

    /// Monotonic nanoseconds, read from the clock.
    package static func monotonicNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Traps on any other thread than the loop's.
    package func preconditionInLoop() {
        precondition(pthread_equal(thread, pthread_self()) != 0, "an event loop was used from another thread")
    }

    // MARK: Descriptors

    /// Watches a descriptor. The loop keeps the handler alive until `unregister`. With `isListener`, its events are
    /// served before all others of the same turn.
    package func register(
        _ descriptor: Int32, for interest: Readiness, isListener: Bool = false, handler: any EventHandler
    ) throws(SystemCallError) -> Registration {
        preconditionInLoop()
        var key = takeSlot(handler: handler)
        if isListener { key |= EventLoop.priorityBit }
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: key))
        guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            let error = SystemCallError("epoll_ctl")
            freeSlot(of: key)
            throw error
        }
        return Registration(descriptor: descriptor, key: key)
    }

    /// Changes what the descriptor is watched for; not for those registered as exclusive.
    package func modify(_ registration: Registration, for interest: Readiness) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: registration.key))
        let result = epoll_ctl(poll, EPOLL_CTL_MOD, registration.descriptor, &event)
        precondition(result == 0, "epoll_ctl refused a registered descriptor")
    }

    /// Ends the watch; events of the same turn that were not delivered yet are dropped.
    package func unregister(_ registration: Registration) {
        var event = epoll_event()
        epoll_ctl(poll, EPOLL_CTL_DEL, registration.descriptor, &event)
        freeSlot(of: registration.key)
    }

    /// Ends the watch of one of `remote.acceptedSockets` and closes it; the kernel forgets a closed descriptor by
    /// itself.
    package func closeAccepted(_ registration: Registration) {
        freeSlot(of: registration.key)
        remote.acceptedSockets.close(registration.descriptor)
    }

    private func takeSlot(handler: (any EventHandler)?) -> UInt64 {
        let slot: Int
        if firstFreeSlot >= 0 {
            slot = firstFreeSlot
            firstFreeSlot = slots[slot].nextFree
            slots[slot].handler = handler
        } else {
            if slotCount == slotCapacity { growSlots() }
            slot = slotCount
            slotCount += 1
            (slots + slot).initialize(to: Slot(handler: handler, generation: 0, nextFree: -1))
        }
        return slots[slot].generation << 32 | UInt64(slot)
    }

    private func freeSlot(of key: UInt64) {
        let slot = Int(key & 0xffff_ffff)
        guard slots[slot].generation == EventLoop.generation(of: key) else { return }
        slots[slot].generation = (slots[slot].generation + 1) & 0x7fff_ffff
        slots[slot].nextFree = firstFreeSlot
        firstFreeSlot = slot
        slots[slot].handler = nil
    }

    private func growSlots() {
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: slotCapacity * 2)
        larger.moveInitialize(from: slots, count: slotCount)
        slots.deallocate()
        slots = larger
        slotCapacity *= 2
    }

    @inline(__always)
    private static func generation(of key: UInt64) -> UInt64 { key >> 32 & 0x7fff_ffff }

    // MARK: Timers and tasks

    /// Calls `action` in the first turn that begins at `deadline` (monotonic nanoseconds) or later.
    @discardableResult
    package func schedule(at deadline: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        preconditionInLoop()
        return timers.insert(deadline: deadline, action)
    }

    /// Calls `action` that many nanoseconds after the beginning of the turn under way, or later.
    @discardableResult
    package func schedule(after nanoseconds: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        schedule(at: now.addingReportingOverflow(nanoseconds).overflow ? .max : now + nanoseconds, action)
    }

    /// False if the timer has fired or was cancelled before.
    @discardableResult
    package func cancel(_ token: TimerToken) -> Bool {
        preconditionInLoop()
        return timers.remove(token)
    }

    /// Calls `task` later, from the loop itself: in this turn if its tasks have not had their turn yet, else in the
    /// next.
    package func enqueue(_ task: @escaping () -> Void) {
        preconditionInLoop()
        tasks.append(task)
    }

    /// Calls `handler.endOfTurn` once, when all else of this turn is done.
    package func callAtEndOfTurn(_ handler: any TurnHandler) {
        turnHandlers.append(handler)
    }

    // MARK: Running

    /// Takes turns until `stop`. Tasks that other threads leave later are refused.
    package func run() {
        preconditionInLoop()
        while !isStopping { turn() }
        // What the last turn's timers and handlers left.
        runTasks()
        remote.end()
    }

    /// Ends `run` after the turn under way.
    package func stop() {
        preconditionInLoop()
        isStopping = true
    }

    /// One turn: waits until there is something to do, and does it.
    package func turn() {
        let count = wait()
        now = EventLoop.monotonicNow()
        heartbeat.beginTurn(at: now)
        if count > 0 { deliver(count) }
        runTasks()
        runTimers()
        endTurn()
    }

    private func wait() -> Int {
        let timeout = waitMilliseconds()
        guard timeout != 0, remote.fallAsleep() else {
            return max(0, Int(epoll_wait(poll, events, Int32(EventLoop.batch), 0)))
        }
        heartbeat.beginWait()
        let count = epoll_wait(poll, events, Int32(EventLoop.batch), timeout)
        remote.awaken()
        return max(0, Int(count))
    }

    /// 0 if there is something to do already, -1 if nothing is scheduled.
    private func waitMilliseconds() -> Int32 {
        if !tasks.isEmpty || isStopping { return 0 }
        guard let deadline = timers.nextDeadline else { return -1 }
        let time = EventLoop.monotonicNow()
        guard deadline > time else { return 0 }
        // Rounded up: a wait that ends early would only be followed by another.
        return Int32(min((deadline - time + 999_999) / 1_000_000, 1 << 30))
    }

    private func deliver(_ count: Int) {
        for index in 0..<count where events[index].data.u64 & EventLoop.priorityBit != 0 { deliver(events[index]) }
        for index in 0..<count where events[index].data.u64 & EventLoop.priorityBit == 0 { deliver(events[index]) }
    }

    @inline(__always)
    private func deliver(_ event: epoll_event) {
        let key = event.data.u64
        let slot = slots + Int(key & 0xffff_ffff)
        guard slot.pointee.generation == EventLoop.generation(of: key), let handler = slot.pointee.handler else {
            return
        }
        heartbeat.beat()
        handler.ready(Readiness(rawValue: event.events))
    }

    private func runTasks() {
        if remote.hasTasks {
            for task in remote.takeTasks() {
                heartbeat.beat()
                task(self)
            }
        }
        guard !tasks.isEmpty else { return }
        let due = tasks
        tasks = []
        for task in due {
            heartbeat.beat()
            task()
        }
    }

    private func runTimers() {
        let order = timers.nextOrder
        while let action = timers.popDue(at: now, madeBefore: order) {
            heartbeat.beat()
            action()
        }
    }

    private func endTurn() {
        var index = 0
        while index < turnHandlers.count {
            turnHandlers[index].endOfTurn()
            index += 1
        }
        turnHandlers.removeAll(keepingCapacity: true)
    }
}
