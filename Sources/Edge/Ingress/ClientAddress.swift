internal import Glibc

/// Where a connection comes from.
struct ClientAddress: Sendable {
    /// The IPv4 address, or the IPv6 network of 64 bits: what one client is likely to have for itself.
    let network: UInt64
    let isLoopback: Bool

    init(_ address: sockaddr_storage) {
        var address = address
        if Int32(address.ss_family) == AF_INET6 {
            let bytes = withUnsafeBytes(of: &address) {
                Array($0[MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!...].prefix(16))
            }
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            if isMapped {
                self.init(version4: Self.number(bytes[12...]))
            } else {
                // No IPv4 address collides with it: those have zeros above.
                let isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
                self.init(network: Self.number(bytes[..<8]), isLoopback: isLoopback)
            }
        } else {
            let bytes = withUnsafeBytes(of: &address) {
                Array($0[MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!...].prefix(4))
            }
            self.init(version4: Self.number(bytes[...]))
        }
    }

    private init(version4 number: UInt64) {
        self.init(network: number, isLoopback: number >> 24 == 127)
    }

    private init(network: UInt64, isLoopback: Bool) {
        self.network = network
        self.isLoopback = isLoopback
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
