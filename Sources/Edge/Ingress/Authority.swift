/// Host and port, as in the Host field and in absolute targets.
enum Authority {
    /// Copies it in lower case. False, with nothing of use copied, if it is not a host's name, an IPv4 address or an
    /// IPv6 address in brackets, with a port or without.
    static func copy(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard count > 0, count <= HeaderScan.longestAuthority else { return false }
        var index = 0
        if bytes[0] == UInt8(ascii: "[") {
            out[0] = bytes[0]
            index = copy(bytes, from: 1, to: count, of: ByteTable.addressLiteral, to: out)
            guard index > 2, index < count, bytes[index] == UInt8(ascii: "]") else { return false }
            out[index] = bytes[index]
            index += 1
        } else {
            index = copy(bytes, from: 0, to: count, of: ByteTable.hostName, to: out)
            guard index > 0 else { return false }
        }
        if index == count { return true }
        guard bytes[index] == ASCII.colon else { return false }
        out[index] = ASCII.colon
        return copyPort(bytes, from: index + 1, to: count, to: out)
    }

    private static func copy(
        _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, of table: ByteTable,
        to out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var index = start
        while index < end {
            let byte = table[bytes[index]]
            if byte == 0 { break }
            out[index] = byte
            index += 1
        }
        return index
    }

    /// A port may be empty (RFC 3986, section 3.2.3), but not too large.
    private static func copyPort(
        _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var port = 0
        for index in start..<end {
            let digit = Int(bytes[index]) - Int(ASCII.zero)
            guard (0...9).contains(digit) else { return false }
            port = port * 10 + digit
            guard port <= 65_535 else { return false }
            out[index] = bytes[index]
        }
        return true
    }
}
