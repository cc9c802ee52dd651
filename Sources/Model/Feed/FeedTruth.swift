/// Some of the truth's records, in the order of their revisions.
package struct FeedPage: Sendable {
    /// Where a page ended, so that the next begins behind it.
    package struct Cursor: Sendable, Equatable {
        package var revision: Int64
        package var kind: UInt8
        package var id: String

        package init(revision: Int64, kind: UInt8 = .max, id: String = "") {
            self.revision = revision
            self.kind = kind
            self.id = id
        }
    }

    package var records: [FeedRecord]
    /// Nil if there are no more records: then whoever has these has all that `position` stands for.
    package var next: Cursor?
    /// The truth when the page was read.
    package var position: FeedPosition

    package init(records: [FeedRecord], next: Cursor?, position: FeedPosition) {
        self.records = records
        self.next = next
        self.position = position
    }
}

/// What the feed reads from the control node's store. Every call may wait for the disk.
package protocol FeedTruth: Sendable {
    /// Where the truth is now.
    /// - Parameter accounts: of whose records the digest is; nil for all.
    func feedPosition(of accounts: Set<String>?) throws -> FeedPosition
    /// Whether a copy that is at a position can go on from there; if not, it has to be made anew.
    /// - Parameter isWhole: the copy is of all accounts.
    func continues(from position: FeedPosition, isWhole: Bool) throws -> Bool
    /// Records behind a cursor: as many as make up some `bytes`, one at least.
    func feedPage(after cursor: FeedPage.Cursor, of accounts: Set<String>?, bytes: Int) throws -> FeedPage
    /// A blob that records refer to.
    /// - Throws: `missing` if nothing refers to it any more.
    func feedBlob(_ hash: String) throws -> [UInt8]
    /// All blobs that records refer to now.
    /// - Parameter accounts: whose records; nil for all.
    func feedBlobs(of accounts: Set<String>?) throws -> Set<String>
    /// The revision since which a Worker is as it is now; nil if there is none.
    func feedRevision(of script: ScriptKey) throws -> Int64?
    /// 32 bytes from which the key is made that signs the feed: the same after a restart.
    func feedSigningSeed() -> [UInt8]
    /// The keys under which secrets travel now.
    /// - Parameter accounts: that may be read with them; nil for all, with one key.
    func feedSecretKeys(of accounts: Set<String>?) throws -> [FeedSecretKey]
    func observe(_ changed: @escaping @Sendable () -> Void)
}

/// A key under which secrets travel.
package struct FeedSecretKey: Sendable, Equatable, Codable {
    /// Grows when a location is removed.
    package var generation: Int64
    /// Whose secrets it opens; nil for all accounts'.
    package var account: String?
    /// 32.
    package var bytes: [UInt8]

    package init(generation: Int64, account: String?, bytes: [UInt8]) {
        self.generation = generation
        self.account = account
        self.bytes = bytes
    }
}

/// A Worker as it travels: what routes need, and the versions that answer.
package struct FedScript: Sendable, Codable, Equatable {
    package struct Secrets: Sendable, Codable, Equatable {
        /// Of the key that they are sealed with.
        package var generation: Int64
        /// Sealed texts by binding, in base64.
        package var sealed: [String: String]

        package init(generation: Int64, sealed: [String: String]) {
            self.generation = generation
            self.sealed = sealed
        }
    }

    package var script: RoutedScript
    package var versions: [ScriptVersion]
    /// By version; none for those without.
    package var secrets: [String: Secrets]
    package var crons: [String]

    package init(
        script: RoutedScript, versions: [ScriptVersion], secrets: [String: Secrets], crons: [String]
    ) {
        self.script = script
        self.versions = versions
        self.secrets = secrets
        self.crons = crons
    }

    /// The blobs without which it cannot run.
    package var codeBlobs: Set<String> {
        Set(versions.flatMap { $0.modules.map(\.hash) + ($0.assets.map { [$0.set] } ?? []) })
    }
}

/// An entry of KV as it travels.
package enum FedEntry {
    package static func encoded(_ entry: KVEntry) -> [UInt8] {
        var writer = FeedWriter()
        writer.number(entry.expiration ?? 0)
        writer.byte(entry.metadata == nil ? 0 : 1)
        writer.text(entry.metadata ?? "")
        writer.data(entry.value)
        return writer.bytes
    }

    package static func decoded(_ bytes: [UInt8]) throws(FeedError) -> KVEntry {
        var reader = FeedReader(bytes)
        let expiration = try reader.number()
        let hasMetadata = try reader.byte() == 1
        let metadata = try reader.text()
        return KVEntry(
            value: try reader.data(), metadata: hasMetadata ? metadata : nil,
            expiration: expiration == 0 ? nil : expiration)
    }
}
