/// What a proxy says in front of a connection that it passes on: version 2 of the PROXY protocol, whose text is in
/// HAProxy's doc/proxy-protocol.txt.
package enum ProxyHeader: Equatable {
    /// Bytes that say how many more there are.
    package static let fixedBytes = 16
    /// Addresses and what else a proxy may add; real ones have some hundred bytes.
    static let mostBytes = 4_096

    /// The connection comes from there.
    case from(IPAddress)
    /// The proxy speaks for itself, or does not know.
    case unknown

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    /// How many bytes follow the first `fixedBytes`; nil if those are malformed.
    package static func rest(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= fixedBytes, bytes.starts(with: signature), bytes[12] == 0x20 || bytes[12] == 0x21 else {
            return nil
        }
        let count = Int(bytes[14]) << 8 | Int(bytes[15])
        return count <= mostBytes ? count : nil
    }

    /// Reads all of a header; nil if it is malformed, or tells of something that is no TCP connection.
    package init?(_ bytes: [UInt8]) {
        guard let count = Self.rest(of: bytes), bytes.count == Self.fixedBytes + count else { return nil }
        let addresses = bytes[Self.fixedBytes...]
        func number(_ range: Range<Int>) -> UInt64 {
            addresses.dropFirst(range.lowerBound).prefix(range.count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch (bytes[12] & 0xf, bytes[13]) {
        case (0, _), (1, 0): self = .unknown
        case (1, 0x11) where count >= 12: self = .from(.v4(UInt32(number(0..<4))))
        case (1, 0x21) where count >= 36: self = .from(.v6(high: number(0..<8), low: number(8..<16)))
        default: return nil
        }
    }
}
