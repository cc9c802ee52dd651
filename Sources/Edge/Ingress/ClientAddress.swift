internal import Glibc

/// Where a connection comes from.
struct ClientAddress: Sendable {
    /// IPv4 addresses stand as such, also where a listener for both families sees them in IPv6's form.
    let address: IPAddress
    /// The IPv4 address, or the IPv6 network of 64 bits: what one client is likely to have for itself.
    let network: UInt64
    let isLoopback: Bool

    init(_ storage: sockaddr_storage) {
        let address = withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { IPAddress($0) }
        }
        // Listeners are of the two families that it knows.
        self.init(address ?? .v4(0))
    }

    init(_ address: IPAddress) {
        switch address {
        case .v6(0, let low) where low >> 32 == 0xffff:
            self.init(.v4(UInt32(truncatingIfNeeded: low)))
        case .v4(let value):
            self.init(address: address, network: UInt64(value), isLoopback: value >> 24 == 127)
        // No IPv4 address collides with those in use: it has zeros above.
        case .v6(let high, let low):
            self.init(address: address, network: high, isLoopback: high == 0 && low == 1)
        }
    }

    /// As people write it: "192.0.2.1", "2001:db8::1".
    var text: String { address.description }

    private init(address: IPAddress, network: UInt64, isLoopback: Bool) {
        self.address = address
        self.network = network
        self.isLoopback = isLoopback
    }
}
