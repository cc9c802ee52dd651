/// How a Worker's files become modules.
package struct BuildSettings: Sendable, Equatable {
    /// Paths in these settings, and those in error messages, are relative to this folder; nil for the main module's.
    package var root: String?
    /// The bundler: a path. nil looks for it.
    package var esbuild: String?
    /// nil bundles what needs it.
    package var bundles: Bool?
    package var rules = ModuleRules()
    /// JavaScript expressions in place of names.
    package var define: [String: String] = [:]
    /// Modules in place of modules.
    package var alias: [String: String] = [:]
    package var isMinified = false
    /// Whether functions keep their names though the bundle may call them otherwise.
    package var keepsNames = true
    package var tsconfig: String?
    package var jsxFactory: String?
    package var jsxFragment: String?
    /// Whether files that fit a rule are modules though nothing imports them by name.
    package var findsAdditionalModules = false
    /// Where these are looked for, and what their names are relative to; nil for the main module's folder.
    package var baseFolder: String?
    package var hasSourceMaps = true
    /// What `process.env.NODE_ENV` is.
    package var mode = "production"

    package init() {}

    /// Whether something is asked for that only the bundler does.
    var asksForBundler: Bool {
        bundles == true || isMinified || !define.isEmpty || !alias.isEmpty || tsconfig != nil || jsxFactory != nil
            || jsxFragment != nil
    }
}
