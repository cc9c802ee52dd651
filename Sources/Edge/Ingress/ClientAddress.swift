internal import Glibc

/// Where a connection comes from.
struct ClientAddress: Sendable {
    /// The IPv4 address, or the IPv6 network of 64 bits: what one client is likely to have for itself.
    let network: UInt64
    let isLoopback: Bool
    /// 4 or 16 bytes.
    private let bytes: [UInt8]

    init(_ address: sockaddr_storage) {
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        guard Int32(address.ss_family) == AF_INET6 else {
            let offset = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!
            self.init(version4: bytes[offset..<offset + 4])
            return
        }
        let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
        self.init(version6: bytes[offset..<offset + 16])
    }

    /// Of IPv4 addresses in IPv6's form, as a listener for both families sees them.
    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

    private init(network: UInt64, isLoopback: Bool, bytes: ArraySlice<UInt8>) {
        self.bytes = Array(bytes)
        self.network = network
        self.isLoopback = isLoopback
    }

    private init(version4 bytes: ArraySlice<UInt8>) {
        self.init(network: Self.number(bytes), isLoopback: bytes.first == 127, bytes: bytes)
    }

    private init(version6 bytes: ArraySlice<UInt8>) {
        if bytes.starts(with: Self.mappedPrefix) {
            self.init(version4: bytes.suffix(4))
            return
        }
        // No IPv4 address collides with those in use: it has zeros above.
        let isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        self.init(network: Self.number(bytes.prefix(8)), isLoopback: isLoopback, bytes: bytes)
    }

    /// As people write it: "192.0.2.1", "2001:db8::1".
    var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
