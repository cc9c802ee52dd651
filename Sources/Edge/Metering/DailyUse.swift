internal import Isolates
internal import Model
internal import Synchronization

/// What accounts with limits have used today, from the meter's readings, and who is over. Any thread.
package final class DailyUse: Sendable {
    /// Why an account's requests are refused.
    enum Refusal: Sendable, Equatable {
        /// Today's are used up.
        case daily
        /// Too many in this minute.
        case burst
    }

    private struct Entry {
        var limits: AccountLimits
        /// The day on which all locations together have used it up, as the control node says.
        var exhaustedOn: Int64?
        /// Nil until the ledger was asked.
        var used: UsageAmounts?
        var minute: Int64 = 0
        var minuteCount = 0
        var isOver = false

        mutating func judge(on day: Int64) {
            let used = used ?? UsageAmounts()
            isOver =
                exhaustedOn == day
                || limits.areUsedUp(requests: used.requests, cpuMicroseconds: used.cpuMicroseconds)
        }
    }

    private struct State {
        /// Days since 1970, UTC.
        var day: Int64 = 0
        /// Of accounts that have limits of use.
        var entries: [String: Entry] = [:]
    }

    private let state = Mutex(State())
    /// Whether there is any entry: most platforms have none.
    private let count = Atomic<Int>(0)

    package init() {}

    func remove(_ account: String) {
        state.withLock { state in
            state.entries[account] = nil
            count.store(state.entries.count, ordering: .releasing)
        }
    }

    func set(_ account: RoutedAccount) {
        let limits = account.limits
        state.withLock { state in
            // A host that has just begun knows no day yet.
            if state.day == 0 { state.day = Usage.hour(of: .now) / 24 }
            let isLimited =
                limits.requestsPerDay != nil || limits.cpuMillisecondsPerDay != nil || limits.requestsPerMinute != nil
            if isLimited {
                var entry = state.entries[account.id] ?? Entry(limits: limits)
                entry.limits = limits
                entry.exhaustedOn = account.exhaustedOn
                entry.judge(on: state.day)
                state.entries[account.id] = entry
            } else {
                state.entries[account.id] = nil
            }
            count.store(state.entries.count, ordering: .releasing)
        }
    }

    /// Before each reading of the meter: a new day begins at zero; new accounts with what the ledger has.
    func prepare(_ now: Timestamp, _ ledger: (_ account: String, _ hours: Range<Int64>) throws -> [Usage]) rethrows {
        let day = Usage.hour(of: now) / 24
        let unknown = state.withLock { state in
            if state.day != day {
                // What is on its way to the ledger is little; who was over yesterday is not.
                if state.day != 0 {
                    for account in state.entries.keys { state.entries[account]!.used = UsageAmounts() }
                }
                state.day = day
                for account in state.entries.keys { state.entries[account]!.judge(on: day) }
            }
            return state.entries.filter { $0.value.used == nil }.map(\.key)
        }
        for account in unknown {
            let used = try ledger(account, (day * 24)..<(day * 24 + 24)).reduce(UsageAmounts()) { $0 + $1.amounts }
            state.withLock { state in
                state.entries[account]?.used = used
                state.entries[account]?.judge(on: state.day)
            }
        }
    }

    /// What has been written to the ledger.
    func add(_ readings: [Usage]) {
        state.withLock { state in
            for reading in readings where reading.hour / 24 == state.day {
                guard let used = state.entries[reading.script.account]?.used else { continue }
                state.entries[reading.script.account]!.used = used + reading.amounts
                state.entries[reading.script.account]!.judge(on: state.day)
            }
        }
    }

    /// Whether any account has limits of use.
    var isNeeded: Bool { count.load(ordering: .acquiring) > 0 }

    /// Counts a request.
    /// - Returns: nil if it may go on.
    func refusal(of account: String) -> Refusal? {
        state.withLock { state in
            guard let entry = state.entries[account] else { return nil }
            if entry.isOver { return .daily }
            guard let limit = entry.limits.requestsPerMinute else { return nil }
            let minute = Timestamp.now.seconds / 60
            if entry.minute != minute {
                state.entries[account]!.minute = minute
                state.entries[account]!.minuteCount = 0
            }
            guard state.entries[account]!.minuteCount < limit else { return .burst }
            state.entries[account]!.minuteCount += 1
            return nil
        }
    }
}
