import ArgumentParser
import Feed
import JetStream
import Model

/// Flags for a NATS server, shared by the commands.
struct NATSOptions: ParsableArguments {
    @Option(name: .customLong("nats-ca"), help: "A file of certificates (PEM) that a NATS server may show (tls://).")
    var authorities: String?
    @Option(name: .customLong("nats-cert"), help: "The certificate (PEM) that is shown to the NATS server.")
    var certificate: String?
    @Option(name: .customLong("nats-key"), help: "Its private key (PEM).")
    var key: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--nats-cert and --nats-key go together.")
        }
    }

    func settings(_ address: FeedAddress) -> NATSSettings {
        NATSSettings(address: address, authorities: authorities, certificate: certificate, key: key)
    }
}

/// Flags of `serve --data` for its locations.
struct FeedOptions: ParsableArguments {
    private static let embedded = "embedded"

    @Option(
        help: """
            Where locations get what is deployed: 'embedded', at the admin port, or besides that a NATS server with \
            JetStream, nats://HOST:PORT or tls://HOST:PORT.
            """)
    var feed = Self.embedded
    @OptionGroup var nats: NATSOptions

    func validate() throws {
        do {
            _ = try server()
        } catch {
            throw ValidationError("--feed: \(error)")
        }
    }

    /// Nil if there is none.
    func server() throws(FeedError) -> NATSSettings? {
        guard feed != Self.embedded else { return nil }
        let address = try FeedAddress(feed)
        guard [.nats, .tls].contains(address.way) else {
            throw FeedError(.malformed, "'\(feed)' is neither 'embedded' nor the address of a NATS server")
        }
        return nats.settings(address)
    }
}
