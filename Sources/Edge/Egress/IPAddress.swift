internal import Glibc

/// An IPv4 or IPv6 address, without a zone.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Dotted decimal with four parts, or IPv6 without brackets. Nothing else that some parsers take.
    package init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(six)
        } else {
            return nil
        }
    }

    /// Nil for families other than the two.
    init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: self = .v4(UInt32(bigEndian: raw.load(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6: self.init(raw.load(as: sockaddr_in6.self).sin6_addr)
        default: return nil
        }
    }

    private init(_ address: in6_addr) {
        self = withUnsafeBytes(of: address) { bytes in
            .v6(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// Every address of this machine's interfaces.
    static func ofThisMachine() -> Set<IPAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: Set<IPAddress> = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ifa_addr, let parsed = IPAddress(address) { found.insert(parsed) }
            next = entry.pointee.ifa_next
        }
        return found
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            switch self {
            case .v4(let value):
                var address = in_addr(s_addr: value.bigEndian)
                inet_ntop(AF_INET, &address, text.baseAddress, socklen_t(text.count))
            case .v6(let high, let low):
                var bytes = (high.bigEndian, low.bigEndian)
                inet_ntop(AF_INET6, &bytes, text.baseAddress, socklen_t(text.count))
            }
            return String(cString: text.baseAddress!)
        }
    }
}

/// The addresses that begin with the same bits.
package struct AddressRange: Hashable, Sendable {
    private let first: IPAddress
    private let prefixLength: Int

    init(_ first: IPAddress, prefixLength: Int) {
        self.first = first
        self.prefixLength = prefixLength
    }

    /// An address, or an address, a slash and the number of bits.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = IPAddress(String(parts[0])) else { return nil }
        let longest = if case .v4 = first { 32 } else { 128 }
        guard parts.count == 2 else {
            self.init(first, prefixLength: longest)
            return
        }
        guard let length = Int(parts[1]), (0...longest).contains(length) else { return nil }
        self.init(first, prefixLength: length)
    }

    package func contains(_ address: IPAddress) -> Bool {
        switch (first, address) {
        case (.v4(let mine), .v4(let other)):
            return prefixLength == 0 || (mine ^ other) >> (32 - prefixLength) == 0
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
            if prefixLength <= 64 { return prefixLength == 0 || (high ^ otherHigh) >> (64 - prefixLength) == 0 }
            return high == otherHigh && (low ^ otherLow) >> (128 - prefixLength) == 0
        default:
            return false
        }
    }
}
