import ArgumentParser
import Cache

/// Flags for the workers' caches, shared by the commands.
struct CacheOptions: ParsableArguments {
    @Option(help: "Folder of the caches. Default: DIR/cache with --data DIR, else one that ends with Martlet.")
    var cacheDir: String?
    @Option(help: "All that the caches hold, in MiB; the least recently used goes first.")
    var cacheMb = CacheSettings().budgetBytes >> 20
    @Option(help: "Largest body in a cache, in MiB.")
    var cacheEntryMb = CacheSettings().entryBytes >> 20

    func validate() throws {
        for (flag, value) in [("--cache-mb", cacheMb), ("--cache-entry-mb", cacheEntryMb)]
        where !(1...1 << 30).contains(value) {
            throw ValidationError("\(flag) must be between 1 and \(1 << 30), not \(value).")
        }
    }

    /// - Parameter folder: where the caches are unless a flag says; nil: in one that ends with Martlet.
    func settings(folder: String? = nil) -> CacheSettings {
        var settings = CacheSettings()
        settings.folder = cacheDir ?? folder
        settings.budgetBytes = cacheMb << 20
        settings.entryBytes = cacheEntryMb << 20
        return settings
    }
}
