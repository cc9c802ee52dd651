/// How much the caches may hold, and where.
package struct CacheSettings: Sendable, Equatable {
    /// A folder of the cache's own. Nil for one that ends with the process.
    package var folder: String?
    /// Bytes of all entries together. `--cache-mb`.
    package var budgetBytes = 1 << 30
    /// Bytes of one entry's body: Workers' own limit. `--cache-entry-mb`.
    package var entryBytes = 512 << 20

    package init() {}
}
