/// Names a timer that was scheduled; stale tokens are harmless.
package struct TimerToken: Equatable, Sendable {
    fileprivate let slot: Int
    fileprivate let generation: UInt32
}

/// Timers in the order of their deadlines: a binary heap of small entries, whose actions stay in place beside it.
struct TimerHeap {
    private struct Entry {
        var deadline: UInt64
        /// Timers of one deadline fire in the order in which they were made.
        var order: UInt64
        var slot: Int

        func precedes(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : order < other.order
        }
    }

    private struct Slot {
        var generation: UInt32 = 0
        /// The place in `heap`; meaningless without an action.
        var position = 0
        var action: (() -> Void)?
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    /// The number the next timer gets.
    private(set) var nextOrder: UInt64 = 0

    var count: Int { heap.count }
    var nextDeadline: UInt64? { heap.first?.deadline }

    mutating func insert(deadline: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = slots.count
            slots.append(Slot())
        }
        slots[slot].action = action
        slots[slot].position = heap.count
        heap.append(Entry(deadline: deadline, order: nextOrder, slot: slot))
        nextOrder += 1
        siftUp(heap.count - 1)
        return TimerToken(slot: slot, generation: slots[slot].generation)
    }

    /// False if the timer has fired or was removed before.
    mutating func remove(_ token: TimerToken) -> Bool {
        guard token.slot < slots.count, slots[token.slot].generation == token.generation,
            slots[token.slot].action != nil
        else { return false }
        _ = take(at: slots[token.slot].position)
        return true
    }

    /// The action of the first timer that is due, removed. Timers numbered from `order` on have to wait for a later
    /// turn, so that a timer which always makes another cannot keep the loop to itself.
    mutating func popDue(at now: UInt64, madeBefore order: UInt64) -> (() -> Void)? {
        guard let first = heap.first, first.deadline <= now, first.order < order else { return nil }
        return take(at: 0)
    }

    private mutating func take(at position: Int) -> (() -> Void)? {
        let slot = heap[position].slot
        let last = heap.removeLast()
        if position < heap.count {
            heap[position] = last
            slots[last.slot].position = position
            siftDown(position)
            siftUp(position)
        }
        slots[slot].generation &+= 1
        freeSlots.append(slot)
        return slots[slot].action.take()
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let entry = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.precedes(heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let entry = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(entry) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(entry, at: position)
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        heap[position] = entry
        slots[entry.slot].position = position
    }
}
