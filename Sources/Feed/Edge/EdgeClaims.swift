internal import Foundation
package import Model
internal import Synchronization

/// A location's schedules: they are the control node's, until that was silent for too long.
package final class EdgeClaims: ScheduleClaims {
    /// Who of the locations takes over.
    package enum Rule: Sendable {
        /// The one that the control node has named.
        case deputy
        /// Whoever is the first to take the minute.
        /// - Throws: if that cannot be known.
        case first(@Sendable (_ minute: Int64) throws -> Bool)
    }

    private let copy: any FeedCopy
    private let clock: ScheduleClock
    private let rule: Rule
    private let follower = Mutex<FeedFollower?>(nil)
    private let known: Mutex<DeputyState>

    package init(_ copy: any FeedCopy, clock: ScheduleClock, rule: Rule) throws {
        self.copy = copy
        self.clock = clock
        self.rule = rule
        known = Mutex(try copy.deputyState())
    }

    /// Whose contact with the control node counts.
    package func follow(_ follower: FeedFollower) { self.follower.withLock { $0 = follower } }

    /// What the control node says.
    /// - Returns: the latest minute that this location has run.
    package func take(_ orders: FeedOrders, at location: String) -> Int64 {
        change { state in
            state.isDeputy = orders.deputy == location
            if let minute = orders.minute, minute > state.ran {
                state.told = max(state.told, minute)
            }
        }.ran
    }

    /// A minute that the location could not write down is nobody's.
    @discardableResult private func change(_ body: (inout DeputyState) -> Void) -> DeputyState {
        known.withLock { known in
            var new = known
            body(&new)
            if new != known, (try? copy.set(new)) == nil { return known }
            known = new
            return new
        }
    }

    package func claim(minute: Int64) -> Bool? {
        guard let follower = follower.withLock({ $0 }) else { return nil }
        let state = known.withLock { $0 }
        if minute <= max(state.told, state.ran) { return false }
        switch rule {
        case .deputy:
            guard follower.silence >= clock.lease else { return nil }
            // Told of the minute meanwhile, it is not this location's.
            return change { if $0.isDeputy, minute > $0.told { $0.ran = minute } }.ran == minute
        case .first(let take):
            if follower.wasHeard(after: clock.start(of: minute)) { return false }
            guard follower.silence >= clock.lease else { return nil }
            return try? take(minute)
        }
    }
}
