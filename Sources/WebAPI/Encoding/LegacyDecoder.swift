/// A decoder of the Encoding Standard for what is neither UTF-8 nor UTF-16, sections 9 to 13 and 14.5. What it keeps
/// between two pushes is one number, so that whoever decodes piece by piece can keep that and no decoder.
struct LegacyDecoder {
    /// The input is malformed and the decoder fatal.
    struct Malformed: Error {}

    private let encoding: LegacyEncoding
    private let isFatal: Bool
    /// The bytes and flags that the standard's decoder keeps; 0 at the start and after the end of the queue.
    var state: UInt32

    /// `label` is an encoding's name in lower case; nil if no decoder here has that name.
    init?(label: String, fatal: Bool, state: UInt32 = 0) {
        guard let encoding = LegacyEncoding(name: label) else { return nil }
        self.encoding = encoding
        self.isFatal = fatal
        self.state = state
    }

    /// Decodes bytes to UTF-16 code units. With `flush` the end of the queue comes after them.
    mutating func push(_ bytes: UnsafeBufferPointer<UInt8>, flush: Bool) throws(Malformed) -> [UInt16] {
        var queue = ByteQueue(bytes, isEnded: flush)
        var output = CodeUnits(capacity: bytes.count + 2, isFatal: isFatal)
        switch encoding {
        case .singleByte(let index): try decodeSingleByte(index, &queue, &output)
        case .xUserDefined: try decodeXUserDefined(&queue, &output)
        case .gb18030: try decodeGB18030(&queue, &output)
        case .big5: try decodeBig5(&queue, &output)
        case .eucJP: try decodeEUCJP(&queue, &output)
        case .iso2022JP: try decodeISO2022JP(&queue, &output)
        case .shiftJIS: try decodeShiftJIS(&queue, &output)
        case .eucKR: try decodeEUCKR(&queue, &output)
        }
        if flush { state = 0 }
        return output.units
    }
}

/// The decoder's I/O queue: what is pushed, in front of it what a handler restores, after it the end if it comes.
struct ByteQueue {
    let bytes: UnsafeBufferPointer<UInt8>
    /// Whether end-of-queue comes after the bytes.
    let isEnded: Bool
    private var position = 0
    /// Restored bytes, the next one lowest, and how many they are.
    private var restored: UInt32 = 0
    private var restoredCount = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, isEnded: Bool) {
        self.bytes = bytes
        self.isEnded = isEnded
    }

    /// The next byte; nil where no more is at hand.
    mutating func next() -> UInt8? {
        if restoredCount > 0 {
            let byte = UInt8(truncatingIfNeeded: restored)
            restored >>= 8
            restoredCount -= 1
            return byte
        }
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func restore(_ byte: UInt8) {
        restored = restored << 8 | UInt32(byte)
        restoredCount += 1
    }
}

/// What the handlers put out, as UTF-16.
struct CodeUnits {
    private(set) var units: [UInt16] = []
    private let isFatal: Bool

    init(capacity: Int, isFatal: Bool) {
        self.isFatal = isFatal
        units.reserveCapacity(capacity)
    }

    mutating func append(_ codePoint: UInt32) {
        guard codePoint > 0xFFFF else { return units.append(UInt16(codePoint)) }
        units.append(UInt16(0xD7C0 + (codePoint >> 10)))
        units.append(UInt16(0xDC00 + (codePoint & 0x3FF)))
    }

    mutating func error() throws(LegacyDecoder.Malformed) {
        if isFatal { throw LegacyDecoder.Malformed() }
        units.append(0xFFFD)
    }

    /// Gives false, and appends nothing, where there is no code point.
    mutating func appendIfMapped(_ codePoint: UInt32?) -> Bool {
        guard let codePoint else { return false }
        append(codePoint)
        return true
    }

    mutating func append(_ codePoint: UInt32?) throws(LegacyDecoder.Malformed) {
        if let codePoint { append(codePoint) } else { try error() }
    }
}

// MARK: One byte, sections 9 and 14.5

extension LegacyDecoder {
    private func decodeSingleByte(
        _ index: LegacyIndex, _ queue: inout ByteQueue, _ output: inout CodeUnits
    ) throws(Malformed) {
        while let byte = queue.next() {
            if byte < 0x80 { output.append(UInt32(byte)) } else { try output.append(index[Int(byte) - 0x80]) }
        }
    }

    private func decodeXUserDefined(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        while let byte = queue.next() {
            output.append(byte < 0x80 ? UInt32(byte) : 0xF780 + UInt32(byte) - 0x80)
        }
    }
}

// MARK: A lead and a trail byte, sections 11.1, 12.1, 12.3 and 13.1

extension LegacyDecoder {
    /// What Big5, Shift_JIS and EUC-KR have in common. The state is the lead byte. `isLead` tells which bytes lead,
    /// `single` what another byte stands for, and `pair` appends what a pair stands for or gives false for nothing.
    private mutating func decodePairs(
        _ queue: inout ByteQueue, _ output: inout CodeUnits, isLead: (UInt8) -> Bool, single: (UInt8) -> UInt32?,
        pair: (_ lead: Int, _ trail: Int, inout CodeUnits) -> Bool
    ) throws(Malformed) {
        while let byte = queue.next() {
            if state != 0 {
                let lead = Int(state)
                state = 0
                if pair(lead, Int(byte), &output) { continue }
                if byte < 0x80 { queue.restore(byte) }
                try output.error()
            } else if byte < 0x80 {
                output.append(UInt32(byte))
            } else if isLead(byte) {
                state = UInt32(byte)
            } else {
                try output.append(single(byte))
            }
        }
        if queue.isEnded && state != 0 { try output.error() }
    }

    private mutating func decodeBig5(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        let index = LegacyIndex.big5
        func pair(_ lead: Int, _ trail: Int, _ output: inout CodeUnits) -> Bool {
            guard (0x40...0x7E).contains(trail) || (0xA1...0xFE).contains(trail) else { return false }
            let pointer = (lead - 0x81) * 157 + trail - (trail < 0x7F ? 0x40 : 0x62)
            // Letters with two diacritics, for which Unicode has no one code point.
            if pointer == 1133 || pointer == 1135 || pointer == 1164 || pointer == 1166 {
                output.append(pointer < 1164 ? 0xCA : 0xEA)
                output.append(pointer == 1133 || pointer == 1164 ? 0x304 : 0x30C)
                return true
            }
            return output.appendIfMapped(index[pointer])
        }
        try decodePairs(&queue, &output, isLead: isCommonLead, single: { _ in nil }, pair: pair)
    }

    private mutating func decodeShiftJIS(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        let index = LegacyIndex.jis0208
        func isLead(_ byte: UInt8) -> Bool { (byte >= 0x81 && byte <= 0x9F) || (byte >= 0xE0 && byte <= 0xFC) }
        func single(_ byte: UInt8) -> UInt32? {
            if byte == 0x80 { return 0x80 }
            return byte >= 0xA1 && byte <= 0xDF ? 0xFF61 - 0xA1 + UInt32(byte) : nil
        }
        func pair(_ lead: Int, _ trail: Int, _ output: inout CodeUnits) -> Bool {
            guard (0x40...0x7E).contains(trail) || (0x80...0xFC).contains(trail) else { return false }
            let pointer = (lead - (lead < 0xA0 ? 0x81 : 0xC1)) * 188 + trail - (trail < 0x7F ? 0x40 : 0x41)
            let isUserDefined = (8_836...10_715).contains(pointer)
            return output.appendIfMapped(isUserDefined ? UInt32(0xE000 - 8_836 + pointer) : index[pointer])
        }
        try decodePairs(&queue, &output, isLead: isLead, single: single, pair: pair)
    }

    private mutating func decodeEUCKR(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        let index = LegacyIndex.eucKR
        func pair(_ lead: Int, _ trail: Int, _ output: inout CodeUnits) -> Bool {
            (0x41...0xFE).contains(trail) && output.appendIfMapped(index[(lead - 0x81) * 190 + trail - 0x41])
        }
        try decodePairs(&queue, &output, isLead: isCommonLead, single: { _ in nil }, pair: pair)
    }

    private func isCommonLead(_ byte: UInt8) -> Bool { byte >= 0x81 && byte <= 0xFE }

    /// The state is the lead byte and, above it, a flag for JIS X 0212.
    private mutating func decodeEUCJP(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        let jis0208 = LegacyIndex.jis0208
        while let byte = queue.next() {
            let lead = UInt8(truncatingIfNeeded: state)
            let isJIS0212 = state > 0xFF
            if lead == 0x8E && byte >= 0xA1 && byte <= 0xDF {
                state = 0
                output.append(0xFF61 - 0xA1 + UInt32(byte))
            } else if lead == 0x8F && byte >= 0xA1 && byte <= 0xFE {
                state = 0x100 | UInt32(byte)
            } else if lead != 0 {
                state = 0
                var codePoint: UInt32?
                if lead >= 0xA1 && byte >= 0xA1 && byte <= 0xFE {
                    let pointer = (Int(lead) - 0xA1) * 94 + Int(byte) - 0xA1
                    codePoint = isJIS0212 ? LegacyIndex.jis0212[pointer] : jis0208[pointer]
                }
                if codePoint == nil && byte < 0x80 { queue.restore(byte) }
                try output.append(codePoint)
            } else if byte < 0x80 {
                output.append(UInt32(byte))
            } else if byte == 0x8E || byte == 0x8F || (byte >= 0xA1 && byte <= 0xFE) {
                state = UInt32(byte)
            } else {
                try output.error()
            }
        }
        if queue.isEnded && state != 0 { try output.error() }
    }
}
