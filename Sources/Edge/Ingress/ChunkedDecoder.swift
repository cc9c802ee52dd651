internal import Glibc
package import Model

/// Takes a chunked body (RFC 9112, section 7.1) out of its chunks, in place. A state machine over bytes: it may be
/// given any piece of the body after any other.
package struct ChunkedDecoder {
    package enum Progress: Equatable {
        case needsMore
        /// The body, with its trailer, is over.
        case complete
        case rejected(Rejection)
    }

    private enum State {
        /// Before a chunk size's first digit, or behind it.
        case sizeStart
        case size
        case chunkExtension
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case lineStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case endLineFeed
    }

    /// Enough for any size there is; what has more is made of zeros.
    private static let mostDigits = 16

    private var state = State.sizeStart
    /// Of the chunk under way: its size so far, then what is left of it.
    private var size = 0
    private var digits = 0
    /// Bytes of the body in all chunks whose size is known.
    private var total = 0
    private var extensionBytes = 0
    private var trailerBytes = 0

    package init() {}

    /// Decodes what it can of `raw`, whose beginning it moves on, and appends the body's bytes to `body`, the part of
    /// `bytes` before it. An empty `body` begins where the data does, so that a single chunk need not be moved.
    package mutating func decode(
        _ bytes: UnsafeMutablePointer<UInt8>, raw: inout Range<Int>, body: inout Range<Int>,
        limits: borrowing IngressLimits
    ) -> Progress {
        var next = raw.lowerBound
        let limit = raw.upperBound
        defer { raw = next..<limit }
        while next < limit {
            if state == .data {
                let count = min(size, limit - next)
                if body.isEmpty { body = next..<next }
                if body.upperBound != next { memmove(bytes + body.upperBound, bytes + next, count) }
                body = body.lowerBound..<body.upperBound + count
                next += count
                size -= count
                if size == 0 { state = .dataReturn }
                continue
            }
            let byte = bytes[next]
            next += 1
            if let progress = step(byte, limits) { return progress }
        }
        return .needsMore
    }

    private mutating func step(_ byte: UInt8, _ limits: borrowing IngressLimits) -> Progress? {
        switch state {
        case .sizeStart, .size: return stepSize(byte, limits)
        case .chunkExtension:
            extensionBytes += 1
            if extensionBytes > limits.chunkExtensionBytes { return .rejected(.oversizedChunkExtension) }
            if byte == ASCII.carriageReturn { return become(.sizeLineFeed) }
            return ASCII.isFieldByte(byte) ? nil : .rejected(.malformedChunk)
        case .sizeLineFeed: return expect(ASCII.lineFeed, byte, then: size == 0 ? .lineStart : .data)
        case .dataReturn: return expect(ASCII.carriageReturn, byte, then: .dataLineFeed)
        case .dataLineFeed: return expect(ASCII.lineFeed, byte, then: .sizeStart)
        case .lineStart where byte == ASCII.carriageReturn: return become(.endLineFeed)
        case .lineStart, .trailerName, .trailerValue, .trailerLineFeed: return stepTrailer(byte, limits)
        case .endLineFeed: return byte == ASCII.lineFeed ? .complete : .rejected(.malformedChunk)
        case .data: return nil
        }
    }

    private mutating func stepSize(_ byte: UInt8, _ limits: borrowing IngressLimits) -> Progress? {
        let digit = ByteTable.hexadecimal[byte]
        if digit < 16 {
            if state == .sizeStart {
                size = 0
                digits = 0
            }
            digits += 1
            if digits > Self.mostDigits { return .rejected(.malformedChunk) }
            // Checked digit by digit, so that no size overflows.
            size = size << 4 | Int(digit)
            if size > limits.bodyBytes { return .rejected(.oversizedBody) }
            return become(.size)
        }
        guard state == .size else { return .rejected(.malformedChunk) }
        total += size
        if total > limits.bodyBytes { return .rejected(.oversizedBody) }
        switch byte {
        case ASCII.carriageReturn: return become(.sizeLineFeed)
        case UInt8(ascii: ";"): return become(.chunkExtension)
        default: return .rejected(.malformedChunk)
        }
    }

    /// Trailer fields are read past: nobody may rely on them (RFC 9110, section 6.5.1).
    private mutating func stepTrailer(_ byte: UInt8, _ limits: borrowing IngressLimits) -> Progress? {
        trailerBytes += 1
        if trailerBytes > limits.trailerBytes { return .rejected(.oversizedTrailer) }
        switch state {
        case .trailerName where byte == ASCII.colon: return become(.trailerValue)
        case .lineStart, .trailerName:
            return ByteTable.token[byte] == 0 ? .rejected(.malformedField) : become(.trailerName)
        case .trailerValue where byte == ASCII.carriageReturn: return become(.trailerLineFeed)
        case .trailerValue: return ASCII.isFieldByte(byte) ? nil : .rejected(.malformedField)
        default: return expect(ASCII.lineFeed, byte, then: .lineStart)
        }
    }

    private mutating func become(_ next: State) -> Progress? {
        state = next
        return nil
    }

    private mutating func expect(_ wanted: UInt8, _ byte: UInt8, then next: State) -> Progress? {
        byte == wanted ? become(next) : .rejected(.malformedChunk)
    }
}
