package import Model
internal import Synchronization

/// The control node's schedules where nothing but itself stands between it and the locations: it runs them, and one
/// location, its deputy, does when it is not heard of. Each minute is agreed on with the deputy, unless that cannot be
/// reached either.
package final class DeputyClaims: ScheduleClaims {
    private struct State {
        /// Nil as long as there was no location.
        var deputy: String?
        /// Since when the deputy is waited for.
        var since: Timestamp
    }

    private let hub: FeedHub
    private let lease: Int64
    private let state: Mutex<State>

    /// - Parameter clock: of the schedules.
    package init(_ hub: FeedHub, clock: ScheduleClock) throws {
        self.hub = hub
        lease = Int64(clock.lease * 1_000)
        let deputy = try hub.truth.deputy()
        state = Mutex(State(deputy: deputy, since: .now))
        hub.order { $0.deputy = deputy }
    }

    package func claim(minute: Int64) -> Bool? {
        do {
            guard let deputy = try chosen() else { return true }
            let number = hub.order { orders in
                orders.deputy = deputy
                orders.minute = max(minute, orders.minute ?? 0)
            }
            let state = hub.registry.state(of: deputy)
            if state.isConnected, state.orders >= number { return state.ran < minute }
            // It is not there, and may run them itself or not: whoever is cut off from it cannot know.
            return silence(of: state) >= lease ? true : nil
        } catch {
            hub.complain("schedules: \(error)")
            return nil
        }
    }

    /// Milliseconds.
    private func silence(of location: LocationRegistry.State) -> Int64 {
        let since = state.withLock { $0.since }.milliseconds
        return Timestamp.now.milliseconds - max(since, location.lastContact?.milliseconds ?? 0)
    }

    /// The one that there is, as long as it is there; else another that is.
    private func chosen() throws -> String? {
        let known = state.withLock { $0.deputy }
        if let known, silence(of: hub.registry.state(of: known)) < lease { return known }
        let now = Timestamp.now
        let fit = try hub.truth.locations().filter { location in
            let state = hub.registry.state(of: location.id)
            return location.accounts == nil && state.isConnected && state.isPresent(now)
        }
        guard let next = fit.map(\.id).min(), next != known else { return known }
        try hub.truth.setDeputy(next)
        state.withLock { $0 = State(deputy: next, since: now) }
        return next
    }
}
