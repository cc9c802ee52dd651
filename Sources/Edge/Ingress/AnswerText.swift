internal import Glibc
internal import Runtime

/// A whole body as bytes to send: how many there are, known before any is written.
struct AnswerText {
    private let source: ResponseBytes
    /// Bytes on the wire.
    let count: Int
    /// The source itself, where it can be sent as it is.
    let plain: UnsafeRawBufferPointer?

    init(_ source: ResponseBytes) {
        self.source = source
        switch source {
        case .none:
            count = 0
            plain = UnsafeRawBufferPointer(start: nil, count: 0)
        case .bytes(let bytes):
            count = bytes.count
            plain = bytes
        case .latin1(let units):
            let high = Self.countOfHigh(units)
            count = units.count + high
            plain = high == 0 ? units : nil
        case .utf16(let units):
            count = Self.utf8Count(units)
            plain = nil
        }
    }

    /// Returns where the text ends.
    func write(to out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        if let plain {
            if let start = plain.baseAddress { memcpy(out, start, plain.count) }
            return out + plain.count
        }
        switch source {
        case .none, .bytes: return out
        case .latin1(let units): return Self.write(latin1: units, to: out)
        case .utf16(let units): return Self.write(utf16: units, to: out)
        }
    }

    /// How many of Latin-1's bytes need two in UTF-8.
    private static func countOfHigh(_ units: UnsafeRawBufferPointer) -> Int {
        guard let start = units.baseAddress else { return 0 }
        let high: UInt64 = 0x8080_8080_8080_8080
        var count = 0
        var index = 0
        while index + 64 <= units.count {
            let sixtyFour = start.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self) & high
            if sixtyFour != .zero { count += (0..<8).reduce(0) { $0 + sixtyFour[$1].nonzeroBitCount } }
            index += 64
        }
        while index + 8 <= units.count {
            let eight = start.loadUnaligned(fromByteOffset: index, as: UInt64.self) & high
            if eight != 0 { count += eight.nonzeroBitCount }
            index += 8
        }
        while index < units.count {
            count += Int(units[index] >> 7)
            index += 1
        }
        return count
    }

    private static func write(
        latin1 units: UnsafeRawBufferPointer, to out: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var next = out
        for unit in units {
            if unit < 0x80 {
                next[0] = unit
                next += 1
            } else {
                next[0] = 0xc0 | unit >> 6
                next[1] = 0x80 | unit & 0x3f
                next += 2
            }
        }
        return next
    }

    /// Calls `body` for each scalar; a lone surrogate counts as U+FFFD.
    @inline(__always)
    private static func forEachScalar(_ units: UnsafeBufferPointer<UInt16>, _ body: (UInt32) -> Void) {
        var index = 0
        while index < units.count {
            let unit = units[index]
            index += 1
            if unit & 0xf800 != 0xd800 {
                body(UInt32(unit))
            } else if unit < 0xdc00, index < units.count, units[index] & 0xfc00 == 0xdc00 {
                body(0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(units[index] & 0x3ff)))
                index += 1
            } else {
                body(0xfffd)
            }
        }
    }

    private static func utf8Count(_ units: UnsafeBufferPointer<UInt16>) -> Int {
        var count = 0
        forEachScalar(units) { scalar in
            count += scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
        }
        return count
    }

    private static func write(
        utf16 units: UnsafeBufferPointer<UInt16>, to out: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var next = out
        forEachScalar(units) { scalar in
            switch scalar {
            case ..<0x80:
                next[0] = UInt8(truncatingIfNeeded: scalar)
                next += 1
            case ..<0x800:
                next[0] = UInt8(truncatingIfNeeded: 0xc0 | scalar >> 6)
                next[1] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f)
                next += 2
            case ..<0x10000:
                next[0] = UInt8(truncatingIfNeeded: 0xe0 | scalar >> 12)
                next[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3f)
                next[2] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f)
                next += 3
            default:
                next[0] = UInt8(truncatingIfNeeded: 0xf0 | scalar >> 18)
                next[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3f)
                next[2] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3f)
                next[3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f)
                next += 4
            }
        }
        return next
    }
}
