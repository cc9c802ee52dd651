internal import CV8
internal import Model
internal import Synchronization

/// Two words for each thread that runs isolates, in memory that another process sees: whose code runs just now, and
/// whether it crashed. What a process leaves behind when it crashes says who did it.
package enum CrashSlots {
    private struct State: @unchecked Sendable {
        // Sound: the pointers lead to memory that stays, and each slot has one thread.
        var free: [UnsafeMutablePointer<UInt64>] = []
    }

    private static let state = Mutex(State())

    /// From now on threads that begin get their slots there. To be called before there are any.
    /// - Parameter memory: `CrashRecord.size` bytes, for as long as the process lives.
    package static func use(_ memory: UnsafeMutableRawBufferPointer) {
        let words = memory.bindMemory(to: UInt64.self)
        state.withLock { state in
            state.free = (0..<CrashRecord.slots).reversed().map { words.baseAddress! + 2 * $0 }
        }
    }

    /// Nil if nobody looks, or there are more threads than slots.
    static func claim() -> UnsafeMutablePointer<UInt64>? { state.withLock { $0.free.popLast() } }

    static func giveBack(_ slot: UnsafeMutablePointer<UInt64>) {
        slot[0] = 0
        state.withLock { $0.free.append(slot) }
    }
}
