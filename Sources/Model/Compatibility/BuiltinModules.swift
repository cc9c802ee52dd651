/// The modules that a worker can import though it does not bring them: Node.js's and Workers' own.
package enum BuiltinModules {
    /// What is behind a specifier that is no module of the worker.
    package enum Meaning: Equatable, Sendable {
        /// No specifier of the runtime's: a file, or a package that should have been bundled.
        case foreign
        /// The module of WebAPI that provides it.
        case module(String)
        /// It cannot be imported; the text says why and what to do.
        case unavailable(String)
    }

    package static func meaning(of specifier: String, in compatibility: Compatibility) -> Meaning {
        if specifier == "cloudflare:workers" { return .module("Workers/entrypoint") }
        if specifier.hasPrefix("cloudflare:") {
            return .unavailable("No such module \"\(specifier)\": of Workers' own modules there is cloudflare:workers.")
        }
        let flags = compatibility.enabled
        let isPrefixed = specifier.hasPrefix("node:")
        let name = isPrefixed ? String(specifier.dropFirst("node:".count)) : specifier
        // Without the prefix a name may be a package's.
        guard isPrefixed || flags.contains("nodejs_compat") && nodeNames.contains(name) else { return .foreign }
        switch name {
        case "async_hooks" where flags.contains("nodejs_compat") || flags.contains("nodejs_als"):
            return .module("Node/asyncHooks")
        case "buffer" where flags.contains("nodejs_compat"):
            return .module("Node/buffer")
        case "async_hooks":
            return .unavailable(
                "No such module \"\(specifier)\": it needs the compatibility flag nodejs_compat or nodejs_als "
                    + "(--compatibility-flag nodejs_compat).")
        case "buffer":
            return .unavailable(
                "No such module \"\(specifier)\": it needs the compatibility flag nodejs_compat "
                    + "(--compatibility-flag nodejs_compat).")
        default:
            return .unavailable(
                "No such module \"\(specifier)\": of Node.js's modules there are node:async_hooks and node:buffer.")
        }
    }

    /// Modules that are there and may be imported without a prefix.
    package static func unprefixed(in compatibility: Compatibility) -> [String] {
        nodeNames.filter { name in
            if case .module = meaning(of: name, in: compatibility) { true } else { false }
        }.sorted()
    }

    /// Node.js's modules that may be imported without the prefix.
    private static let nodeNames: Set<String> = [
        "assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console", "constants",
        "crypto", "dgram", "diagnostics_channel", "dns", "dns/promises", "domain", "events", "fs", "fs/promises",
        "http", "http2", "https", "inspector", "module", "net", "os", "path", "path/posix", "path/win32",
        "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "stream/promises",
        "stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls", "tty", "url", "util",
        "util/types", "v8", "vm", "worker_threads", "zlib",
    ]
}
