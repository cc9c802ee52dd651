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
    @Option(name: .customLong("nats-nkey"), help: "A file with the seed of the nkey by which the NATS server knows us.")
    var seed: String?
    @Option(
        name: .customLong("nats-creds"),
        help: "A file with a user's JWT and seed, for NATS servers whose users an operator signs.")
    var credentials: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--nats-cert and --nats-key go together.")
        }
        guard seed == nil || credentials == nil else {
            throw ValidationError("--nats-nkey and --nats-creds do not go together.")
        }
    }

    func settings(_ addresses: [FeedAddress]) throws(FeedError) -> NATSSettings {
        var settings = try NATSSettings(addresses)
        settings.authorities = authorities
        settings.certificate = certificate
        settings.key = key
        settings.seed = seed
        settings.credentials = credentials
        if let seed { _ = try NATSKey(file: seed) }
        return settings
    }
}

/// Flags of `serve --data` for its locations.
struct FeedOptions: ParsableArguments {
    private static let embedded = "embedded"

    @Option(
        help: """
            Where locations get what is deployed: 'embedded', at the admin port, or besides that a NATS server with \
            JetStream, nats://HOST:PORT or tls://HOST:PORT; several of one cluster with commas between them.
            """)
    var feed = Self.embedded
    @Option(
        name: .customLong("feed-mirror"),
        help: """
            The JetStream domain of a leaf node that gets a mirror of what is published, for the locations of its \
            region. Repeatable.
            """)
    var mirrors: [String] = []
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
        guard feed != Self.embedded else {
            guard mirrors.isEmpty else { throw FeedError(.malformed, "--feed-mirror needs a NATS server") }
            return nil
        }
        var settings = try nats.settings(FeedAddress.list(feed))
        for domain in mirrors {
            guard !domain.isEmpty, domain.utf8.allSatisfy({ !" .*>\t".utf8.contains($0) }) else {
                throw FeedError(.malformed, "'\(domain)' is no JetStream domain")
            }
        }
        settings.mirrors = mirrors
        return settings
    }
}
