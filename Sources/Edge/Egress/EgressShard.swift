internal import Model
internal import NIOCore
internal import NIOSSL

/// What one thread of the egress has: names it knows, clients, requests under way.
final class EgressShard: @unchecked Sendable {
    // Sound because all that is not constant is touched on `loop` alone.

    let loop: any EventLoop
    let settings: EgressSettings
    let held: HeldBytes
    private let names: NameService
    private let trust: TrustStore
    private var knownNames: [String: KnownName] = [:]
    private var lookups: [String: [([IPAddress]) -> Void]] = [:]
    private var ownAddresses: Set<IPAddress> = []
    private var ownAddressesReadAt: NIODeadline?
    private var exchanges: [Int: OriginExchange] = [:]
    private var lastExchange = 0
    private var isSweeping = false
    private(set) var clients: OriginClients!

    private struct KnownName {
        let addresses: [IPAddress]
        let expiry: NIODeadline
    }

    /// More names than this are not remembered.
    private static let knownNamesLimit = 10_000
    /// How long a name that has no address is believed to have none.
    private static let unknownNameTime = TimeAmount.seconds(1)
    /// How long the list of the machine's own addresses is good.
    private static let ownAddressesTime = TimeAmount.seconds(30)

    var limits: EgressLimits { settings.limits }

    init(loop: any EventLoop, settings: EgressSettings, names: NameService, trust: TrustStore, held: HeldBytes) {
        self.loop = loop
        self.settings = settings
        self.names = names
        self.held = held
        self.trust = trust
        clients = OriginClients(loop: loop, limits: settings.limits, trust: trust) { [unowned self] channel in
            OriginHandler.add(to: channel, of: self)
        }
    }

    // MARK: Exchanges

    /// Gives the exchange its number.
    func add(_ exchange: OriginExchange) -> Int {
        lastExchange += 1
        exchanges[lastExchange] = exchange
        sweepLater()
        return lastExchange
    }

    func remove(_ number: Int) { exchanges[number] = nil }

    func exchange(_ number: Int) -> OriginExchange? { exchanges[number] }

    /// For TLS connections that are to become WebSockets; made once, for it takes milliseconds.
    lazy var upgradeTLS: NIOSSLContext? = {
        var configuration = trust.configuration
        configuration.applicationProtocols = ["http/1.1"]
        return try? NIOSSLContext(configuration: configuration)
    }()

    // MARK: Addresses

    /// Calls back, now or later, with the addresses of a name that may be dialled; none if it has none, nil if workers
    /// may not connect to any of those it has.
    func resolve(_ target: OriginTarget, _ completion: @escaping (_ addresses: [IPAddress]?) -> Void) {
        if let literal = target.literal { return completion(permitted([literal], target)) }
        lookUp(target.host) { [unowned self] addresses in
            completion(addresses.isEmpty ? [] : permitted(addresses, target))
        }
    }

    private func permitted(_ addresses: [IPAddress], _ target: OriginTarget) -> [IPAddress]? {
        if target.isTrusted { return Array(addresses.prefix(limits.addressesTried)) }
        let now = NIODeadline.now()
        if ownAddressesReadAt.map({ now - $0 > Self.ownAddressesTime }) ?? true {
            ownAddresses = IPAddress.ofThisMachine()
            ownAddressesReadAt = now
        }
        let permitted = addresses.filter {
            settings.policy.permits($0, port: target.port, host: target.host, ownAddresses: ownAddresses)
        }
        return permitted.isEmpty ? nil : Array(permitted.prefix(limits.addressesTried))
    }

    private func lookUp(_ name: String, _ completion: @escaping ([IPAddress]) -> Void) {
        if let known = knownNames[name], known.expiry > .now() { return completion(known.addresses) }
        lookups[name, default: []].append(completion)
        guard lookups[name]!.count == 1 else { return }
        let deadline = loop.scheduleTask(in: .milliseconds(Int64(limits.lookupMilliseconds))) { [self] in
            lookedUp(name, [])
        }
        let isTaken = names.lookUp(name) { [self] addresses in
            loop.execute {
                deadline.cancel()
                self.remember(name, addresses)
                self.lookedUp(name, addresses)
            }
        }
        if !isTaken {
            deadline.cancel()
            lookedUp(name, [])
        }
    }

    private func lookedUp(_ name: String, _ addresses: [IPAddress]) {
        for completion in lookups.removeValue(forKey: name) ?? [] { completion(addresses) }
    }

    private func remember(_ name: String, _ addresses: [IPAddress]) {
        guard !names.isScripted(name) else { return }
        if knownNames.count >= Self.knownNamesLimit { knownNames.removeAll() }
        let time = addresses.isEmpty ? Self.unknownNameTime : .milliseconds(Int64(limits.nameMilliseconds))
        knownNames[name] = KnownName(addresses: addresses, expiry: .now() + time)
    }

    // MARK: Time

    /// How often deadlines are looked at: a tenth of what an origin gets, a second at most.
    private var sweepInterval: TimeAmount { .milliseconds(Int64(min(1_000, max(10, limits.idleMilliseconds / 10)))) }

    private func sweepLater() {
        guard !isSweeping else { return }
        isSweeping = true
        loop.scheduleTask(in: sweepInterval) { [self] in
            isSweeping = false
            let earliest = NIODeadline.now() - .milliseconds(Int64(limits.idleMilliseconds))
            for exchange in exchanges.values where exchange.isSilent(since: earliest) { exchange.timedOut() }
            clients.sweep()
            if !exchanges.isEmpty || !clients.isEmpty { sweepLater() }
        }
    }
}
