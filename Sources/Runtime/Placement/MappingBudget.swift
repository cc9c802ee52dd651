internal import Glibc
internal import Synchronization

/// How many memory mappings the process has, against `vm.max_map_count`: running out is fatal to V8, so isolates are
/// refused or evicted before. An estimate between counts; counting reads /proc/self/maps, which is slow with many
/// isolates.
final class MappingBudget: Sendable {
    /// An idle isolate with its context, measured (docs/architecture.md).
    static let mappingsPerIsolate = 15
    static let bytesPerIsolate = 1_200_000
    /// The kernel's default, should the setting not be readable.
    private static let usualLimit = 65_530

    private struct State {
        var isolates = 0
        /// As last counted, and how many isolates there were then.
        var counted: Int
        var isolatesThen = 0
        var takesUntilCount = 64
    }

    private let limit: Int
    private let state: Mutex<State>

    /// The list of mappings stays open: a process that locks itself in can open it no more.
    private static let mappings = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    private static let kernelLimit = read("/proc/sys/vm/max_map_count").flatMap {
        Int($0.split(separator: "\n").first ?? "")
    }

    /// Opens what is needed, while that is possible.
    static func openFiles() { _ = (mappings, kernelLimit) }

    init() {
        // The last tenth is left to V8's own growth.
        limit = (Self.kernelLimit ?? Self.usualLimit) * 9 / 10
        state = Mutex(State(counted: Self.countMappings()))
    }

    var isolates: Int { state.withLock { $0.isolates } }
    var count: Int { state.withLock { Self.estimate($0) } }

    /// Takes the room for one isolate. False if there is none.
    func take() -> Bool {
        state.withLock { state in
            state.takesUntilCount -= 1
            if state.takesUntilCount <= 0 || Self.estimate(state) > limit {
                state.counted = Self.countMappings()
                state.isolatesThen = state.isolates
                // The more there are, the longer a count takes, and the nearer the limit the more it matters.
                state.takesUntilCount = Self.estimate(state) > limit * 3 / 4 ? 64 : 512
            }
            guard Self.estimate(state) + Self.mappingsPerIsolate <= limit else { return false }
            state.isolates += 1
            return true
        }
    }

    /// Takes the room of an isolate that has just been ended in exchange. Its mappings may go a moment later than the
    /// new ones come; the tenth that is left free allows for that.
    func takeOver() { state.withLock { $0.isolates += 1 } }

    /// Counts anew, if there may be many: heaps grow without anybody taking room.
    /// - Returns: whether there are more than there should be.
    func recount() -> Bool {
        state.withLock { state in
            guard Self.estimate(state) > limit / 4 else { return false }
            state.counted = Self.countMappings()
            state.isolatesThen = state.isolates
            return Self.estimate(state) > limit
        }
    }

    func give() { state.withLock { $0.isolates -= 1 } }

    private static func estimate(_ state: State) -> Int {
        state.counted + (state.isolates - state.isolatesThen) * mappingsPerIsolate
    }

    private static func countMappings() -> Int {
        var lines = 0
        var offset = 0
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { buffer in
            while true {
                let count = pread(mappings, buffer.baseAddress, buffer.count, offset)
                guard count > 0 else { return }
                offset += count
                for byte in buffer[..<count] where byte == UInt8(ascii: "\n") { lines += 1 }
            }
        }
        return lines
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
