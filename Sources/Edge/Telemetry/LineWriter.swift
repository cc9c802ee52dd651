internal import Glibc
internal import Isolates
internal import Synchronization

/// Writes lines to a descriptor on a thread of its own, so that no lane waits for a terminal or a pipe. What does not
/// fit in the queue is dropped and counted.
package final class LineWriter: Sendable {
    /// Bytes that may wait.
    private static let capacity = 4 << 20

    private struct State {
        var waiting: [UInt8] = []
        var dropped = 0
        var isWriting = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    private let alarm = Alarm()

    package init(descriptor: Int32) {
        self.descriptor = descriptor
        Thread.spawn(name: "log") { [self] in run() }
    }

    /// Queues a line; the line feed is added.
    package func write(_ line: String) {
        let isFirst = state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.dropped += 1
                return false
            }
            let isFirst = state.waiting.isEmpty
            state.waiting.append(contentsOf: line.utf8)
            state.waiting.append(UInt8(ascii: "\n"))
            return isFirst
        }
        if isFirst { alarm.ring() }
    }

    /// Waits until all that was queued is written, a second at most: for the end of the process.
    package func flush() {
        let deadline = clockNanoseconds() + 1_000_000_000
        while clockNanoseconds() < deadline, state.withLock({ !$0.waiting.isEmpty || $0.isWriting }) { usleep(500) }
    }

    private func clockNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func run() {
        while true {
            let bytes = state.withLock { state in
                var bytes = state.waiting
                state.waiting = []
                if state.dropped > 0 {
                    bytes.append(
                        contentsOf: "... \(state.dropped) lines were dropped: the log is read too slowly\n".utf8)
                    state.dropped = 0
                }
                state.isWriting = !bytes.isEmpty
                return bytes
            }
            if bytes.isEmpty { alarm.wait() } else { writeAll(bytes) }
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            if count < 0 && errno != EINTR { break }
            offset += max(0, count)
        }
        state.withLock { $0.isWriting = false }
    }
}
