internal import Model

/// Zones, routes and custom domains, and whose they are.
struct ZoneService: Sendable {
    let store: any PlatformStore
    /// Host names of Workers lie under it: no zone can.
    let baseDomain: String

    /// Routes of one zone.
    private static let routesAtMost = 1_000

    /// A zone that the caller may see.
    func require(_ id: String, for token: Token) throws -> Zone {
        guard let zone = try store.zone(id), token.account == nil || token.account == zone.account else {
            throw APIError.noZone(id)
        }
        return zone
    }

    func zones(for token: Token, account: String?, name: String?) throws -> [Zone] {
        try store.zones(of: token.account ?? account).filter { zone in
            (name == nil || zone.name == name?.lowercased()) && (account == nil || zone.account == account)
        }
    }

    func create(_ body: [String: JSONValue], by token: Token) throws -> Zone {
        guard let account = body["account"]?["id"]?.string ?? token.account, try store.account(account) != nil,
            token.account == nil || token.account == account
        else { throw APIError.badBody("'account' must name an account of yours by its id") }
        let name = (body["name"]?.string ?? "").lowercased()
        guard HostName.isValid(name) else { throw APIError.badBody("'\(name)' is not a domain name") }
        guard !HostName.isWithin(name, domain: baseDomain), !HostName.isWithin(baseDomain, domain: name) else {
            throw APIError(400, 1061, "'\(name)' overlaps the base domain '\(baseDomain)'")
        }
        if token.account != nil,
            try !store.allowedZones(of: account).contains(where: { HostName.isWithin(name, domain: $0) })
        {
            throw APIError(403, 1116, "the operator has not allowed this account the domain '\(name)'")
        }
        var zone = Zone(account: account, name: name)
        try Self.setOrigin(body["origin"], of: &zone, by: token)
        do {
            try store.add(zone)
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(400, 1061, error.message)
        }
        return zone
    }

    func change(_ zone: Zone, _ body: [String: JSONValue], by token: Token) throws -> Zone {
        var zone = zone
        if let unknown = body.keys.sorted().first(where: { $0 != "origin" }) {
            throw APIError.badBody("'\(unknown)' of a zone cannot be changed")
        }
        guard let origin = body["origin"] else { return zone }
        zone.origin = nil
        try Self.setOrigin(origin, of: &zone, by: token)
        try store.update(zone)
        return zone
    }

    /// Only the operator's may have an address that Workers may not connect to.
    private static func setOrigin(_ value: JSONValue?, of zone: inout Zone, by token: Token) throws(APIError) {
        guard let value, !value.isNull else { return }
        guard let url = value.string else { throw .badBody("'origin' must be a URL, or null") }
        do throws(OriginServer.Invalid) {
            _ = try OriginServer(url, isTrusted: false)
        } catch {
            throw .badBody("'\(url)': \(error.description)")
        }
        zone.origin = url
        zone.isOriginTrusted = token.account == nil
    }

    // MARK: Routes

    func putRoute(_ id: String?, in zone: Zone, _ body: [String: JSONValue]) throws -> Route {
        guard let pattern = body["pattern"]?.string else { throw APIError(400, 10022, "a route needs a 'pattern'") }
        try Self.check(pattern, in: zone)
        let script = body["script"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        if let script, try store.script(ScriptKey(account: zone.account, name: script)) == nil {
            throw APIError(400, 10019, "there is no Worker '\(script)' on this account")
        }
        let routes = try store.routes(of: zone.id)
        if let id, !routes.contains(where: { $0.id == id }) { throw APIError.noRoute(id) }
        guard id != nil || routes.count < Self.routesAtMost else {
            throw APIError(400, 10022, "a zone has at most \(Self.routesAtMost) routes")
        }
        let route = Route(id: id ?? Identifier.hex(), pattern: pattern, script: script)
        try Self.naming(duplicate: pattern) { try store.put(route, in: zone.id) }
        return route
    }

    private static func naming<Value>(duplicate pattern: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(400, 10020, error.message)
        }
    }

    /// A zone's routes take only its own hosts.
    private static func check(_ text: String, in zone: Zone) throws(APIError) {
        do throws(RoutePattern.Invalid) {
            let pattern = try RoutePattern(text)
            guard HostName.isWithin(pattern.host, domain: zone.name) else {
                throw RoutePattern.Invalid("'\(pattern.host)' is not within the zone '\(zone.name)'")
            }
        } catch {
            throw APIError(400, 10022, "invalid route pattern '\(text)': \(error.description)")
        }
    }

    /// `[{pattern, zone_name?, zone_id?}]`, or patterns bare.
    func replaceRoutes(of script: ScriptKey, _ list: JSONValue) throws -> [Route] {
        guard let entries = list.array else { throw APIError.badBody("the body must be a list of routes") }
        let zones = try store.zones(of: script.account)
        let routes = try entries.map { entry -> (zone: String, pattern: String) in
            guard let pattern = entry.string ?? entry["pattern"]?.string else {
                throw APIError(400, 10022, "a route needs a 'pattern'")
            }
            let zone = try Self.zone(for: entry, pattern, among: zones)
            try Self.check(pattern, in: zone)
            return (zone.id, pattern)
        }
        return try Self.naming(duplicate: "") { try store.replaceRoutes(of: script, with: routes) }
    }

    private static func zone(for entry: JSONValue, _ pattern: String, among zones: [Zone]) throws -> Zone {
        let found: Zone?
        if let id = entry["zone_id"]?.string {
            found = zones.first { $0.id == id }
        } else if let name = entry["zone_name"]?.string {
            found = zones.first { $0.name == name.lowercased() }
        } else {
            found = Self.zone(ofHost: try RoutePattern(pattern).host, among: zones)
        }
        guard let found else { throw APIError(400, 10022, "no zone of this account has the route '\(pattern)'") }
        return found
    }

    /// The one with the longest name.
    private static func zone(ofHost host: String, among zones: [Zone]) -> Zone? {
        zones.filter { HostName.isWithin(host, domain: $0.name) }.max { $0.name.utf8.count < $1.name.utf8.count }
    }

    // MARK: Custom domains

    func putDomain(_ body: JSONValue, account: String, script: String? = nil) throws -> CustomDomain {
        do {
            return try store.put(try customDomain(body, account: account, script: script))
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(400, 100116, error.message)
        }
    }

    /// The domain that is asked for, with an id of its own, whatever there is already.
    func customDomain(_ body: JSONValue, account: String, script: String? = nil) throws -> CustomDomain {
        guard let hostname = body["hostname"]?.string?.lowercased(), HostName.isValid(hostname) else {
            throw APIError.badBody("'hostname' must be a host name")
        }
        guard let name = script ?? body["service"]?.string else {
            throw APIError.badBody("'service' must name a Worker")
        }
        let key = ScriptKey(account: account, name: name)
        guard try store.script(key) != nil else { throw APIError.noService(name) }
        let zones = try store.zones(of: account)
        let zone =
            if let id = body["zone_id"]?.string { zones.first { $0.id == id } } else {
                Self.zone(ofHost: hostname, among: zones)
            }
        guard let zone, HostName.isWithin(hostname, domain: zone.name) else {
            throw APIError(400, 100117, "no zone of this account has the host name '\(hostname)'")
        }
        return CustomDomain(hostname: hostname, zone: zone.id, zoneName: zone.name, script: key)
    }

    func domain(_ id: String, account: String) throws -> CustomDomain {
        guard let domain = try store.domains(of: account).first(where: { $0.id == id }) else {
            throw APIError.noDomain(id)
        }
        return domain
    }
}
