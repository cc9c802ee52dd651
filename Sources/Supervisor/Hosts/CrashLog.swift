/// Which Workers had the processor when hosts crashed, and what becomes of those who had it more than once.
package struct CrashLog {
    /// What is done about a Worker.
    package enum Sentence: Sendable, Equatable {
        case nothing
        /// It gets a host of its own.
        case apart
        /// It does not run for so many seconds.
        case paused(seconds: Int)

        /// For its owner.
        var explanation: String {
            switch self {
            case .nothing: "It runs on."
            case .apart: "It was the second time: from now on it has a process of its own."
            case .paused(let seconds): "It is suspended for \(seconds) s."
            }
        }
    }

    private struct Entry {
        var count = 0
        var last: ContinuousClock.Instant
        var pausedUntil: ContinuousClock.Instant?
    }

    /// After so many crashes a Worker gets a host of its own; after each further one it rests.
    static let patience = 2
    /// Seconds; doubled with each crash.
    static let firstPause = 10
    static let longestPause = 3_600
    /// A crash is forgotten if none follows for so long.
    static let memory = Duration.seconds(86_400)
    /// Workers that are remembered; the one whose crash was longest ago is forgotten first.
    static let mostEntries = 10_000

    private var entries: [String: Entry] = [:]

    package init() {}

    /// A Worker had the processor at a crash.
    package mutating func add(_ name: String, now: ContinuousClock.Instant) -> Sentence {
        if entries[name] == nil, entries.count >= Self.mostEntries,
            let oldest = entries.min(by: { $0.value.last < $1.value.last })
        {
            entries[oldest.key] = nil
        }
        var entry = entries[name] ?? Entry(last: now)
        if entry.last.duration(to: now) > Self.memory { entry.count = 0 }
        entry.count += 1
        entry.last = now
        defer { entries[name] = entry }
        guard entry.count >= Self.patience else { return .nothing }
        guard entry.count > Self.patience else { return .apart }
        let doublings = min(entry.count - Self.patience - 1, 12)
        let seconds = min(Self.longestPause, Self.firstPause << doublings)
        entry.pausedUntil = now.advanced(by: .seconds(seconds))
        return .paused(seconds: seconds)
    }

    /// Those whose rest is over; each is told once.
    package mutating func takeDue(now: ContinuousClock.Instant) -> [String] {
        let due = entries.filter { $0.value.pausedUntil.map { $0 <= now } ?? false }.map(\.key)
        for name in due { entries[name]!.pausedUntil = nil }
        return due
    }
}
