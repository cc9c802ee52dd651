/// A place that serves a copy of the truth, as the control node knows it.
package struct Location: Sendable, Equatable {
    /// Its code: three letters as airports have, in lower case.
    package let id: String
    /// Its public key for secrets: 32 bytes, X25519.
    package let key: [UInt8]
    /// The accounts that it serves; nil for all.
    package let accounts: Set<String>?
    package let createdOn: Timestamp

    package init(id: String, key: [UInt8], accounts: Set<String>?, createdOn: Timestamp = .now) {
        self.id = id
        self.key = key
        self.accounts = accounts
        self.createdOn = createdOn
    }
}

/// The locations that may join.
package protocol LocationStore: Sendable {
    func locations() throws -> [Location]
    /// Nil if there is none of that id.
    func location(_ id: String) throws -> Location?
    /// - Parameter secret: what the location shows. Only its hash is stored.
    /// - Throws: `conflict` if there is one of that id.
    func add(_ location: Location, secret: String) throws
    func location(forSecret secret: String) throws -> Location?
    /// The SHA-256 of what it shows; nil if there is no such location.
    func secretHash(ofLocation id: String) throws -> [UInt8]?
    /// From then on secrets travel under another key. Throws `missing`.
    func removeLocation(_ id: String) throws
    /// Adds readings of a location to the ledger. Batches come in order; one that is there already is not counted
    /// again, however late it comes.
    func addUsage(_ readings: [Usage], of location: String, batch: Int64) throws
    /// Notes what became of schedules that a location has run.
    func add(_ runs: [EndedRun]) throws
    /// The location that runs the schedules while the control node is away.
    func deputy() throws -> String?
    func setDeputy(_ location: String) throws
}

/// What a location tells of itself.
package struct LocationReport: Sendable, Codable, Equatable {
    package var epoch: String
    /// All of the truth up to it is served there.
    package var revision: Int64
    /// Martlet's.
    package var version: String
    /// Requests in the last second.
    package var requestRate: Double
    /// Isolates there.
    package var isolates: Int
    /// Workers that it has, but cannot load: why, by "account/name".
    package var broken: [String: String]

    package init(
        epoch: String, revision: Int64, version: String, requestRate: Double, isolates: Int, broken: [String: String]
    ) {
        self.epoch = epoch
        self.revision = revision
        self.version = version
        self.requestRate = requestRate
        self.isolates = isolates
        self.broken = broken
    }
}
