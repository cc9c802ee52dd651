/// What a Worker's `env` holds under a name.
package struct WorkerBinding: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case text(String)
        /// JSON text, of which each isolate gets a value of its own.
        case json(String)
        case versionMetadata(VersionMetadata)
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
package struct VersionMetadata: Sendable, Equatable {
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
