/// A route's pattern, `[scheme://]host[/path]`: which URLs it takes and which of two is more specific.
///
/// The host may begin with `*` (it and the hosts under it) or `*.` (only those under it), the path may end with `*`.
/// There is no other wildcard and no query. The path is compared with the URL's path and query together, case and all.
/// (Cloudflare, Workers, Routes.)
package struct RoutePattern: Sendable, Equatable {
    package enum Host: Sendable, Equatable {
        case exact
        /// `*.example.com`
        case below
        /// `*example.com`
        case atOrBelow
    }

    /// "http" or "https"; nil takes both.
    package let scheme: String?
    package let hostKind: Host
    /// In lower case, without the wildcard.
    package let host: String
    /// With its slash, without the wildcard.
    package let path: String
    package let isPathPrefix: Bool

    /// What is wrong with a pattern.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    package init(_ text: String) throws(Invalid) {
        var rest = text[...]
        scheme = try Self.takeScheme(&rest)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var host = rest[..<slash].lowercased()[...]
        var path = rest[slash...]
        if host.hasPrefix("*.") {
            hostKind = .below
            host = host.dropFirst(2)
        } else if host.hasPrefix("*") {
            hostKind = .atOrBelow
            host = host.dropFirst()
        } else {
            hostKind = .exact
        }
        try Self.check(host: host)
        isPathPrefix = path.last == "*"
        if isPathPrefix { path = path.dropLast() }
        if path.contains("*") { throw Invalid("'*' can stand only at the end of a path") }
        if path.contains("?") || path.contains("#") {
            throw Invalid("a pattern has neither query nor fragment")
        }
        self.host = String(host)
        self.path = path.isEmpty ? "/" : String(path)
    }

    private static func takeScheme(_ rest: inout Substring) throws(Invalid) -> String? {
        guard let colon = rest.firstRange(of: "://") else { return nil }
        let scheme = rest[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw Invalid("'\(scheme)' is neither http nor https")
        }
        rest = rest[colon.upperBound...]
        return scheme
    }

    private static func check(host: Substring) throws(Invalid) {
        if host.contains("*") { throw Invalid("'*' can stand only at the beginning of a host") }
        if host.contains(":") { throw Invalid("a pattern has no port") }
        guard HostName.isValid(String(host)) else { throw Invalid("'\(host)' is not a host name") }
    }

    /// - Parameters:
    ///   - host: in lower case, without port.
    ///   - target: path and query.
    package func matches(scheme: String, host: String, target: String) -> Bool {
        if let own = self.scheme, own != scheme { return false }
        let isSame = host == self.host
        switch hostKind {
        case .exact: guard isSame else { return false }
        case .below: guard isBelow(host) else { return false }
        case .atOrBelow: guard isSame || isBelow(host) else { return false }
        }
        return isPathPrefix ? target.hasPrefix(path) : target == path
    }

    private func isBelow(_ other: String) -> Bool {
        other.utf8.count > host.utf8.count && other.hasSuffix(host) && other.dropLast(host.count).last == "."
    }

    /// Whether this pattern is asked before another. The host outranks the path, and the path the scheme.
    package func isMoreSpecific(than other: RoutePattern) -> Bool {
        if hostRank != other.hostRank { return hostRank > other.hostRank }
        if host.utf8.count != other.host.utf8.count { return host.utf8.count > other.host.utf8.count }
        if isPathPrefix != other.isPathPrefix { return !isPathPrefix }
        if path.utf8.count != other.path.utf8.count { return path.utf8.count > other.path.utf8.count }
        if (scheme == nil) != (other.scheme == nil) { return scheme != nil }
        return false
    }

    private var hostRank: Int {
        switch hostKind {
        case .exact: 2
        case .below: 1
        case .atOrBelow: 0
        }
    }
}

/// Names of hosts (RFC 1123, section 2.1).
package enum HostName {
    /// Whether this is a name of labels of letters, digits and hyphens, in lower case.
    package static func isValid(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    /// Whether this can stand between the dots of a host name.
    package static func isLabel(_ label: some StringProtocol) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Whether `name` is `domain` or under it.
    package static func isWithin(_ name: String, domain: String) -> Bool {
        name == domain || name.hasSuffix("." + domain)
    }
}
