package import Model

/// Finds imports of modules that the runtime does not have before the worker runs: `import()` of such a name would else
/// fail in the middle of a request.
package enum ImportCheck {
    /// - Returns: nil, or the module and what is wrong: `index.js: No such module "node:fs": ...`.
    package static func failure(of worker: WorkerDefinition) -> String? {
        let names = Set(worker.modules.map(\.name))
        for module in worker.modules where module.kind == .javaScript || module.kind == .script {
            for specifier in ImportScanner.scan(module.bytes).specifiers where !names.contains(specifier) {
                let meaning = BuiltinModules.meaning(of: specifier, in: worker.compatibility)
                if case .unavailable(let reason) = meaning { return "\(module.name): \(reason)" }
            }
        }
        return nil
    }
}
