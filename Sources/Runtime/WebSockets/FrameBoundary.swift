/// Follows frames (RFC 6455, section 5.2) that pass, without a look at what they hold: where one ends, another may be
/// put in.
struct FrameBoundary {
    /// Bytes of the header so far; empty between frames and within a payload.
    private var header: [UInt8] = []
    /// Bytes of the payload to come.
    private var remaining: UInt64 = 0

    var isAtBoundary: Bool { header.isEmpty && remaining == 0 }

    /// All of the bytes pass.
    mutating func pass(_ bytes: UnsafeRawBufferPointer) -> Int {
        var rest = bytes[...]
        while !rest.isEmpty { step(&rest) }
        return bytes.count
    }

    /// How many bytes pass up to the first end of a frame, or the end of the bytes.
    mutating func passToBoundary(_ bytes: UnsafeRawBufferPointer) -> Int {
        var rest = bytes[...]
        while !rest.isEmpty, !isAtBoundary { step(&rest) }
        return bytes.count - rest.count
    }

    private mutating func step(_ rest: inout Slice<UnsafeRawBufferPointer>) {
        if remaining > 0 {
            let count = Int(min(remaining, UInt64(rest.count)))
            rest.removeFirst(count)
            remaining -= UInt64(count)
            return
        }
        header.append(rest.removeFirst())
        guard header.count >= 2 else { return }
        let short = header[1] & 0x7f
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        guard header.count == 2 + lengthBytes + (header[1] & 0x80 != 0 ? 4 : 0) else { return }
        remaining =
            lengthBytes == 0 ? UInt64(short) : header[2..<(2 + lengthBytes)].reduce(0) { $0 << 8 | UInt64($1) }
        header = []
    }
}
