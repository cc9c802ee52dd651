internal import Glibc

/// Comparing and copying of raw bytes with what the source text spells out.
enum Bytes {
    typealias Pointer = UnsafePointer<UInt8>
    typealias MutablePointer = UnsafeMutablePointer<UInt8>

    @inline(__always)
    static func equal(_ bytes: Pointer, _ count: Int, _ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && memcmp(bytes, text.utf8Start, count) == 0
    }

    /// Case does not count; `lowercase` is in lower case.
    static func isEqual(_ bytes: Pointer, _ count: Int, lowercase text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && hasPrefix(bytes, count, lowercase: text)
    }

    /// Case does not count; `lowercase` is in lower case.
    static func hasPrefix(_ bytes: Pointer, _ count: Int, lowercase text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount {
            let byte = bytes[index]
            let lowered = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            if lowered != text.utf8Start[index] { return false }
        }
        return true
    }

    /// Returns where the copy ends.
    @inline(__always)
    static func copy(_ text: StaticString, to out: MutablePointer) -> MutablePointer {
        copy(text.utf8Start, text.utf8CodeUnitCount, to: out)
    }

    /// Returns where the copy ends.
    @inline(__always)
    static func copy(_ bytes: Pointer, _ count: Int, to out: MutablePointer) -> MutablePointer {
        memcpy(out, bytes, count)
        return out + count
    }

    /// Writes a number that is not negative in decimal digits; returns where they end.
    static func write(decimal number: Int, to out: MutablePointer) -> MutablePointer {
        var rest = number
        var end = out
        repeat {
            end[0] = ASCII.zero + UInt8(truncatingIfNeeded: rest % 10)
            end += 1
            rest /= 10
        } while rest > 0
        reverse(out, end)
        return end
    }

    /// Writes a number that is not negative in hexadecimal digits; returns where they end.
    static func write(hexadecimal number: Int, to out: MutablePointer) -> MutablePointer {
        var rest = number
        var end = out
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            end[0] = digit < 10 ? ASCII.zero + digit : UInt8(ascii: "a") + digit - 10
            end += 1
            rest >>= 4
        } while rest > 0
        reverse(out, end)
        return end
    }

    private static func reverse(_ start: MutablePointer, _ end: MutablePointer) {
        var low = start
        var high = end - 1
        while low < high {
            (low[0], high[0]) = (high[0], low[0])
            low += 1
            high -= 1
        }
    }

    /// Calls `body` for each element of a comma-separated list (RFC 9110, section 5.6.1), without the blanks around it.
    static func forEachToken(_ bytes: Pointer, _ count: Int, _ body: (Pointer, Int) -> Void) {
        let end = bytes + count
        var next = bytes
        while next < end {
            while next < end, next[0] == ASCII.comma || next[0] == ASCII.space || next[0] == ASCII.tab { next += 1 }
            let token = next
            while next < end, next[0] != ASCII.comma { next += 1 }
            var last = next
            while last > token, last[-1] == ASCII.space || last[-1] == ASCII.tab { last -= 1 }
            if last > token { body(token, last - token) }
        }
    }
}
