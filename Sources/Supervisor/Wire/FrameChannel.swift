internal import Foundation
internal import Sandbox
internal import Synchronization

/// Frames over a Unix socket: four bytes of length, little-endian, and so many bytes of content. A descriptor may
/// travel with a frame.
///
/// Any thread sends. What the kernel does not take at once is written by a thread of the channel's own, from
/// `startWriting` on. One thread receives.
package final class FrameChannel: Sendable {
    /// Bytes of frames that may be dropped, such as logs, which may wait to be written.
    private static let droppableCapacity = 4 << 20
    /// How long the other side may take nothing, in seconds: then it is taken for dead.
    private static let patience = 10

    private struct Frame {
        /// With its length in front.
        var bytes: ArraySlice<UInt8>
        /// Sent with the frame's first byte, and closed then.
        var descriptor: Int32?
    }

    private struct State {
        var waiting: [Frame] = []
        var waitingBytes = 0
        var dropped = 0
        var hasThread = false
        var isWriting = false
        var isClosed = false
    }

    /// What the one receiving thread has.
    private struct Input {
        var buffer: [UInt8] = []
        var start = 0
        /// Descriptors that no frame has claimed yet.
        var descriptors: [Int32] = []

        var count: Int { buffer.count - start }
    }

    private let descriptor: Int32
    private let longestFrame: Int
    private let condition = NSCondition()
    private let state = Mutex(State())
    private let input = Mutex(Input())

    /// - Parameters:
    ///   - descriptor: belongs to the channel from now on.
    ///   - longestFrame: that the other side may send, in bytes.
    package init(_ descriptor: Int32, longestFrame: Int) {
        self.descriptor = descriptor
        self.longestFrame = longestFrame
        var time = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Has what was sent, and is sent from now on, written.
    package func startWriting() {
        state.withLock { $0.hasThread = true }
        Thread.detachNewThread { [self] in write() }
    }

    deinit {
        Foundation.close(descriptor)
        for descriptor in input.withLock({ $0.descriptors }) { Foundation.close(descriptor) }
    }

    /// A pair of connected sockets, close-on-exec; nil if there is none to be had.
    package static func pair() -> (ours: Int32, theirs: Int32)? {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        return socketpair(AF_UNIX, type, 0, &ends) == 0 ? (ends[0], ends[1]) : nil
    }

    // MARK: Sending

    /// - Parameter descriptor: goes with the frame, and belongs to the channel from now on.
    package func send(_ frame: [UInt8], with descriptor: Int32? = nil) {
        queue(frame, descriptor, isDroppable: false)
    }

    /// Sends if there is room for it in the queue, else counts it as dropped.
    package func sendIfPossible(_ frame: [UInt8]) { queue(frame, nil, isDroppable: true) }

    /// How many frames have been dropped since this was asked last.
    package func takeDropped() -> Int {
        state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    private enum Turn {
        case refused
        case waits
        /// Nobody writes: the sender does.
        case mine
    }

    private func queue(_ content: [UInt8], _ descriptor: Int32?, isDroppable: Bool) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count + 4)
        withUnsafeBytes(of: UInt32(content.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: content)
        let frame = Frame(bytes: bytes[...], descriptor: descriptor)
        let turn = state.withLock { state -> Turn in
            guard !state.isClosed else { return .refused }
            if isDroppable, state.waitingBytes + content.count > Self.droppableCapacity {
                state.dropped += 1
                return .refused
            }
            if state.waiting.isEmpty, !state.isWriting, state.hasThread, descriptor == nil {
                state.isWriting = true
                return .mine
            }
            state.waiting.append(frame)
            state.waitingBytes += content.count
            return .waits
        }
        switch turn {
        case .refused: if let descriptor { Foundation.close(descriptor) }
        case .waits: wake()
        case .mine: writeNow(frame)
        }
    }

    /// As much as the kernel takes at once; the rest is the thread's.
    private func writeNow(_ frame: Frame) {
        var rest = frame.bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        let isWanted = state.withLock { state in
            state.isWriting = false
            if !rest.isEmpty {
                state.waiting.insert(Frame(bytes: rest), at: 0)
                state.waitingBytes += rest.count
            }
            return !state.waiting.isEmpty
        }
        if isWanted { wake() }
    }

    private func wake() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until all that was sent is with the kernel, a second at most.
    package func flush() {
        let end = Date(timeIntervalSinceNow: 1)
        condition.lock()
        while state.withLock({ !$0.isClosed && (!$0.waiting.isEmpty || $0.isWriting) }) {
            guard condition.wait(until: end) else { break }
        }
        condition.unlock()
    }

    private func write() {
        while let frames = takeFrames() {
            for frame in frames where !write(frame) { return close() }
            state.withLock { $0.isWriting = false }
            wake()
        }
    }

    /// What waits; nil when the channel is closed.
    private func takeFrames() -> [Frame]? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (frames, isClosed) = state.withLock { state -> ([Frame], Bool) in
                guard !state.isWriting else { return ([], state.isClosed) }
                defer {
                    state.isWriting = !state.waiting.isEmpty
                    state.waiting = []
                    state.waitingBytes = 0
                }
                return (state.waiting, state.isClosed)
            }
            if isClosed {
                for frame in frames { if let descriptor = frame.descriptor { Foundation.close(descriptor) } }
                return nil
            }
            if !frames.isEmpty { return frames }
            condition.wait()
        }
    }

    private func write(_ frame: Frame) -> Bool {
        var rest = frame.bytes
        if let passed = frame.descriptor {
            defer { Foundation.close(passed) }
            guard let count = DescriptorPassing.send(rest, with: passed, on: descriptor) else { return false }
            rest = rest.dropFirst(count)
        }
        return rest.withUnsafeBytes(writeAll)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = Foundation.send(
                descriptor, bytes.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    // MARK: Receiving

    /// Read at a time, so that small frames cost one call together.
    private static let block = 64 << 10
    /// Descriptors that may have come without a frame that needs them.
    private static let mostDescriptors = 64

    /// The next frame's content; nil at the end.
    package func receive() throws(WireError) -> [UInt8]? {
        try input.withLock { (input) throws(WireError) in try receive(&input) }
    }

    /// Whether more has arrived than the frame that was received last.
    package var hasMore: Bool { input.withLock { $0.count > 0 } }

    /// The descriptor that came with the frame that was received last, or before; the caller closes it.
    package func takeDescriptor() -> Int32? {
        input.withLock { $0.descriptors.isEmpty ? nil : $0.descriptors.removeFirst() }
    }

    private func receive(_ input: inout Input) throws(WireError) -> [UInt8]? {
        guard try fill(&input, to: 4) else { return nil }
        let length = input.buffer.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: input.start, as: UInt32.self)))
        }
        guard length > 0 else { throw WireError("an empty frame") }
        guard length <= longestFrame else { throw WireError("a frame of \(length) bytes") }
        guard try fill(&input, to: 4 + length) else { throw WireError("a frame is cut off") }
        let end = input.start + 4 + length
        let frame = Array(input.buffer[(input.start + 4)..<end])
        input.start = end
        if input.start == input.buffer.count {
            input.buffer.removeAll(keepingCapacity: input.buffer.capacity <= 4 * Self.block)
            input.start = 0
        }
        return frame
    }

    /// Receives until so many bytes are there; false at the end, if nothing is.
    private func fill(_ input: inout Input, to count: Int) throws(WireError) -> Bool {
        if input.start > 0, input.count < count {
            input.buffer.removeFirst(input.start)
            input.start = 0
        }
        while input.count < count {
            let old = input.buffer.count
            input.buffer.append(contentsOf: repeatElement(0, count: max(Self.block, count - input.count)))
            let result = input.buffer.withUnsafeMutableBytes { bytes in
                DescriptorPassing.receive(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[old...]), from: descriptor, &input.descriptors)
            }
            input.buffer.removeLast(input.buffer.count - old - max(0, result))
            guard input.descriptors.count <= Self.mostDescriptors else { throw WireError("too many descriptors") }
            guard result > 0 else {
                if input.count == 0 { return false }
                throw WireError("a frame is cut off")
            }
        }
        return true
    }

    /// Ends both directions: whoever receives on either side gets the end.
    package func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
        wake()
    }
}
