package import Feed
package import Model

/// How NATS servers are reached.
package struct NATSSettings: Sendable {
    /// One at least, all of one way. They are tried in this order.
    package let addresses: [FeedAddress]
    /// Files (PEM): certificates that are trusted, and what this side shows.
    package var authorities: String?
    package var certificate: String?
    package var key: String?
    /// A file with the seed of an nkey, by which the server knows this side.
    package var seed: String?
    /// A file with a user's JWT and seed, as an operator's tools write it.
    package var credentials: String?
    /// The JetStream domains of leaf nodes that get a mirror of what is published here.
    package var mirrors: [String] = []

    /// Throws `malformed` if these are not addresses of NATS servers that one side can use.
    package init(_ addresses: [FeedAddress]) throws(FeedError) {
        guard let first = addresses.first, [.nats, .tls].contains(first.way) else {
            throw FeedError(.malformed, "'\(addresses.first?.text ?? "")' is not the address of a NATS server")
        }
        guard addresses.allSatisfy({ $0.way == first.way }) else {
            throw FeedError(.malformed, "of several addresses, all begin with nats:// or all with tls://")
        }
        self.addresses = addresses
    }

    var text: String { addresses.map(\.text).joined(separator: ",") }
    var isSecure: Bool { addresses[0].way == .tls }
}
