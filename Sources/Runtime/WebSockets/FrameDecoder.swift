internal import Isolates

/// Takes a WebSocket's frames (RFC 6455, section 5) apart and puts messages together. A state machine over bytes: it
/// may be given any piece of the stream after any other.
struct FrameDecoder {
    enum Event {
        case message(ChargedBuffer, isText: Bool)
        case ping([UInt8])
        /// 1005 stands for none.
        case close(code: Int, reason: String)
        /// The other side broke the protocol: the code to close with, and why.
        case failure(code: Int, String)
    }

    private struct Frame {
        let opcode: UInt8
        let isFinal: Bool
        var remaining: Int
        let mask: (UInt8, UInt8, UInt8, UInt8)
        var position = 0

        var isControl: Bool { opcode >= 8 }
    }

    /// Bytes of one message, as in Workers.
    static let longestMessage = 32 << 20

    private let account: MemoryAccount
    private let expectsMask: Bool
    private var input: [UInt8] = []
    private var offset = 0
    private var frame: Frame?
    /// The message under way.
    private var message: ChargedBuffer?
    private var isText = false
    private var control: [UInt8] = []

    /// - Parameter expectsMask: whether the other side is a client.
    init(chargedTo account: MemoryAccount, expectsMask: Bool) {
        self.account = account
        self.expectsMask = expectsMask
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        input.removeSubrange(..<offset)
        offset = 0
        input.append(contentsOf: bytes)
    }

    /// What the bytes so far give next; nil if more are needed.
    mutating func next() -> Event? {
        while true {
            if frame == nil {
                guard let header = takeHeader() else { return nil }
                switch header {
                case .failure(let failure): return failure
                case .frame(let next): frame = next
                }
            }
            if let failure = takePayload() { return failure }
            guard frame!.remaining == 0 else { return nil }
            let complete = frame!
            frame = nil
            if let event = event(of: complete) { return event }
        }
    }

    private enum Header {
        case frame(Frame)
        case failure(Event)
    }

    private static func broken(_ what: String) -> Event { .failure(code: 1002, what) }

    private mutating func takeHeader() -> Header? {
        let available = input.count - offset
        guard available >= 2 else { return nil }
        let first = input[offset]
        let second = input[offset + 1]
        let short = Int(second & 0x7f)
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        let isMasked = second & 0x80 != 0
        let size = 2 + lengthBytes + (isMasked ? 4 : 0)
        if let what = fault(first, isMasked: isMasked, length: short) { return .failure(Self.broken(what)) }
        guard available >= size else { return nil }
        var length = UInt64(short)
        if lengthBytes > 0 {
            length = input[(offset + 2)..<(offset + 2 + lengthBytes)].reduce(0) { $0 << 8 | UInt64($1) }
            let least: UInt64 = lengthBytes == 2 ? 126 : 65_536
            guard length >= least, length >> 63 == 0 else { return .failure(Self.broken("A length is malformed")) }
        }
        guard length <= UInt64(Self.longestMessage - (message?.count ?? 0)) else {
            return .failure(.failure(code: 1009, "A message is larger than 32 MiB"))
        }
        let key = offset + size - 4
        let mask = isMasked ? (input[key], input[key + 1], input[key + 2], input[key + 3]) : (0, 0, 0, 0)
        offset += size
        return .frame(Frame(opcode: first & 0x0f, isFinal: first & 0x80 != 0, remaining: Int(length), mask: mask))
    }

    private func fault(_ first: UInt8, isMasked: Bool, length: Int) -> String? {
        let opcode = first & 0x0f
        if first & 0x70 != 0 { return "Reserved bits are set" }
        if isMasked != expectsMask { return expectsMask ? "A frame is not masked" : "A frame is masked" }
        switch opcode {
        case 0: return message == nil ? "A frame continues nothing" : nil
        case 1, 2: return message == nil ? nil : "A message begins inside another"
        case 8, 9, 10: return first & 0x80 == 0 || length > 125 ? "A control frame is fragmented or too long" : nil
        default: return "A frame's kind is unknown"
        }
    }

    /// Nil, or why it cannot be taken.
    private mutating func takePayload() -> Event? {
        if message == nil, !frame!.isControl {
            message = ChargedBuffer(chargedTo: account)
            isText = frame!.opcode == 1
        }
        let count = min(frame!.remaining, input.count - offset)
        guard count > 0 else { return nil }
        unmask(count)
        var isTaken = true
        if frame!.isControl {
            control.append(contentsOf: input[offset..<(offset + count)])
        } else {
            isTaken = input.withUnsafeBytes {
                message!.append(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)]))
            }
        }
        offset += count
        frame!.remaining -= count
        return isTaken ? nil : .failure(code: 1009, "The worker has no memory left for the message")
    }

    private mutating func unmask(_ count: Int) {
        let mask = frame!.mask
        guard mask != (0, 0, 0, 0) else { return }
        let start = frame!.position
        frame!.position += count
        let key = [mask.0, mask.1, mask.2, mask.3]
        // Eight bytes at a time, from where in the mask the piece begins.
        let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(key[(start + $1) & 3]) << (8 * UInt64($1)) }
        input.withUnsafeMutableBytes { bytes in
            var index = 0
            while index + 8 <= count {
                let eight = bytes.loadUnaligned(fromByteOffset: offset + index, as: UInt64.self) ^ word.littleEndian
                bytes.storeBytes(of: eight, toByteOffset: offset + index, as: UInt64.self)
                index += 8
            }
            while index < count {
                bytes[offset + index] ^= key[(start + index) & 3]
                index += 1
            }
        }
    }

    private mutating func event(of frame: Frame) -> Event? {
        if frame.isControl {
            defer { control = [] }
            switch frame.opcode {
            case 8: return closing(control)
            case 9: return .ping(control)
            default: return nil
            }
        }
        guard frame.isFinal, let whole = message else { return nil }
        message = nil
        return .message(whole, isText: isText)
    }

    private func closing(_ payload: [UInt8]) -> Event {
        if payload.isEmpty { return .close(code: 1005, reason: "") }
        guard payload.count >= 2 else { return Self.broken("A close frame is malformed") }
        let code = Int(payload[0]) << 8 | Int(payload[1])
        guard (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code) else {
            return Self.broken("The code of a close frame means nothing")
        }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            return .failure(code: 1007, "The reason of a close frame is not UTF-8")
        }
        return .close(code: code, reason: reason)
    }
}

/// Frames on their way out.
enum FrameEncoder {
    enum Kind: UInt8 {
        case text = 1
        case binary = 2
        case close = 8
        case pong = 10
    }

    /// One frame that is a whole message.
    /// - Parameter mask: what a client masks it with; a server does not.
    static func frame(_ kind: Kind, _ payload: UnsafeRawBufferPointer, mask: UInt32?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 14)
        bytes.append(0x80 | kind.rawValue)
        let count = payload.count
        if count < 126 {
            bytes.append(UInt8(count))
        } else {
            let lengthBytes = count < 65_536 ? 2 : 8
            bytes.append(lengthBytes == 2 ? 126 : 127)
            for shift in stride(from: 8 * (lengthBytes - 1), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        }
        guard let mask else {
            bytes.append(contentsOf: payload)
            return bytes
        }
        bytes[1] |= 0x80
        withUnsafeBytes(of: mask) { bytes.append(contentsOf: $0) }
        let start = bytes.count
        bytes.append(contentsOf: payload)
        bytes.withUnsafeMutableBytes { mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
        return bytes
    }

    /// The payload of a close frame; 1005 for one that says nothing.
    static func closing(code: Int, reason: String) -> [UInt8] {
        guard code != 1005 else { return [] }
        return [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)] + Array(reason.utf8)
    }
}

extension UInt32 {
    /// Masks bytes by these four, in the order in which they stand in memory.
    fileprivate func apply(to bytes: UnsafeMutableRawBufferPointer) {
        let word = UInt64(self) << 32 | UInt64(self)
        var index = 0
        while index + 8 <= bytes.count {
            let eight = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
            bytes.storeBytes(of: eight, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        Swift.withUnsafeBytes(of: self) { mask in
            while index < bytes.count {
                bytes[index] ^= mask[index & 3]
                index += 1
            }
        }
    }
}
