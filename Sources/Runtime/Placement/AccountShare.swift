internal import Model
internal import Synchronization

/// What the Workers of one account use now, on all lanes. Any thread.
final class AccountShare: Sendable {
    /// A number of things that there may be at a time.
    final class Quota: Sendable {
        let most: Int
        private let count = Atomic<Int>(0)

        init(_ most: Int) { self.most = most }

        var isUsedUp: Bool { count.load(ordering: .relaxed) >= most }

        /// False if there are as many as there may be.
        func take() -> Bool {
            if count.add(1, ordering: .relaxed).newValue <= most { return true }
            give()
            return false
        }

        /// Counts one that is there, be it one too many: several lanes may have asked for the last at once.
        func add() { count.add(1, ordering: .relaxed) }

        func give(_ number: Int = 1) { count.subtract(number, ordering: .relaxed) }
    }

    let account: String
    let queued: Int
    let requests: Quota
    let isolates: Quota
    let timers: Quota
    let subrequests: Quota

    init(_ account: String, caps: AccountCaps) {
        self.account = account
        queued = caps.queued
        requests = Quota(caps.requests)
        isolates = Quota(caps.isolates)
        timers = Quota(caps.timers)
        subrequests = Quota(caps.subrequests)
    }
}

/// The shares of all accounts. Any thread.
final class AccountShares: Sendable {
    private struct Entry {
        weak var share: AccountShare?
    }

    private let caps: AccountCaps
    private let entries = Mutex<[String: Entry]>([:])

    init(caps: AccountCaps) { self.caps = caps }

    /// That of an account, which is there as long as somebody has it. Asked for at cold starts only.
    /// - Parameter account: empty where Workers belong to nobody.
    func share(of account: String) -> AccountShare {
        entries.withLock { entries in
            if let known = entries[account]?.share { return known }
            // Those that nobody has any more go when there would be many of them.
            if entries.count > 64, entries.count & (entries.count - 1) == 0 {
                entries = entries.filter { $0.value.share != nil }
            }
            let share = AccountShare(account, caps: account.isEmpty ? .none : caps)
            entries[account] = Entry(share: share)
            return share
        }
    }
}
