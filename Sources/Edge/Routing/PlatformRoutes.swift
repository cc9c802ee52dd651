package import Model

/// Which script answers a request: host names, routes and custom domains as of one revision. A value, of which each
/// lane has its own.
///
/// Routes come first, then custom domains, then `<script>.<subdomain>.<base domain>`. (Cloudflare, Workers, Routes.)
package struct PlatformRoutes: Sendable {
    package enum Target: Sendable, Equatable {
        case script(RoutedScript)
        /// The account's Workers do not run.
        case suspended
        /// The script does not run for some time.
        case paused
        /// What stands behind the zone.
        case origin(OriginServer)
        case none
    }

    package enum Owner: Sendable, Equatable {
        case script(ScriptKey)
        /// What stands behind a zone of the account.
        case account(String)
    }

    private struct ZoneEntry: Sendable {
        let account: String
        let name: String
        let server: OriginServer?
        /// The most specific first.
        let routes: [(pattern: RoutePattern, script: String?)]
    }

    /// Begins with a dot.
    private let suffix: String
    private var accounts: [String: RoutedAccount] = [:]
    /// Accounts by their subdomains.
    private var subdomains: [String: String] = [:]
    private var scripts: [ScriptKey: RoutedScript] = [:]
    private var zones: [String: ZoneEntry] = [:]
    private var zoneNames: [String: String] = [:]
    /// Zones that something stands behind.
    private var serverCount = 0
    private var domains: [String: ScriptKey] = [:]
    private var domainNames: [String: String] = [:]

    package init(baseDomain: String) { suffix = "." + baseDomain.lowercased() }

    /// A script as it is known now.
    func script(_ key: ScriptKey) -> RoutedScript? { scripts[key] }

    // MARK: Changes

    package mutating func apply(_ item: RoutingItem) {
        remove(item.key)
        switch item {
        case .account(let account):
            accounts[account.id] = account
            if let subdomain = account.subdomain { subdomains[subdomain] = account.id }
        case .script(let script): scripts[script.key] = script
        case .zone(let routed):
            let entry = Self.entry(routed)
            if entry.server != nil { serverCount += 1 }
            zones[routed.zone.name] = entry
            zoneNames[routed.zone.id] = routed.zone.name
        case .domain(let domain):
            domains[domain.hostname] = domain.script
            domainNames[domain.id] = domain.hostname
        case .removed: break
        }
    }

    private static func entry(_ routed: RoutedZone) -> ZoneEntry {
        // The control plane lets in only patterns that can be read.
        let routes = routed.routes.compactMap { route in
            (try? RoutePattern(route.pattern)).map { (pattern: $0, script: route.script) }
        }
        return ZoneEntry(
            account: routed.zone.account, name: routed.zone.name, server: routed.zone.server,
            routes: routes.sorted { $0.pattern.isMoreSpecific(than: $1.pattern) })
    }

    private mutating func remove(_ key: RoutingKey) {
        switch key {
        case .account(let id):
            guard let old = accounts.removeValue(forKey: id), let subdomain = old.subdomain else { return }
            if subdomains[subdomain] == id { subdomains[subdomain] = nil }
        case .script(let key): scripts[key] = nil
        case .zone(let id):
            guard let name = zoneNames.removeValue(forKey: id) else { return }
            if zones.removeValue(forKey: name)?.server != nil { serverCount -= 1 }
        case .domain(let id): if let name = domainNames.removeValue(forKey: id) { domains[name] = nil }
        }
    }

    // MARK: Requests

    /// - Parameters:
    ///   - host: in lower case, without port.
    ///   - target: path and query.
    package func target(scheme: String, host: String, target: String) -> Target {
        switch choice(scheme: scheme, host: host, target: target) {
        case .script(let key): self.target(of: key)
        case .subdomain(let key): scripts[key]?.isOnSubdomain == true ? self.target(of: key) : .none
        case .zone(let zone): behind(zone)
        case nil: .none
        }
    }

    /// Whose a request is, whatever they do with it; nil if it is nobody's. Nothing of scripts themselves is asked.
    package func owner(scheme: String, host: String, target: String) -> Owner? {
        switch choice(scheme: scheme, host: host, target: target) {
        case .script(let key), .subdomain(let key): .script(key)
        case .zone(let zone): .account(zone.account)
        case nil: nil
        }
    }

    /// What a URL means, before it is asked what there is.
    private enum Choice {
        case script(ScriptKey)
        /// Only if it is switched on there.
        case subdomain(ScriptKey)
        case zone(ZoneEntry)
    }

    private func choice(scheme: String, host: String, target: String) -> Choice? {
        let zone = zones.isEmpty ? nil : zone(of: host)
        let route = zone?.routes.first { $0.pattern.matches(scheme: scheme, host: host, target: target) }
        if let zone, let route {
            return route.script.map { .script(ScriptKey(account: zone.account, name: $0)) } ?? .zone(zone)
        }
        if let key = domains[host] { return .script(key) }
        if let zone { return .zone(zone) }
        guard host.hasSuffix(suffix) else { return nil }
        let labels = host.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count == 2, let account = subdomains[String(labels[1])] else { return nil }
        return .subdomain(ScriptKey(account: account, name: String(labels[0])))
    }

    private func behind(_ zone: ZoneEntry) -> Target {
        guard let server = zone.server else { return .none }
        return accounts[zone.account]?.isSuspended == true ? .suspended : .origin(server)
    }

    /// Whether something stands behind any zone.
    package var hasServers: Bool { serverCount > 0 }

    /// What stands behind the zone of an account that both hosts are in; nil if nothing does.
    func server(behind host: String, and other: String, of account: String) -> OriginServer? {
        guard !zones.isEmpty, let zone = zone(of: host), zone.account == account,
            other == host || self.zone(of: other)?.name == zone.name
        else { return nil }
        return zone.server
    }

    /// What answers in the name of a script.
    func target(of key: ScriptKey) -> Target {
        guard let script = scripts[key], !script.shares.isEmpty else { return .none }
        if accounts[key.account]?.isSuspended == true { return .suspended }
        return script.isPaused == true ? .paused : .script(script)
    }

    /// The zone with the longest name that the host is in.
    private func zone(of host: String) -> ZoneEntry? {
        var name = host[...]
        while true {
            if let zone = zones[String(name)] { return zone }
            guard let dot = name.firstIndex(of: ".") else { return nil }
            name = name[name.index(after: dot)...]
        }
    }
}
