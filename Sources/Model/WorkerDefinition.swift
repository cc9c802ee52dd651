/// A worker as it was deployed: code, bindings, limits. A value; the runtime makes isolates of it.
package struct WorkerDefinition: Sendable, Equatable, Codable {
    package struct Module: Sendable, Equatable, Codable {
        package enum Kind: String, Sendable, Codable {
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
    /// Members of `env`, in order.
    package var bindings: [WorkerBinding]
    package var limits: Limits
    /// What the worker's relative URLs are relative to; nil, as in Workers, if they are errors.
    package var baseURL: String?
    package var compatibility: Compatibility
    /// Whose worker it is: accounts share no caches. One for all where there are no accounts.
    package var account = ""
    /// The id of the version; empty where there are none.
    package var version = ""
    /// Source maps, as JSON, by the names of the modules that they are of.
    package var sourceMaps: [String: [UInt8]] = [:]

    package init(
        name: String, modules: [Module], bindings: [WorkerBinding] = [], limits: Limits = Limits(),
        compatibility: Compatibility = .standard
    ) {
        self.name = name
        self.modules = modules
        self.bindings = bindings
        self.limits = limits
        self.compatibility = compatibility
    }

    /// The script that it is a version of: "account/script" is its name.
    package var script: ScriptKey {
        let name = account.isEmpty ? self.name : String(self.name.dropFirst(account.count + 1))
        return ScriptKey(account: account, name: name)
    }
}
