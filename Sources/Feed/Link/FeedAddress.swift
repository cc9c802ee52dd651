internal import Foundation
package import Model

/// Where a location finds the feed: the address after `--join`.
package struct FeedAddress: Sendable, Equatable {
    package enum Way: String, Sendable {
        /// The control node's admin port.
        case http, https
        /// A NATS server.
        case nats, tls
    }

    package let way: Way
    package let host: String
    package let port: Int
    package let text: String

    private static let ports: [Way: Int] = [.http: 80, .https: 443, .nats: 4_222, .tls: 4_222]

    /// - Parameter text: addresses with commas between them.
    /// - Returns: one at least.
    package static func list(_ text: String) throws(FeedError) -> [FeedAddress] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part throws(FeedError) in
            try FeedAddress(String(part))
        }
    }

    package init(_ text: String) throws(FeedError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            let way = Way(rawValue: scheme), let host = parts.host, !host.isEmpty,
            parts.path.isEmpty || parts.path == "/",
            parts.query == nil, parts.fragment == nil, parts.user == nil, parts.password == nil
        else {
            throw FeedError(
                .malformed,
                "'\(text)' is no address of a feed: http(s)://HOST:PORT of the control node's admin port, or"
                    + " nats://HOST:PORT or tls://HOST:PORT of a NATS server")
        }
        self.way = way
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        guard let port = parts.port ?? Self.ports[way], (1...65_535).contains(port) else {
            throw FeedError(.malformed, "'\(text)' has no port")
        }
        self.port = port
        self.text = text
    }
}
