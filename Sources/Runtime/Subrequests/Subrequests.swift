internal import Isolates
internal import Model
internal import WebAPI

/// The subrequests of one request: how many there were, which are under way, which wait. Bound to the lane.
final class Subrequests {
    private let limits: Limits
    private var count = 0
    private(set) var all: [Int: Subrequest] = [:]
    private var open: [Subrequest] = []
    private var queue: [Subrequest] = []

    private let account: AccountShare

    init(limits: Limits, account: AccountShare) {
        self.limits = limits
        self.account = account
    }

    /// Counts one more.
    func require() throws(OpError) {
        guard count < limits.subrequests else {
            throw OpError(
                "Error", "Too many subrequests by single Worker invocation (--subrequests \(limits.subrequests)).")
        }
        guard !account.subrequests.isUsedUp else {
            throw OpError(
                "Error",
                "Too many subrequests under way by the Workers of an account (\(account.subrequests.most)).")
        }
        count += 1
    }

    func add(_ subrequest: Subrequest) {
        all[subrequest.id] = subrequest
        account.subrequests.add()
        queue.append(subrequest)
        beginNext()
    }

    func remove(_ subrequest: Subrequest) {
        if all.removeValue(forKey: subrequest.id) != nil { account.subrequests.give() }
        queue.removeAll { $0 === subrequest }
        subrequest.release()
    }

    /// Gives connections that have become free to those who wait.
    func beginNext() {
        open.removeAll { !$0.isOpen }
        while open.count < limits.subrequestConnections, !queue.isEmpty {
            let next = queue.removeFirst()
            open.append(next)
            next.begin()
        }
    }

    /// Whether some wait for a connection, and nothing will free one: every connection has an answer that nobody reads.
    /// - Parameter openTickets: events that the request waits for.
    func isDeadlocked(openTickets: Int) -> Bool {
        !queue.isEmpty && openTickets == queue.count && open.allSatisfy(\.isStalled)
    }

    /// The one whose answer was read the longest time ago.
    var leastRecentlyRead: Subrequest? { open.min { $0.lastRead < $1.lastRead } }

    var hasOpenSockets: Bool { all.values.contains { $0.webSocket?.isStarted ?? false } }

    /// - Returns: those of whose end JavaScript wants to hear.
    func abandonAll() -> [Int] {
        let abandoned = all.values
        account.subrequests.give(all.count)
        all = [:]
        open = []
        queue = []
        for subrequest in abandoned { subrequest.abandon() }
        return abandoned.filter { $0.isFollowed && $0.head != nil || $0.isUpgraded }.map(\.id)
    }
}
