/// Where workers may connect to: public addresses, and what the operator allows besides. Asked with the very address
/// that is dialled next, so that no answer of a name server can get around it.
package struct AddressPolicy: Sendable {
    private let exceptions: [AllowedDestination]

    package init(allowing exceptions: [AllowedDestination] = []) {
        self.exceptions = exceptions
    }

    /// - Parameters:
    ///   - host: as the URL has it, in lower case.
    ///   - ownAddresses: this machine's, whatever they are: what listens here is not the worker's business.
    package func permits(
        _ address: IPAddress, port: Int, host: String, ownAddresses: Set<IPAddress>
    ) -> Bool {
        if exceptions.contains(where: { $0.covers(address, port: port, host: host) }) { return true }
        if Self.badPorts.contains(port) || !Self.isPublic(address) || ownAddresses.contains(address) { return false }
        return Self.embeddedIPv4(of: address).map { !ownAddresses.contains($0) } ?? true
    }

    /// Whether an address is one of the internet's, for all to reach.
    package static func isPublic(_ address: IPAddress) -> Bool {
        if let embedded = embeddedIPv4(of: address) { return isPublic(embedded) }
        return !special.contains { $0.contains(address) }
    }

    /// The IPv4 address that packets to an IPv6 address end up at.
    static func embeddedIPv4(of address: IPAddress) -> IPAddress? {
        guard case .v6(let high, let low) = address else { return nil }
        // ::ffff:0:0/96 (mapped) and 64:ff9b::/96 (NAT64) end in it.
        if high == 0 && low >> 32 == 0xffff || high == 0x0064_ff9b_0000_0000 && low >> 32 == 0 {
            return .v4(UInt32(truncatingIfNeeded: low))
        }
        // 2002::/16 (6to4) has it behind its prefix.
        return high >> 48 == 0x2002 ? .v4(UInt32(truncatingIfNeeded: high >> 16)) : nil
    }

    /// What is not for all to reach (the IANA special-purpose registries, and what was one of them once).
    private static let special: [AddressRange] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ].map { AddressRange($0)! }

    /// Ports of protocols that a request could be mistaken for (Fetch Standard, section 2.9).
    private static let badPorts: Set<Int> = [
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
        109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
        530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045,
        4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    ]
}

/// A destination that the operator lets workers reach though the policy would not: `--egress-allow`.
package struct AllowedDestination: Hashable, Sendable {
    private enum Place: Hashable, Sendable {
        case host(String)
        case addresses(AddressRange)
    }

    private let place: Place
    /// Nil for every port.
    private let port: Int?

    /// `HOST`, `ADDRESS` or `ADDRESS/BITS`, each with `:PORT` or without; IPv6 in brackets if a port follows.
    package init?(_ text: String) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard let range = AddressRange(String(text[text.index(after: text.startIndex)..<end])) else { return nil }
            place = .addresses(range)
            if rest.isEmpty {
                port = nil
            } else {
                guard rest.first == ":", let number = Self.port(rest.dropFirst()) else { return nil }
                port = number
            }
            return
        }
        if let range = AddressRange(text) {
            place = .addresses(range)
            port = nil
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return nil }
        if parts.count == 2 {
            guard let number = Self.port(parts[1]) else { return nil }
            port = number
        } else {
            port = nil
        }
        if let range = AddressRange(String(parts[0])) {
            place = .addresses(range)
        } else {
            let name = parts[0].lowercased()
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte) else { return nil }
            place = .host(name)
        }
    }

    private static func port(_ text: Substring) -> Int? {
        guard let number = Int(text), (1...65_535).contains(number), text.first != "+" else { return nil }
        return number
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
        }
    }

    func covers(_ address: IPAddress, port: Int, host: String) -> Bool {
        guard self.port == nil || self.port == port else { return false }
        return switch place {
        case .host(let name): name == host
        case .addresses(let range): range.contains(address)
        }
    }
}
