/// A worker as it was deployed: code, variables, limits. A value; the runtime makes isolates of it.
package struct WorkerDefinition: Sendable, Equatable {
    package struct Module: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case javaScript
            case text
            case data
            case json
            case wasm
            /// A classic script, for service-worker syntax.
            case script
        }
        /// Relative to the worker's root: "index.js", "lib/a.js".
        package var name: String
        package var kind: Kind
        package var bytes: [UInt8]

        package init(name: String, kind: Kind, bytes: [UInt8]) {
            self.name = name
            self.kind = kind
            self.bytes = bytes
        }
    }

    package var name: String
    /// The first is the main module.
    package var modules: [Module]
    /// Names and values of `env`'s text variables, in order.
    package var variables: [Variable]
    package var limits: Limits
    /// What the worker's relative URLs are relative to; nil, as in Workers, if they are errors.
    package var baseURL: String?
    package var compatibility: Compatibility
    /// Whose worker it is: accounts share no caches. One for all where there are no accounts.
    package var account = ""

    package struct Variable: Sendable, Equatable {
        package var name: String
        package var value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        name: String, modules: [Module], variables: [Variable] = [], limits: Limits = Limits(),
        compatibility: Compatibility = .standard
    ) {
        self.name = name
        self.modules = modules
        self.variables = variables
        self.limits = limits
        self.compatibility = compatibility
    }
}
