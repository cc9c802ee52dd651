internal import AsyncHTTPClient
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2
internal import NIOSSL

/// A host at one of its addresses: what a connection, once made, is good for. The address was checked, and it is the
/// one that is dialled: the HTTP client gets it in the place of the name, which it uses for TLS alone.
struct Destination: Hashable {
    /// As in the URL.
    let host: String
    let address: IPAddress
    /// Whether the host is the address.
    let isLiteral: Bool
}

/// An HTTP client with the connections to one destination. On the shard's loop.
final class OriginClient {
    let http: HTTPClient
    private let destination: Destination
    private var templates: [Template: HTTPClient.Request] = [:]
    /// Requests under way.
    var users = 0
    var lastUsed: NIODeadline

    private struct Template: Hashable {
        let isTLS: Bool
        let port: Int
        let method: String
    }

    /// Making a request parses its URL, which takes longer than copying one. So many are kept: methods can be made up.
    private static let templateLimit = 64

    init(_ destination: Destination, http: HTTPClient) {
        self.destination = destination
        self.http = http
        lastUsed = .now()
    }

    /// A request to be filled in. Its URL is only the origin's: the path is written later, as it is (`OriginHandler`),
    /// where a second URL parser would have its own ideas about it.
    func request(to target: OriginTarget) -> HTTPClient.Request? {
        let template = Template(isTLS: target.isTLS, port: target.port, method: target.method)
        if let known = templates[template] { return known }
        let url = "\(target.isTLS ? "https" : "http")://\(target.host):\(target.port)/"
        guard let request = try? HTTPClient.Request(url: url, method: HTTPMethod(rawValue: target.method)),
            request.host == destination.host, request.port == target.port
        else { return nil }
        if templates.count < Self.templateLimit { templates[template] = request }
        return request
    }
}

/// The clients of a shard, by destination. On its loop.
final class OriginClients {
    private var clients: [Destination: OriginClient] = [:]
    private let loop: any EventLoop
    private let limits: EgressLimits
    private let trust: TrustStore
    private let initialize: @Sendable (any Channel) -> EventLoopFuture<Void>

    /// - Parameter initialize: called with each new HTTP/1.1 connection and HTTP/2 stream.
    init(
        loop: any EventLoop, limits: EgressLimits, trust: TrustStore,
        initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) {
        self.loop = loop
        self.limits = limits
        self.trust = trust
        self.initialize = initialize
    }

    func client(for destination: Destination) -> OriginClient {
        if let known = clients[destination] { return known }
        let http = HTTPClient(eventLoopGroup: loop, configuration: configuration(for: destination))
        let client = OriginClient(destination, http: http)
        clients[destination] = client
        return client
    }

    private func configuration(for destination: Destination) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = trust.configuration
        if !destination.isLiteral { configuration.dnsOverride = [destination.host: "\(destination.address)"] }
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .milliseconds(Int64(limits.connectMilliseconds))
        configuration.connectionPool.idleTimeout = .milliseconds(Int64(limits.keepAliveMilliseconds))
        // How many connections a worker may have is decided before requests get here.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = limits.exchanges
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = initialize
        configuration.http2StreamChannelDebugInitializer = initialize
        configuration.tracing.tracer = nil
        return configuration
    }

    var isEmpty: Bool { clients.isEmpty }

    /// Drops the clients that have not been used for so long that they have no connections any more.
    func sweep() {
        let oldest = NIODeadline.now() - .milliseconds(Int64(limits.keepAliveMilliseconds))
        for (destination, client) in clients where client.users == 0 && client.lastUsed < oldest {
            clients[destination] = nil
            client.http.shutdown().whenComplete { _ in }
        }
    }
}
