internal import Model

/// Certificates of zones: uploaded, renewed, removed. No answer has a key.
struct CertificateRoutes {
    let api: API
    let zones: ZoneService
    let check: any CertificateCheck
    private var store: any PlatformStore { zones.store }

    /// Of one zone.
    private static let mostOfZone = 20
    /// Bytes of a certificate's upload: chains are some kilobytes.
    private static let uploadBytes = 128 << 10

    func register() {
        let path = "/zones/:zone/custom_certificates"
        api.on(.get, path, .read) { [self] call in
            let zone = try zones.require(call["zone"], for: call.token)
            return .result(.array(try store.certificates(of: zone.id).map(\.json)))
        }
        api.on(.post, path, .deploy, limit: Self.uploadBytes) { [self] call in
            let zone = try zones.require(call["zone"], for: call.token)
            guard try store.certificates(of: zone.id).count < Self.mostOfZone else {
                throw APIError(400, 1212, "a zone has at most \(Self.mostOfZone) certificates")
            }
            return .result(try put(try call.object(), in: zone, replacing: nil).json)
        }
        api.on(.get, path + "/:certificate", .read) { [self] call in .result(try require(call).certificate.json) }
        api.on(.patch, path + "/:certificate", .deploy, limit: Self.uploadBytes) { [self] call in
            let (zone, old) = try require(call)
            return .result(try put(try call.object(), in: zone, replacing: old).json)
        }
        api.on(.delete, path + "/:certificate", .deploy) { [self] call in
            let (zone, old) = try require(call)
            try store.deleteCertificate(old.id, in: zone.id)
            return .result(["id": .string(old.id)])
        }
    }

    private func require(_ call: Call) throws -> (zone: Zone, certificate: ZoneCertificate) {
        let zone = try zones.require(call["zone"], for: call.token)
        guard let found = try store.certificates(of: zone.id).first(where: { $0.id == call["certificate"] }) else {
            throw APIError(404, 1101, "there is no certificate '\(call["certificate"])'")
        }
        return (zone, found)
    }

    private func put(
        _ body: [String: JSONValue], in zone: Zone, replacing old: ZoneCertificate?
    ) throws -> ZoneCertificate {
        guard let chain = body["certificate"]?.string, let key = body["private_key"]?.string else {
            throw APIError.badBody("'certificate' and 'private_key' must be texts (PEM)")
        }
        let facts: CertificateFacts
        do {
            facts = try check.facts(ofChain: chain, key: key)
        } catch {
            throw APIError(400, 1001, "\(error)")
        }
        guard !facts.names.isEmpty else { throw APIError(400, 1001, "the certificate names no host") }
        for name in facts.names {
            let host = name.hasPrefix("*.") ? String(name.dropFirst(2)) : name
            guard HostName.isWithin(host, domain: zone.name) else {
                throw APIError(400, 1001, "the certificate is for '\(name)', which is not within '\(zone.name)'")
            }
        }
        guard facts.expiresOn > .now else { throw APIError(400, 1001, "the certificate expired \(facts.expiresOn)") }
        let certificate =
            old.map { ZoneCertificate(id: $0.id, zone: zone.id, chain: chain, facts: facts, uploadedOn: $0.uploadedOn) }
            ?? ZoneCertificate(zone: zone.id, chain: chain, facts: facts)
        try store.put(certificate, key: key)
        return certificate
    }
}

extension ZoneCertificate {
    fileprivate var json: JSONValue {
        [
            "id": .string(id), "zone_id": .string(zone), "hosts": .array(names.map { .string($0) }),
            "status": "active", "bundle_method": "force", "priority": 0,
            "expires_on": .string(expiresOn.description), "uploaded_on": .string(uploadedOn.description),
            "modified_on": .string(modifiedOn.description),
        ]
    }
}
