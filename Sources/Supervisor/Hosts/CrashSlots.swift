internal import Model
internal import Sandbox

/// What a host leaves behind when it crashes, in memory that both have.
final class CrashSlots: Sendable {
    private let memory: SharedMemory

    init() throws(SandboxError) { memory = try SharedMemory(size: CrashRecord.size) }

    var descriptor: Int32 { memory.descriptor }

    /// Tags of the Workers that had the processor, when the host has ended: of the thread that crashed, if one noted
    /// that; of all threads if the kernel ended the host for what it did; of none if somebody else has ended it.
    /// - Parameter isKernels: whether the kernel ended it.
    func suspects(isKernels: Bool) -> [UInt64] {
        let words = memory.bytes.bindMemory(to: UInt64.self)
        let slots = (0..<CrashRecord.slots).map { (tag: words[2 * $0], signal: words[2 * $0 + 1]) }
        let crashed = slots.filter { $0.signal != 0 }
        if !crashed.isEmpty { return crashed.map(\.tag).filter { $0 != 0 } }
        return isKernels ? slots.map(\.tag).filter { $0 != 0 } : []
    }
}
