/// Names one thing of the truth that locations keep a copy of.
package struct FeedKey: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// An account, by its id.
        case account = 1
        /// A Worker with the versions that answer, by "account/name".
        case script = 2
        /// A zone with its routes, by its id.
        case zone = 3
        /// A custom domain, by its id.
        case domain = 4
        /// A namespace of KV, by its id. Where it goes, its entries go.
        case namespace = 5
        /// An entry of KV, by "namespace/key".
        case entry = 6
        /// A certificate of a zone with its sealed key, by its id.
        case certificate = 7
    }

    package var kind: Kind
    /// Unlike that of any other of its kind.
    package var id: String

    package init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }

    /// What the ids of a namespace's entries begin with.
    package static func prefix(ofNamespace namespace: String) -> String { namespace + "/" }
}

/// One thing of the truth as it is since a revision. Replaces what was known under its key before that revision.
package struct FeedRecord: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case value([UInt8])
        /// A large value, which lies among the blobs.
        case blob(hash: String, size: Int)
        case removed
    }

    package var key: FeedKey
    /// Whose it is: an edge that serves some accounts only gets the records of those.
    package var account: String
    /// Of the transaction that made it so.
    package var revision: Int64
    package var body: Body

    package init(key: FeedKey, account: String, revision: Int64, body: Body) {
        self.key = key
        self.account = account
        self.revision = revision
        self.body = body
    }

    /// The largest value that a record holds itself, in bytes.
    package static let inlineBytes = 128 << 10

    /// The form that is hashed, signed and sent.
    package var encoded: [UInt8] {
        var writer = FeedWriter()
        writer.byte(key.kind.rawValue)
        writer.text(key.id)
        writer.text(account)
        writer.number(revision)
        switch body {
        case .removed: writer.byte(0)
        case .value(let value):
            writer.byte(1)
            writer.data(value)
        case .blob(let hash, let size):
            writer.byte(2)
            writer.text(hash)
            writer.number(Int64(size))
        }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(FeedError) {
        var reader = FeedReader(encoded)
        guard let kind = FeedKey.Kind(rawValue: try reader.byte()) else {
            throw FeedError(.version, "a record is of a kind that this version does not know")
        }
        key = FeedKey(kind, try reader.text())
        account = try reader.text()
        revision = try reader.number()
        switch try reader.byte() {
        case 0: body = .removed
        case 1: body = .value(try reader.data())
        case 2:
            let hash = try reader.text()
            let size = try reader.number()
            guard (0...Int64(Int32.max)).contains(size) else {
                throw FeedError(.malformed, "a blob of \(size) bytes")
            }
            body = .blob(hash: hash, size: Int(size))
        default: throw FeedError(.malformed, "a record of an unknown form")
        }
        guard reader.isAtEnd else { throw FeedError(.malformed, "bytes behind a record") }
    }
}

/// Stands for a set of records, whatever the order in which they came: the sum of their hashes. It tells that two
/// copies differ; that nobody has made up a record is told by signatures.
package struct FeedDigest: Sendable, Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init() {}

    /// - Parameter bytes: 32, of a hash or of a digest.
    package init(_ bytes: some Collection<UInt8>) {
        precondition(bytes.count == 32, "a digest has 32 bytes")
        let bytes = Array(bytes)
        func word(_ index: Int) -> UInt64 { bytes[(index * 8)..<(index * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        words = (word(0), word(1), word(2), word(3))
    }

    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    package static func += (left: inout FeedDigest, right: FeedDigest) {
        left.words.0 &+= right.words.0
        left.words.1 &+= right.words.1
        left.words.2 &+= right.words.2
        left.words.3 &+= right.words.3
    }

    package static func -= (left: inout FeedDigest, right: FeedDigest) {
        left.words.0 &-= right.words.0
        left.words.1 &-= right.words.1
        left.words.2 &-= right.words.2
        left.words.3 &-= right.words.3
    }

    package static func == (left: FeedDigest, right: FeedDigest) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// How far a copy is: all that the truth was at a revision of a history.
package struct FeedPosition: Sendable, Equatable {
    /// Names a history. A store that begins anew has another.
    package var epoch: String
    package var revision: Int64
    package var digest: FeedDigest

    package init(epoch: String, revision: Int64, digest: FeedDigest) {
        self.epoch = epoch
        self.revision = revision
        self.digest = digest
    }
}
