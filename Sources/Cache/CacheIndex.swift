/// What is stored, in memory: found by account and URL, thrown out by the time of its last use. Accounts share a budget
/// of bytes: who has most of it makes room.
struct CacheIndex {
    struct Entry {
        /// The file's name in the folder.
        var file: String
        var variant: CacheVariant
        /// Bytes on disk.
        var size: Int
        /// Seconds since 1970.
        var expiresAt: Double
        /// Counts uses of the whole index.
        var lastUse: UInt64 = 0
    }

    private struct Account {
        var entries: [CacheKey: [Entry]] = [:]
        /// Those of entries, and of what is being written.
        var bytes = 0
    }

    /// A file takes whole blocks, and its entry some memory.
    private static let blockBytes = 4_096
    /// What an account gives up at once, as a share of what it has: so that not every entry pays for a search.
    private static let evictedShare = 10
    /// More variants of one URL are not kept: they are searched one by one.
    private static let variantsOfURL = 64

    private var accounts: [String: Account] = [:]
    private(set) var bytes = 0
    private var useCount: UInt64 = 0

    static func blocks(_ size: Int) -> Int { (size + blockBytes - 1) / blockBytes * blockBytes }

    /// The entry that answers a request with those fields. Counts as a use.
    mutating func find(_ key: CacheKey, isAnswer: (CacheVariant) -> Bool, now: Double) -> Entry? {
        guard let entries = accounts[key.account]?.entries[key],
            let index = entries.firstIndex(where: { $0.expiresAt > now && isAnswer($0.variant) })
        else { return nil }
        useCount += 1
        accounts[key.account]!.entries[key]![index].lastUse = useCount
        return entries[index]
    }

    /// Adds an entry. Gives the files that it takes the place of.
    mutating func add(_ entry: Entry, for key: CacheKey) -> [String] {
        let others = accounts[key.account]?.entries[key] ?? []
        var replaced = others.filter { $0.variant == entry.variant }.map(\.file)
        if replaced.isEmpty, others.count >= Self.variantsOfURL {
            replaced = others.min { $0.lastUse < $1.lastUse }.map { [$0.file] } ?? []
        }
        for file in replaced { remove(file, of: key) }
        var entry = entry
        useCount += 1
        entry.lastUse = useCount
        entry.size = Self.blocks(entry.size)
        accounts[key.account, default: Account()].entries[key, default: []].append(entry)
        hold(entry.size, for: key.account)
        return replaced
    }

    /// Counts bytes that are not an entry's yet; fewer of them if `bytes` is negative.
    mutating func hold(_ bytes: Int, for account: String) {
        self.bytes += bytes
        accounts[account, default: Account()].bytes += bytes
        if accounts[account]!.bytes == 0 { accounts[account] = nil }
    }

    mutating func remove(_ file: String, of key: CacheKey) {
        guard var entries = accounts[key.account]?.entries[key],
            let index = entries.firstIndex(where: { $0.file == file })
        else { return }
        let entry = entries.remove(at: index)
        accounts[key.account]!.entries[key] = entries.isEmpty ? nil : entries
        hold(-entry.size, for: key.account)
    }

    /// Removes all that a URL has. Gives the entries.
    mutating func removeAll(_ key: CacheKey) -> [Entry] {
        guard let removed = accounts[key.account]?.entries.removeValue(forKey: key) else { return [] }
        hold(-removed.reduce(0) { $0 + $1.size }, for: key.account)
        return removed
    }

    /// The account that has most.
    var largestAccount: String? { accounts.max { $0.value.bytes < $1.value.bytes }?.key }

    /// Removes a share of what an account has: expired entries, then those used the longest time ago. Gives the files.
    mutating func evict(from account: String, now: Double) -> [String] {
        guard let held = accounts[account] else { return [] }
        let all = held.entries.flatMap { key, entries in entries.map { (key, $0) } }.sorted { one, other in
            let isExpired = (one.1.expiresAt <= now, other.1.expiresAt <= now)
            return isExpired.0 == isExpired.1 ? one.1.lastUse < other.1.lastUse : isExpired.0
        }
        var files: [String] = []
        var freed = 0
        for (key, entry) in all where freed == 0 || freed < held.bytes / Self.evictedShare {
            remove(entry.file, of: key)
            files.append(entry.file)
            freed += entry.size
        }
        return files
    }
}
