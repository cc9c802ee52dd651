/// Another Worker as a service binding means it.
package struct Service: Sendable, Hashable, Codable {
    package var script: ScriptKey
    /// The export that answers; nil for the default one.
    package var entrypoint: String?
    /// JSON text of what it finds in `ctx.props`; nil for an empty object.
    package var props: String?

    package init(script: ScriptKey, entrypoint: String? = nil, props: String? = nil) {
        self.script = script
        self.entrypoint = entrypoint
        self.props = props
    }

    /// Whether the default export answers, and is told nothing.
    package var isPlain: Bool { entrypoint == nil && props == nil }
}

/// A use of an entrypoint's member by its name.
package struct RPCCall: Sendable, Equatable, Codable {
    package var method: String
    /// False if it is a property that is read.
    package var isCall: Bool

    package init(method: String, isCall: Bool) {
        self.method = method
        self.isCall = isCall
    }
}

/// An export that service bindings can mean.
package struct Entrypoint: Sendable, Equatable, Codable {
    package var name: String
    /// Events that it handles, and methods that can be called.
    package var handlers: [String]

    package init(name: String, handlers: [String]) {
        self.name = name
        self.handlers = handlers
    }
}

/// What a Worker answers to, as its top level shows.
package struct WorkerExports: Sendable, Equatable, Codable {
    /// What the default export handles, or what a script listens for.
    package var handlers: [String]
    /// The named ones.
    package var entrypoints: [Entrypoint]

    package init(handlers: [String] = [], entrypoints: [Entrypoint] = []) {
        self.handlers = handlers
        self.entrypoints = entrypoints
    }
}
