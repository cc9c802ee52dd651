/// What a Worker's `env` holds under a name.
package struct WorkerBinding: Sendable, Equatable, Codable {
    package enum Value: Sendable, Equatable, Codable {
        case text(String)
        /// JSON text, of which each isolate gets a value of its own.
        case json(String)
        case versionMetadata(VersionMetadata)
        case kvNamespace(id: String)
        /// Another Worker, or this one.
        case service(Service)
        case rateLimit(RateLimit)
        /// The worker's own static assets.
        case assets
    }

    package var name: String
    package var value: Value

    package init(name: String, value: Value) {
        self.name = name
        self.value = value
    }

    /// A variable or a secret.
    package init(name: String, text: String) { self.init(name: name, value: .text(text)) }
}

/// Which version of a script runs.
package struct VersionMetadata: Sendable, Equatable, Codable {
    package var id: String
    /// What the one who deployed it called it; empty if nothing.
    package var tag: String
    /// When it was uploaded, as RFC 3339 has it.
    package var timestamp: String

    package init(id: String, tag: String, timestamp: String) {
        self.id = id
        self.tag = tag
        self.timestamp = timestamp
    }
}

/// So many calls under one key in a period; then no more until the next.
package struct RateLimit: Sendable, Equatable, Codable {
    /// Where calls are counted: bindings of the same one count together.
    package var namespace: String
    package var limit: Int
    /// Seconds.
    package var period: Int

    package init(namespace: String, limit: Int, period: Int) {
        self.namespace = namespace
        self.limit = limit
        self.period = period
    }

    /// Periods that Workers have, in seconds.
    package static let periods = [10, 60]
}
