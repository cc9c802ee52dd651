internal import Feed
internal import Model

/// Adds locations and tells of them.
struct LocationService: Sendable {
    let store: any PlatformStore
    let hub: FeedHub

    func add(_ body: [String: JSONValue]) throws -> JSONValue {
        guard let id = body["id"]?.string?.lowercased(), id.utf8.count == 3,
            id.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else { throw APIError.badName("a location's id is three letters, as airports have them: 'cdg'") }
        guard let key = body["key"]?.string.flatMap(Hexadecimal.bytes), LocationKey.isPublicKey(key) else {
            throw APIError.badBody("'key' must be a public key of X25519: 64 hexadecimal digits")
        }
        var accounts: Set<String>?
        if let given = body["accounts"], !given.isNull {
            guard let list = given.strings, !list.isEmpty else {
                throw APIError.badBody("'accounts' must be a list of accounts' ids")
            }
            for account in list where try store.account(account) == nil {
                throw APIError.badBody("there is no account '\(account)'")
            }
            accounts = Set(list)
        }
        let secret = TokenSecret.make()
        do {
            try store.add(Location(id: id, key: key, accounts: accounts), secret: secret)
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(409, 10014, error.message)
        }
        return [
            "id": .string(id), "token": .string(secret), "installation": .string(hub.signer.installation),
        ]
    }

    func remove(_ id: String) throws {
        do {
            try store.removeLocation(id)
        } catch let error as StoreError where error.kind == .missing {
            throw APIError(404, 10009, error.message)
        }
    }

    func list() throws -> [JSONValue] {
        let position = try store.feedPosition(of: nil)
        return try store.locations().map { json($0, position) }
    }

    private func json(_ location: Location, _ truth: FeedPosition) -> JSONValue {
        let state = hub.registry.state(of: location.id)
        let place = WorldList.place(location.id)
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        func number(_ value: (some BinaryInteger)?) -> JSONValue { value.map { .number(Double($0)) } ?? .null }
        let report = state.report
        let isCurrent = report?.epoch == truth.epoch
        let now = Timestamp.now
        return [
            "id": .string(location.id), "city": text(place?.city), "country": text(place?.country),
            "latitude": place.map { .number($0.latitude) } ?? .null,
            "longitude": place.map { .number($0.longitude) } ?? .null,
            "accounts": location.accounts.map { .array($0.sorted().map { .string($0) }) } ?? .null,
            "created_on": .string(location.createdOn.description), "connected": .bool(state.isConnected),
            "present": .bool(state.isPresent(now)),
            "contact_seconds": state.lastContact.map {
                .number(Double(max(0, now.milliseconds - $0.milliseconds)) / 1_000)
            } ?? .null,
            "revision": number(report?.revision),
            "lag": number(isCurrent ? report.map { max(0, truth.revision - $0.revision) } : nil),
            "version": text(report?.version), "isolates": number(report?.isolates),
            "requests_per_second": report.map { .number($0.requestRate) } ?? .null,
            "broken": .object((report?.broken ?? [:]).mapValues { .string($0) }),
        ]
    }

    /// How far the latest change of a Worker has come.
    func rollout(of script: ScriptKey) throws -> JSONValue {
        let truth = try store.feedPosition(of: nil)
        let revision = try store.feedRevision(of: script) ?? 0
        let locations = try store.locations().filter { $0.accounts?.contains(script.account) ?? true }.map(\.id)
        let rollout = hub.registry.rollout(
            of: script.description, revision: revision, epoch: truth.epoch, to: locations)
        func list(_ names: [String]) -> JSONValue { .array(names.sorted().map { .string($0) }) }
        return [
            "revision": .number(Double(revision)), "locations": .number(Double(locations.count)),
            "reached": .object(rollout.reached.mapValues { .number(Double($0)) }),
            "missing": list(rollout.missing), "absent": list(rollout.absent),
            "broken": .object(rollout.broken.mapValues { .string($0) }),
        ]
    }
}
