internal import Crypto
internal import Model

/// What an entry is found by, as digests: what it takes in memory does not depend on how long a tenant's URLs are.
struct CacheKey: Hashable {
    let account: String
    /// Of the cache's name and the URL.
    private let place: SHA256.Digest

    init(account: String, cache: String?, url: String) {
        self.account = account
        place = Self.digest([cache == nil ? "default" : "named", cache ?? "", url])
    }

    fileprivate static func digest(_ parts: [String]) -> SHA256.Digest {
        var hash = SHA256()
        for part in parts {
            // With its length, so that no two lists look alike.
            withUnsafeBytes(of: part.utf8.count.littleEndian) { hash.update(bufferPointer: $0) }
            var part = part
            part.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        return hash.finalize()
    }
}

/// Which requests an entry answers, of those for its URL (RFC 9111, section 4.1).
struct CacheVariant: Equatable {
    /// The fields that `Vary` names.
    private let names: [String]
    private let values: SHA256.Digest

    /// More names than this, or longer ones, are not taken: they stay in memory.
    private static let longestNames = 1_024

    /// Nil if the names are too long.
    init?(_ vary: [CacheRequest.Field]) {
        names = vary.map(\.name)
        guard names.reduce(0, { $0 + $1.utf8.count + 16 }) <= Self.longestNames else { return nil }
        values = CacheKey.digest(vary.map(\.value))
    }

    func answers(_ fields: [CacheRequest.Field]) -> Bool {
        names.isEmpty || values == CacheKey.digest(names.map { Self.value(of: $0, in: fields) })
    }

    /// All values of a field as one.
    private static func value(of name: String, in fields: [CacheRequest.Field]) -> String {
        fields.filter { $0.name == name }.map(\.value).joined(separator: ", ")
    }
}
