/// A server that requests are sent to, whatever host their URLs name: what stands behind a zone.
package struct OriginServer: Sendable, Hashable, Codable {
    package let isTLS: Bool
    /// A name or an address in lower case; IPv6 in brackets.
    package let host: String
    package let port: Int
    /// The operator has set it: it may have an address that Workers may not connect to.
    package let isTrusted: Bool

    /// - Parameter url: `http://` or `https://`, a host, and a port if it is not the scheme's.
    /// - Throws: what is wrong with it.
    package init(_ url: String, isTrusted: Bool) throws(Invalid) {
        var rest = url[...]
        if rest.hasPrefix("https://") {
            isTLS = true
            rest = rest.dropFirst(8)
        } else if rest.hasPrefix("http://") {
            isTLS = false
            rest = rest.dropFirst(7)
        } else {
            throw Invalid("an origin begins with http:// or https://")
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var host = rest
        var port = isTLS ? 443 : 80
        let afterHost = rest.hasPrefix("[") ? rest.firstIndex(of: "]") : rest.startIndex
        guard let afterHost else { throw Invalid("an IPv6 address has brackets around it") }
        if let colon = rest[afterHost...].firstIndex(of: ":") {
            host = rest[..<colon]
            let digits = rest[rest.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
                (1...65_535).contains(number)
            else { throw Invalid("'\(digits)' is not a port") }
            port = number
        }
        let name = host.lowercased()
        guard Self.isAddress(name) || HostName.isValid(name) else {
            throw Invalid("'\(name)' is not a host; an origin has neither path nor query")
        }
        self.host = name
        self.port = port
        self.isTrusted = isTrusted
    }

    /// Whether this has the form of an IPv6 address in brackets; who dials it reads it again.
    private static func isAddress(_ host: String) -> Bool {
        host.hasPrefix("[") && host.hasSuffix("]") && (4...41).contains(host.utf8.count)
            && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit && $0.isASCII || $0 == ":" || $0 == "." }
    }

    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }
}
