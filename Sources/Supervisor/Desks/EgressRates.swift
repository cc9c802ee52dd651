package import Model
internal import Synchronization

/// How fast each account may use the way out, whichever hosts its Workers are in: a bucket of tokens for requests and
/// one for bytes, both ways together. Any thread.
package final class EgressRates: Sendable {
    /// What may come at once after a pause, in seconds of the rate.
    static let burst = 2.0
    /// Accounts that are remembered before those with full buckets are forgotten.
    private static let forgetAbove = 1_024

    private struct Bucket {
        var requests: Double
        var bytes: Double
        var time: ContinuousClock.Instant
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        var forgetAbove = EgressRates.forgetAbove
    }

    package let requestsPerSecond: Int
    package let bytesPerSecond: Int
    private let state = Mutex(State())

    package init(_ limits: EgressLimits) {
        requestsPerSecond = limits.accountRequestsPerSecond
        bytesPerSecond = limits.accountBytesPerSecond
    }

    /// Counts a request; false if there were too many. Nobody is held to anything where there are no accounts.
    package func takeRequest(_ account: String, now: ContinuousClock.Instant = .now) -> Bool {
        guard !account.isEmpty else { return true }
        return state.withLock { state in
            var bucket = bucket(of: account, in: &state, now)
            defer { state.buckets[account] = bucket }
            guard bucket.requests >= 1 else { return false }
            bucket.requests -= 1
            return true
        }
    }

    /// Counts bytes that have come or gone.
    /// - Returns: how long it takes until they are paid for, in seconds; 0 if they are.
    package func take(_ bytes: Int, of account: String, now: ContinuousClock.Instant = .now) -> Double {
        guard !account.isEmpty else { return 0 }
        return state.withLock { state in
            var bucket = bucket(of: account, in: &state, now)
            bucket.bytes -= Double(bytes)
            state.buckets[account] = bucket
            return max(0, -bucket.bytes / Double(bytesPerSecond))
        }
    }

    private func bucket(of account: String, in state: inout State, _ now: ContinuousClock.Instant) -> Bucket {
        if state.buckets.count > state.forgetAbove {
            state.buckets = state.buckets.filter { !isFull(refilled($0.value, now)) }
            state.forgetAbove = max(Self.forgetAbove, 2 * state.buckets.count)
        }
        let full = Bucket(
            requests: Double(requestsPerSecond) * Self.burst, bytes: Double(bytesPerSecond) * Self.burst, time: now)
        return state.buckets[account].map { refilled($0, now) } ?? full
    }

    private func refilled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Bucket {
        let seconds = max(0, bucket.time.duration(to: now) / .seconds(1))
        func filled(_ tokens: Double, _ rate: Int) -> Double {
            min(Double(rate) * Self.burst, tokens + seconds * Double(rate))
        }
        return Bucket(
            requests: filled(bucket.requests, requestsPerSecond), bytes: filled(bucket.bytes, bytesPerSecond),
            time: now)
    }

    private func isFull(_ bucket: Bucket) -> Bool {
        bucket.requests >= Double(requestsPerSecond) * Self.burst && bucket.bytes >= Double(bytesPerSecond) * Self.burst
    }
}
