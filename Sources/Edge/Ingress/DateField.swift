internal import Glibc

/// The Date field (RFC 9110, section 6.6.1), written once a second.
struct DateField {
    private static let text: StaticString = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    private static let days: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    /// Bytes of the whole line.
    static let count = 37

    /// The line, good until `refresh` is called again.
    let line = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.count)
    /// Monotonic nanoseconds at which the wall clock's second is over.
    private var validUntil: UInt64 = 0

    init() {
        _ = Bytes.copy(Self.text, to: line)
    }

    /// Whoever has the field calls it when done.
    func deallocate() {
        line.deallocate()
    }

    /// Brings the line up to date; `now` in monotonic nanoseconds.
    @inline(__always)
    mutating func refresh(at now: UInt64) {
        if now >= validUntil { write(now) }
    }

    private mutating func write(_ now: UInt64) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        validUntil = now + 1_000_000_000 - UInt64(time.tv_nsec)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        write(name: Int(parts.tm_wday), of: Self.days, at: 6)
        write(Int(parts.tm_mday), at: 11)
        write(name: Int(parts.tm_mon), of: Self.months, at: 14)
        let year = Int(parts.tm_year) + 1900
        write(year / 100, at: 18)
        write(year % 100, at: 20)
        write(Int(parts.tm_hour), at: 23)
        write(Int(parts.tm_min), at: 26)
        write(Int(parts.tm_sec), at: 29)
    }

    private func write(_ number: Int, at offset: Int) {
        line[offset] = ASCII.zero + UInt8(number / 10 % 10)
        line[offset + 1] = ASCII.zero + UInt8(number % 10)
    }

    private func write(name index: Int, of names: StaticString, at offset: Int) {
        memcpy(line + offset, names.utf8Start + 3 * index, 3)
    }
}
