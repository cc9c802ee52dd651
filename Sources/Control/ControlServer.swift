package import Feed
internal import Foundation
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
package import Model
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The admin port: the control API, and whether the process is well.
package final class ControlServer: Sendable {
    package struct Settings: Sendable {
        /// Whether whoever reaches the port may see the status: it is this machine's own.
        package var isOpen: Bool
        /// Host names of Workers lie under it.
        package var baseDomain: String
        package var plan: Plan
        package var assets: AssetLimits
        /// Cordons whose hosts make no machine code.
        package var jitlessCordons: Set<String>

        package init(
            isOpen: Bool, baseDomain: String, plan: Plan = Plan(), assets: AssetLimits = AssetLimits(),
            jitlessCordons: Set<String> = []
        ) {
            self.jitlessCordons = jitlessCordons
            self.isOpen = isOpen
            self.baseDomain = baseDomain
            self.plan = plan
            self.assets = assets
        }
    }

    /// Threads that wait for the disk and for start-up checks.
    private static let threadCount = 8

    private let settings: Settings
    private let store: any PlatformStore
    private let check: any StartupCheck
    private let certificates: any CertificateCheck
    private let tails: TailHub
    private let feed: FeedHub
    private let status: @Sendable () -> [UInt8]
    private let metrics: @Sendable () -> [UInt8]
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    private let threads = NIOThreadPool(numberOfThreads: threadCount)
    private let door = Mutex<ControlDoor?>(nil)

    /// - Parameters:
    ///   - tails: what follows Workers.
    ///   - feed: what locations follow.
    ///   - status: the status page's JSON.
    ///   - metrics: Prometheus's text.
    ///   - log: takes what the operator should know; its level is "error" or "warn".
    package init(
        settings: Settings, store: any PlatformStore, check: any StartupCheck,
        certificates: any CertificateCheck, tails: TailHub, feed: FeedHub,
        status: @escaping @Sendable () -> [UInt8], metrics: @escaping @Sendable () -> [UInt8],
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) {
        self.settings = settings
        self.store = store
        self.check = check
        self.certificates = certificates
        self.tails = tails
        self.feed = feed
        self.status = status
        self.metrics = metrics
        self.log = log
    }

    /// Takes connections of a socket that listens, which stays the caller's.
    /// - Throws: `StoreError` of kind `unusable` if that cannot be.
    package func open(_ socket: Int32) throws {
        threads.start()
        UploadCleaning(store, on: threads) { [log] in log("error", $0) }.start()
        let logger = Logger(label: "control") { [log] _ in ForwardingLog(write: log) }
        let router = Router(context: BasicRequestContext.self)
        router.middlewares.add(EnvelopeMiddleware())
        register(on: router, logger)
        let responder = router.buildResponder()
        let http = HTTP1Channel { request, writer, channel in
            let context = BasicRequestContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            var response = try await responder.respond(to: request, context: context)
            response.headers[.server] = "martlet"
            response.headers[.date] = DateHeader.now
            try await writer.write(response: response.head, body: response.body)
        }
        let door = ControlDoor(
            socket,
            ControlChannel(http: http, hub: tails) { [feed, store, threads] in FeedDoor(feed, store, threads) },
            logger)
        try door.open()
        self.door.withLock { $0 = door }
    }

    /// Takes no more connections, and answers what has been asked. Returns when the last connection has ended.
    package func close() { door.withLock { $0 }?.close() }

    /// Takes connections again.
    package func reopen() {
        do {
            try door.withLock { $0 }?.open()
        } catch {
            log("error", "\(error)")
        }
    }

    private func register(on router: Router<BasicRequestContext>, _ logger: Logger) {
        let api = API(router: router, store: store, threads: threads, logger: logger)
        let assets = AssetService(
            store: store, tokens: AssetTokens(key: store.sessionKey()), limits: settings.assets)
        let scripts = ScriptService(
            store: store, check: check, assets: assets,
            jitless: JitlessRule(store: store, cordons: settings.jitlessCordons))
        AssetRoutes(api: api, service: assets).register()
        PagesRoutes(api: api, service: PagesService(scripts: scripts, baseDomain: settings.baseDomain)).register()
        AccountRoutes(api: api, service: AccountService(store: store), baseDomain: settings.baseDomain).register()
        LimitRoutes(api: api, service: AccountService(store: store)).register()
        CordonRoutes(api: api, service: AccountService(store: store), scripts: scripts).register()
        ScriptRoutes(api: api, service: scripts).register()
        VersionRoutes(api: api, service: scripts).register()
        SecretRoutes(api: api, service: scripts).register()
        TriggerRoutes(api: api, service: scripts).register()
        let zones = ZoneService(store: store, baseDomain: settings.baseDomain)
        ZoneRoutes(api: api, service: zones, scripts: scripts).register()
        CertificateRoutes(api: api, zones: zones, check: certificates).register()
        TailRoutes(api: api, service: scripts, hub: tails).register()
        LocationRoutes(api: api, service: LocationService(store: store, hub: feed), scripts: scripts).register()
        KVRoutes(api: api, service: KVService(store: store)).register()
        UsageRoutes(api: api, store: store, plan: settings.plan).register()
        for path in ["/healthz", "/readyz"] {
            router.on(RouterPath(stringLiteral: path), method: .get) { _, _ in "ok\n" }
        }
        let json = "application/json"
        let text = "text/plain; version=0.0.4; charset=utf-8"
        let isOpen = settings.isOpen
        for (path, type, page) in [("/__martlet/status", json, status), ("/metrics", text, metrics)] {
            router.on(RouterPath(stringLiteral: path), method: .get) { request, _ in
                // Beyond this machine it is for the operator only.
                if !isOpen { try await api.requireOperator(request) }
                return Response(.bytes(page(), type: type, fields: [("cache-control", "no-store")]))
            }
        }
    }

    /// Whether an address is this machine's own, which nobody else can reach.
    package static func isLoopback(_ host: String) -> Bool {
        host.hasPrefix("127.") || ["::1", "localhost"].contains(host)
    }

    /// Makes the first account and the operator's token, if there is no account yet.
    /// - Parameter tell: gets the token's secret, which nobody can read later. Called before the account is made: a
    ///   process that is ended in between starts over, and nobody is left without a token.
    package static func bootstrap(
        _ store: any PlatformStore, tell: (_ account: Account, _ secret: String) -> Void
    ) throws {
        guard try store.accounts().isEmpty else { return }
        let account = Account(name: "main", subdomain: "main")
        let secret = TokenSecret.make()
        try store.add(Token(account: nil, name: "admin", scope: .admin), secret: secret)
        tell(account, secret)
        try store.add(account)
    }
}
