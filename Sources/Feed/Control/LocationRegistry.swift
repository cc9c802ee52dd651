internal import Dispatch
package import Model
internal import Synchronization

/// The locations as they are now: which are in contact, and how far each is. Any thread.
package final class LocationRegistry: Sendable {
    /// Of one location.
    package struct State: Sendable {
        package var report: LocationReport?
        package var lastContact: Timestamp?
        /// Names the folder of its copy.
        var instance: String?
        /// Whether it has a link.
        package var isConnected = false
        /// The number of the orders that it follows.
        fileprivate(set) var orders: Int64 = 0
        /// The latest minute whose schedules it has run.
        fileprivate(set) var ran: Int64 = 0
        /// When it had which revision; the latest last.
        fileprivate var steps: [(revision: Int64, time: Timestamp)] = []

        /// In contact, as far as a roll-out counts.
        package func isPresent(_ now: Timestamp) -> Bool {
            lastContact.map { now.milliseconds - $0.milliseconds < LocationRegistry.presenceMilliseconds } ?? false
        }
    }

    /// How a change travels.
    package struct Rollout: Sendable {
        package var revision: Int64
        /// When it was made; nil if that is long ago.
        package var time: Timestamp?
        /// Milliseconds from then, of those locations that are in contact and have it.
        package var reached: [String: Int64] = [:]
        /// In contact, and have it not yet.
        package var missing: [String] = []
        /// Not in contact.
        package var absent: [String] = []
        /// Have it and cannot load it: why.
        package var broken: [String: String] = [:]
    }

    /// How long after its last word a location counts as there, in milliseconds.
    package static let presenceMilliseconds: Int64 = 10_000
    /// Steps and changes that are remembered.
    private static let stepsKept = 256

    private struct Everything {
        var locations: [String: State] = [:]
        var changes: [(revision: Int64, time: Timestamp)] = []
        var waits: [Int: Wait] = [:]
        var lastWait = 0
    }

    /// Somebody waits for orders to be followed.
    private struct Wait {
        let number: Int64
        var locations: Set<String>
        let done: @Sendable () -> Void
    }

    private let state = Mutex(Everything())

    package init() {}

    package func state(of location: String) -> State { state.withLock { $0.locations[location] ?? State() } }

    /// A location has joined.
    /// - Throws: `refused` if another folder than before is that location, and the one before is still there.
    package func join(_ location: String, instance: String) throws(FeedError) {
        let isTaken = state.withLock { state in
            var entry = state.locations[location] ?? State()
            if let other = entry.instance, other != instance, entry.isPresent(.now) { return true }
            if entry.instance != instance || !entry.isConnected { entry.orders = 0 }
            entry.instance = instance
            entry.isConnected = true
            entry.lastContact = .now
            state.locations[location] = entry
            return false
        }
        if isTaken {
            throw FeedError(
                .refused,
                "location '\(location)' is served by another node already: add one more with 'martlet location add'")
        }
    }

    func left(_ location: String, instance: String) {
        state.withLock { state in
            if state.locations[location]?.instance == instance { state.locations[location]?.isConnected = false }
        }
        finishWaits { wait in wait.locations.remove(location) }
    }

    // MARK: Orders

    /// How long others wait for locations to follow orders, in seconds: who takes longer follows them later.
    private static let ordersSeconds = 1.0

    /// A location follows the orders of that number.
    /// - Parameter ran: the latest minute whose schedules it has run.
    func hears(_ number: Int64, ran: Int64, _ location: String) {
        state.withLock { state in
            guard let known = state.locations[location]?.orders else { return }
            state.locations[location]?.orders = max(known, number)
            state.locations[location]?.ran = ran
        }
        finishWaits { wait in if wait.number <= number { wait.locations.remove(location) } }
    }

    /// Calls back once, when the locations that are in contact follow the orders of that number, or in a second.
    package func awaitOrders(_ number: Int64, done: @escaping @Sendable () -> Void) {
        let now = Timestamp.now
        let id = state.withLock { state -> Int? in
            let lacking = state.locations.filter { $1.isConnected && $1.isPresent(now) && $1.orders < number }
            guard !lacking.isEmpty else { return nil }
            state.lastWait += 1
            state.waits[state.lastWait] = Wait(number: number, locations: Set(lacking.keys), done: done)
            return state.lastWait
        }
        guard let id else { return done() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.ordersSeconds) { [self] in
            state.withLock { $0.waits.removeValue(forKey: id) }?.done()
        }
    }

    private func finishWaits(_ change: (inout Wait) -> Void) {
        let over = state.withLock { state in
            for id in state.waits.keys { change(&state.waits[id]!) }
            let over = state.waits.filter(\.value.locations.isEmpty)
            for id in over.keys { state.waits[id] = nil }
            return over.values
        }
        for wait in over { wait.done() }
    }

    package func isHeard(_ location: String) { state.withLock { $0.locations[location]?.lastContact = .now } }

    func take(_ report: LocationReport, of location: String) {
        state.withLock { state in
            var entry = state.locations[location] ?? State()
            entry.lastContact = .now
            if entry.report?.epoch != report.epoch { entry.steps = [] }
            if entry.steps.last.map({ $0.revision < report.revision }) ?? true {
                entry.steps.append((report.revision, .now))
                if entry.steps.count > Self.stepsKept { entry.steps.removeFirst() }
            }
            entry.report = report
            state.locations[location] = entry
        }
    }

    /// The truth has a revision from now on.
    func changed(to revision: Int64) {
        state.withLock { state in
            state.changes.append((revision, .now))
            if state.changes.count > Self.stepsKept { state.changes.removeFirst() }
        }
    }

    /// - Parameters:
    ///   - script: "account/name".
    ///   - locations: those that should have it.
    package func rollout(of script: String, revision: Int64, epoch: String, to locations: [String]) -> Rollout {
        let now = Timestamp.now
        return state.withLock { state in
            var rollout = Rollout(revision: revision)
            rollout.time = state.changes.first { $0.revision >= revision }?.time
            if let first = state.changes.first, first.revision > revision { rollout.time = nil }
            for id in locations {
                guard let entry = state.locations[id], entry.isPresent(now) else {
                    rollout.absent.append(id)
                    continue
                }
                guard entry.report?.epoch == epoch, let step = entry.steps.first(where: { $0.revision >= revision })
                else {
                    rollout.missing.append(id)
                    continue
                }
                if let why = entry.report?.broken[script] { rollout.broken[id] = why }
                rollout.reached[id] = max(0, step.time.milliseconds - (rollout.time ?? step.time).milliseconds)
            }
            return rollout
        }
    }
}
