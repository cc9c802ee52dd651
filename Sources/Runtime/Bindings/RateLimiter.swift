internal import Glibc
internal import Isolates
internal import Model
internal import Synchronization
internal import WebAPI

/// Counts calls by key in fixed periods, for the whole process. Any thread.
final class RateLimiter: Sendable {
    private struct Period {
        /// When it ends, in nanoseconds.
        let end: UInt64
        var counts: [String: Int] = [:]
    }

    /// Keys of one namespace that are counted in one period. Further ones are let pass: the limit is not a lock.
    static let keysAtMost = 100_000

    private let periods = Mutex<[String: Period]>([:])

    /// - Parameter now: in nanoseconds.
    func isWithin(_ limit: RateLimit, _ key: String, now: UInt64) -> Bool {
        let length = UInt64(limit.period) * 1_000_000_000
        return periods.withLock { periods in
            let name = "\(limit.namespace)/\(limit.period)"
            if periods[name].map({ $0.end <= now }) ?? true {
                periods = periods.filter { $0.value.end > now }
                periods[name] = Period(end: (now / length + 1) * length)
            }
            let count = periods[name]!.counts[key, default: 0]
            guard count < limit.limit else { return false }
            guard count > 0 || periods[name]!.counts.count < Self.keysAtMost else { return true }
            periods[name]!.counts[key] = count + 1
            return true
        }
    }
}

extension Instance: RateLimitHost {
    func isWithinLimit(_ key: String, ofBinding binding: Int) throws(OpError) -> Bool {
        guard bindings.indices.contains(binding), case .rateLimit(let limit) = bindings[binding].value else {
            throw .type("There is no such rate limit")
        }
        return lane.placement.rates.isWithin(limit, key, now: lane.loop.now)
    }
}
