internal import Model

/// Cordons whose hosts make no machine code run no WebAssembly: who has some does not get there.
struct JitlessRule: Sendable {
    let store: any PlatformStore
    /// As `--jitless` says.
    let cordons: Set<String>

    /// Before a version is made, or deployed.
    /// - Parameter modules: its files' names and content types.
    func check(_ modules: [(name: String, type: String)], of key: ScriptKey) throws {
        guard !cordons.isEmpty, let name = Self.wasm(in: modules) else { return }
        let setting = try store.script(key)?.cordon ?? store.account(key.account)?.cordon ?? Cordon.standard.name
        guard cordons.contains(setting) else { return }
        throw APIError.validation(
            "'\(name)' is WebAssembly, which does not run in the cordon '\(setting)' of '\(key.name)': its processes "
                + "make no machine code (--jitless). Deploy it without, or have the operator set another cordon")
    }

    /// Before an account's scripts that say nothing else go to a cordon (nil: where all begin).
    func checkMove(ofAccount account: String, to cordon: String?) throws {
        for script in try store.scripts(of: account) where script.cordon == nil {
            try checkMove(of: script, to: cordon ?? Cordon.standard.name)
        }
    }

    /// Before a script goes to a cordon (nil: its account's).
    func checkMove(of script: Script, to cordon: String?) throws {
        try checkMove(of: script, to: cordon ?? store.account(script.key.account)?.cordon ?? Cordon.standard.name)
    }

    private func checkMove(of script: Script, to cordon: String) throws {
        guard cordons.contains(cordon) else { return }
        for share in script.deployment?.shares ?? [] {
            let modules = try store.version(share.version, of: script.key)?.modules ?? []
            guard let name = Self.wasm(in: modules.map { ($0.name, $0.contentType) }) else { continue }
            throw APIError.validation(
                "'\(script.name)' cannot go to the cordon '\(cordon)': its module '\(name)' is WebAssembly, and "
                    + "processes there make no machine code (--jitless). Deploy it without, delete it, or give it a "
                    + "cordon of its own (martlet account cordon --script)")
        }
    }

    private static func wasm(in modules: [(name: String, type: String)]) -> String? {
        modules.first { ModuleType.kind(ofType: $0.type) == .wasm }?.name
    }
}
