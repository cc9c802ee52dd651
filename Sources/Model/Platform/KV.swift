/// A set of keys and values.
package struct KVNamespace: Sendable, Equatable {
    package let id: String
    package var title: String

    package init(id: String = Identifier.hex(), title: String) {
        self.id = id
        self.title = title
    }
}

/// A value and what stands beside it.
package struct KVEntry: Sendable, Equatable {
    package var value: [UInt8]
    /// JSON text.
    package var metadata: String?
    /// Seconds since 1970; from then on the key is gone.
    package var expiration: Int64?

    package init(value: [UInt8], metadata: String? = nil, expiration: Int64? = nil) {
        self.value = value
        self.metadata = metadata
        self.expiration = expiration
    }
}

/// A piece of a namespace's list of keys, in the order of their UTF-8 bytes.
package struct KVPage: Sendable, Equatable {
    package struct Key: Sendable, Equatable {
        package var name: String
        package var metadata: String?
        package var expiration: Int64?

        package init(name: String, metadata: String? = nil, expiration: Int64? = nil) {
            self.name = name
            self.metadata = metadata
            self.expiration = expiration
        }
    }

    package var keys: [Key]
    /// Whether there are no keys behind these.
    package var isLast: Bool

    package init(keys: [Key], isLast: Bool) {
        self.keys = keys
        self.isLast = isLast
    }
}

/// What KV lets in: Cloudflare's limits.
package enum KVLimits {
    /// Bytes of a key in UTF-8.
    package static let keyBytes = 512
    /// Bytes of a value.
    package static let valueBytes = 25 << 20
    /// Bytes of a metadata's JSON text.
    package static let metadataBytes = 1_024
    /// The least time to live, in seconds.
    package static let leastTimeToLive: Int64 = 60
    /// Keys of one page of a list.
    package static let pageKeys = 1_000
    /// Bytes of values that are read together.
    package static let batchBytes = 4 << 20

    /// - Returns: what is wrong with a key, or nil.
    package static func complaint(aboutKey key: String) -> String? {
        if key.isEmpty { return "a key must not be empty" }
        if key == "." || key == ".." { return "'\(key)' cannot be a key" }
        if key.utf8.count > keyBytes { return "a key has at most \(keyBytes) bytes; this one has \(key.utf8.count)" }
        return nil
    }
}

/// Where the next page of a list begins, as a client sees it: the key before it, in hexadecimal digits.
package enum KVCursor {
    package static func of(_ key: String) -> String { key.utf8.map(Identifier.hexDigits).joined() }

    /// - Returns: nil if it was not given out here.
    package static func key(of cursor: String) -> String? {
        let digits = cursor.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == cursor.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        return String(validating: bytes, as: UTF8.self)
    }
}
