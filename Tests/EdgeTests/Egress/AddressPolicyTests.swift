import Edge
import Testing

/// Where workers may connect to: docs of the policy's ranges, at their edges.
@Suite("Address policy") struct AddressPolicyTests {
    /// The first and the last of every range that is not public.
    static let refused = [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0",
        "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
        "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255",
        "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
        "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
        "::", "::1", "::7f00:1", "::808:808", "::ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "100::", "100::ffff:ffff:ffff:ffff", "2001::", "2001::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fc00::", "fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::1",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::",
        "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        // IPv4 in IPv6: mapped, NAT64, 6to4.
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::127.0.0.1",
        "64:ff9b::192.168.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101:ffff::",
        "2002:e000:1::",
    ]

    /// Their neighbours, and some that are as public as can be.
    static let permitted = [
        "1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
        "203.0.114.0", "223.255.255.255",
        "::1:0:0", "100:0:0:1::", "2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::",
        "2606:4700::1111", "2a00::", "3ffe:ffff::", "3fff:1000::", "64:ff9b:2::", "fbff:ffff::", "2003::",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ]

    @Test(arguments: refused)
    func isRefused(_ text: String) throws {
        #expect(!AddressPolicy.isPublic(try #require(IPAddress(text))))
    }

    @Test(arguments: permitted)
    func isPermitted(_ text: String) throws {
        #expect(AddressPolicy.isPublic(try #require(IPAddress(text))))
    }

    @Test(arguments: [
        "", "1", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "256.1.1.1", "01.2.3.4 ", "[::1]", "::1%lo", "localhost",
    ])
    func isNoAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test(arguments: ["1.2.3.4", "::", "::1", "2001:db8::1", "2606:4700::1111"])
    func addressesAreWrittenAsTheyAreRead(_ text: String) throws {
        #expect(try #require(IPAddress(text)).description == text)
    }

    // MARK: Ports, own addresses

    private func permits(
        _ policy: AddressPolicy, _ address: String, _ port: Int = 80, host: String? = nil, own: [String] = []
    ) throws -> Bool {
        policy.permits(
            try #require(IPAddress(address)), port: port, host: host ?? address,
            ownAddresses: Set(try own.map { try #require(IPAddress($0)) }))
    }

    @Test(arguments: [1, 22, 25, 53, 110, 143, 993, 3659, 6000, 6667, 10080])
    func badPorts(_ port: Int) throws { #expect(try !permits(AddressPolicy(), "8.8.8.8", port)) }

    @Test(arguments: [80, 443, 8080, 8443, 3000, 65_535])
    func goodPorts(_ port: Int) throws { #expect(try permits(AddressPolicy(), "8.8.8.8", port)) }

    @Test func ownAddressesAreRefused() throws {
        let policy = AddressPolicy()
        #expect(try !permits(policy, "8.8.8.8", own: ["8.8.8.8"]))
        #expect(try !permits(policy, "::ffff:8.8.8.8", own: ["8.8.8.8"]))
        #expect(try !permits(policy, "64:ff9b::808:808", own: ["8.8.8.8"]))
        #expect(try permits(policy, "8.8.4.4", own: ["8.8.8.8"]))
    }

    // MARK: Exceptions

    private func policy(_ texts: String...) throws -> AddressPolicy {
        AddressPolicy(allowing: try texts.map { try #require(AllowedDestination($0)) })
    }

    @Test func exceptionsForAddresses() throws {
        let policy = try policy(
            "127.0.0.1:9000", "10.1.0.0/16", "[::1]:80", "fd00::/8", "192.168.0.0/24:81", "[fc00::/8]:82")
        #expect(try permits(policy, "127.0.0.1", 9000))
        #expect(try !permits(policy, "127.0.0.1", 9001))
        #expect(try !permits(policy, "127.0.0.2", 9000))
        #expect(try !permits(policy, "::ffff:127.0.0.1", 9000))
        #expect(try permits(policy, "10.1.255.255", 1234))
        #expect(try !permits(policy, "10.2.0.0", 1234))
        #expect(try permits(policy, "::1", 80))
        #expect(try !permits(policy, "::1", 81))
        #expect(try permits(policy, "fdff::1"))
        #expect(try permits(policy, "192.168.0.9", 81))
        #expect(try !permits(policy, "192.168.0.9", 80))
        #expect(try permits(policy, "fc00::9", 82))
        #expect(try !permits(policy, "fc00::9", 80))
        #expect(try permits(policy, "127.0.0.1", 9000, own: ["127.0.0.1"]))
    }

    @Test func exceptionsForNames() throws {
        let policy = try policy("Internal.Example:8080", "other_name")
        #expect(try permits(policy, "10.0.0.1", 8080, host: "internal.example"))
        #expect(try !permits(policy, "10.0.0.1", 80, host: "internal.example"))
        #expect(try !permits(policy, "10.0.0.1", 8080, host: "sub.internal.example"))
        #expect(try permits(policy, "127.0.0.1", 1, host: "other_name"))
        #expect(try !permits(policy, "127.0.0.1", 8080, host: "127.0.0.1"))
    }

    @Test(
        arguments: [
            "", ":80", "a:", "a:0", "a:65536", "a:+1", "a:b", "a b", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "::/129",
            "[::1", "[::1]80", "[::1]:", "[a]:80", "a/8", "http://a", "*.example.com", "1.2.3.4:80:80",
        ])
    func isNoException(_ text: String) { #expect(AllowedDestination(text) == nil) }
}
