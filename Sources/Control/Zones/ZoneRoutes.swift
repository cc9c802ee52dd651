internal import Model

/// Zones, routes, custom domains.
struct ZoneRoutes {
    let api: API
    let service: ZoneService
    let scripts: ScriptService
    private var store: any PlatformStore { service.store }

    func register() {
        registerZones()
        registerRoutes()
        registerDomains()
    }

    private func registerZones() {
        api.on(.get, "/zones", .read) { [service] call in
            let zones = try service.zones(
                for: call.token, account: call.query["account.id"], name: call.query["name"])
            return try .page(zones.map(\.json), of: call)
        }
        api.on(.post, "/zones", .deploy) { [service] call in
            .result(try service.create(try call.object(), by: call.token).json)
        }
        api.on(.get, "/zones/:zone", .read) { [service] call in
            .result(try service.require(call["zone"], for: call.token).json)
        }
        api.on(.patch, "/zones/:zone", .deploy) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            return .result(try service.change(zone, try call.object(), by: call.token).json)
        }
        api.on(.delete, "/zones/:zone", .deploy) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            try service.store.deleteZone(zone.id)
            return .result(["id": .string(zone.id)])
        }
        // Ours: which domains an account may add itself.
        api.on(.get, "/accounts/:account/allowed-zones", .read) { [service] call in
            .result(.array(try service.store.allowedZones(of: call.account).map { .string($0) }))
        }
        api.on(.post, "/accounts/:account/allowed-zones", .admin) { [service] call in
            guard call.token.account == nil else { throw APIError.forbidden("admin, for all accounts") }
            let name = try call.object()["name"]?.string?.lowercased() ?? ""
            guard HostName.isValid(name) else { throw APIError.badBody("'\(name)' is not a domain name") }
            guard try service.store.account(call.account) != nil else {
                throw APIError.unknownPath("/accounts/\(call.account)")
            }
            try service.store.allow(zone: name, for: call.account)
            return .result(["name": .string(name)])
        }
    }

    private func registerRoutes() {
        let routes = "/zones/:zone/workers/routes"
        api.on(.get, routes, .read) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            return .result(.array(try service.store.routes(of: zone.id).map(\.json)))
        }
        api.on(.post, routes, .deploy) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            return .result(try service.putRoute(nil, in: zone, try call.object()).json)
        }
        api.on(.get, routes + "/:route", .read) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            guard let route = try service.store.routes(of: zone.id).first(where: { $0.id == call["route"] }) else {
                throw APIError.noRoute(call["route"])
            }
            return .result(route.json)
        }
        api.on(.put, routes + "/:route", .deploy) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            return .result(try service.putRoute(call["route"], in: zone, try call.object()).json)
        }
        api.on(.delete, routes + "/:route", .deploy) { [service] call in
            let zone = try service.require(call["zone"], for: call.token)
            do {
                try service.store.deleteRoute(call["route"], in: zone.id)
            } catch let error as StoreError where error.kind == .missing {
                throw APIError.noRoute(call["route"])
            }
            return .result(["id": .string(call["route"])])
        }
        api.on(.put, "/accounts/:account/workers/scripts/:script/routes", .deploy) { [service, scripts] call in
            _ = try scripts.require(call.script)
            return .result(.array(try service.replaceRoutes(of: call.script, try call.json()).map(\.json)))
        }
    }

    private func registerDomains() {
        let domains = "/accounts/:account/workers/domains"
        api.on(.get, domains, .read) { [service] call in
            let found = try service.store.domains(of: call.account).filter { domain in
                let query = call.query
                return (query["hostname"] == nil || query["hostname"] == domain.hostname)
                    && (query["service"] == nil || query["service"] == domain.script.name)
                    && (query["zone_id"] == nil || query["zone_id"] == domain.zone)
                    && (query["zone_name"] == nil || query["zone_name"] == domain.zoneName)
            }
            return .result(.array(found.map(\.json)))
        }
        api.on(.put, domains, .deploy) { [service] call in
            .result(try service.putDomain(try call.json(), account: call.account).json)
        }
        api.on(.get, domains + "/:domain", .read) { [service] call in
            .result(try service.domain(call["domain"], account: call.account).json)
        }
        api.on(.delete, domains + "/:domain", .deploy) { [service] call in
            _ = try service.domain(call["domain"], account: call.account)
            try service.store.deleteDomain(call["domain"], of: call.account)
            return .result(["id": .string(call["domain"])])
        }
        api.on(.get, domains + "/records/:domain", .read) { [service] call in
            .result(try service.domain(call["domain"], account: call.account).json)
        }
        let ofScript = "/accounts/:account/workers/scripts/:script/domains"
        api.on(.put, ofScript + "/records", .deploy) { [self] in try replaceDomains($0) }
        api.on(.post, ofScript + "/changeset", .read) { [self] in try changes(of: $0) }
    }

    /// `{origins: [{hostname, zone_id?, zone_name?, enabled?}]}`: those that are enabled.
    private func wantedDomains(_ call: Call) throws -> [JSONValue] {
        _ = try scripts.require(call.script)
        guard let origins = try call.object()["origins"]?.array else {
            throw APIError.badBody("'origins' must be a list of host names")
        }
        return origins.filter { $0["enabled"]?.bool != false }
    }

    /// What `replaceDomains` would do. An updated domain is `modified` if another Worker has it. Nothing conflicts:
    /// there are no DNS records here.
    private func changes(of call: Call) throws -> Reply {
        let wanted = try wantedDomains(call).map {
            try service.customDomain($0, account: call.account, script: call.script.name)
        }
        let known = try store.domains(of: call.account)
        var added: [JSONValue] = []
        var updated: [JSONValue] = []
        for domain in wanted {
            guard let old = known.first(where: { $0.hostname == domain.hostname }) else {
                added.append(domain.json)
                continue
            }
            var shape = old.json.object ?? [:]
            shape["modified"] = .bool(old.script != domain.script)
            updated.append(.object(shape))
        }
        let replaces = call.query["replace_state"] == "true"
        let removed = known.filter { old in
            replaces && old.script == call.script && !wanted.contains { $0.hostname == old.hostname }
        }
        return .result([
            "added": .array(added), "removed": .array(removed.map(\.json)), "updated": .array(updated),
            "conflicting": [],
        ])
    }

    /// Exactly the wanted ones are the script's.
    private func replaceDomains(_ call: Call) throws -> Reply {
        let put = try wantedDomains(call).map {
            try service.putDomain($0, account: call.account, script: call.script.name)
        }
        for old in try store.domains(of: call.account)
        where old.script == call.script && !put.contains(where: { $0.id == old.id }) {
            try store.deleteDomain(old.id, of: call.account)
        }
        return .result(.array(put.map(\.json)))
    }
}

extension Zone {
    fileprivate var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "status": "active", "type": "full", "paused": false,
            "account": ["id": .string(account)], "created_on": .string(createdOn.description),
            "name_servers": [],
            // Ours: what stands behind it.
            "origin": origin.map { .string($0) } ?? .null,
        ]
    }
}

extension Route {
    fileprivate var json: JSONValue {
        var shape: [String: JSONValue] = ["id": .string(id), "pattern": .string(pattern)]
        if let script { shape["script"] = .string(script) }
        return .object(shape)
    }
}

extension CustomDomain {
    fileprivate var json: JSONValue {
        [
            "id": .string(id), "hostname": .string(hostname), "service": .string(script.name),
            "environment": "production", "zone_id": .string(zone), "zone_name": .string(zoneName), "cert_id": "",
        ]
    }
}
