internal import Glibc
internal import Synchronization

/// What the process takes of the machine's memory, against what it may: the last line, behind what isolates are known
/// to use. Any thread.
final class ProcessMemory: Sendable {
    enum Pressure: Int, AtomicRepresentable {
        case none
        /// Idle isolates go, and no new one starts.
        case high
        /// Requests are refused before they make it worse.
        case critical
    }

    /// The part of the limit beyond it that is critical.
    private static let excess = 8

    private let limit: Int
    /// Stays open: a process that has locked itself in opens nothing.
    private static let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)

    /// Opens what is needed, while that is possible.
    static func openFiles() { _ = descriptor }

    private let current = Atomic<Pressure>(.none)

    /// - Parameter limit: bytes.
    init(limit: Int) {
        self.limit = limit
        measure()
    }

    /// As last measured.
    var pressure: Pressure { current.load(ordering: .relaxed) }

    @discardableResult
    func measure() -> Pressure {
        let resident = resident()
        let pressure: Pressure =
            resident > limit + limit / Self.excess ? .critical : resident > limit ? .high : .none
        current.store(pressure, ordering: .relaxed)
        return pressure
    }

    /// Bytes; 0 if they cannot be read.
    private func resident() -> Int {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = pread(Self.descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return 0 }
        // Pages: of the address space, of memory ...
        let numbers = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return (numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
