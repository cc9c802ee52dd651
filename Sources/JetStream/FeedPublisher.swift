package import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Publishes the feed to NATS, where any number of locations gets it: to a stream of all accounts, and to one for each
/// set of accounts that locations are limited to.
package final class FeedPublisher: Sendable {
    /// Between two words that nothing is new, in seconds.
    private static let heartbeat = 2.0
    /// Between two attempts to connect, in seconds.
    private static let pause = 0.25

    private let hub: FeedHub
    private let settings: NATSSettings
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    /// Touched under `woken`.
    private struct State {
        var isBehind = false
        var isStopped = false
        var isRunning = false
    }
    private let state = Mutex(State())
    private let woken = NSCondition()

    package init(
        _ hub: FeedHub, to settings: NATSSettings,
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) {
        self.hub = hub
        self.settings = settings
        self.log = log
        hub.truth.observe { [weak self] in self?.wake() }
        hub.observeOrders { [weak self] in self?.wake() }
    }

    /// Publishes on a thread of its own.
    package func start() {
        state.withLock { $0 = State(isBehind: true, isRunning: true) }
        Foundation.Thread.detachNewThread { [self] in run() }
    }

    /// Publishes no more, and answers no more. Returns when nothing is under way.
    package func stop() {
        woken.lock()
        state.withLock { $0.isStopped = true }
        woken.broadcast()
        while state.withLock({ $0.isRunning }) { woken.wait() }
        woken.unlock()
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func wake() {
        woken.lock()
        state.withLock { $0.isBehind = true }
        woken.broadcast()
        woken.unlock()
    }

    private func waitForNews() {
        let end = Date(timeIntervalSinceNow: Self.heartbeat)
        woken.lock()
        while state.withLock({ !$0.isBehind && !$0.isStopped }), woken.wait(until: end) {}
        state.withLock { $0.isBehind = false }
        woken.unlock()
    }

    private func run() {
        var last: FeedError?
        while !isStopped {
            last = attempt(after: last)
            if !isStopped { Foundation.Thread.sleep(forTimeInterval: Self.pause) }
        }
        woken.lock()
        state.withLock { $0.isRunning = false }
        woken.broadcast()
        woken.unlock()
    }

    /// Connects and publishes, until that fails or is stopped.
    /// - Returns: why it failed.
    @inline(never) private func attempt(after last: FeedError?) -> FeedError? {
        do {
            let subjects = FeedSubjects(installation: hub.signer.installation, accounts: nil)
            let link = try NATSLink(settings, inbox: subjects.inbox(of: nil))
            defer { link.close() }
            try NATSResponder(hub, link, subjects).start { [weak self] in self?.wake() }
            let mirrors = MirrorKeeper(link, settings.mirrors, log: log)
            var streams: [Set<String>?: StreamPublisher] = [:]
            try follow(link, &streams)
            log("info", "feed: published to \(settings.text)")
            while !isStopped {
                mirrors.keep(streams.values.map(\.subjects))
                waitForNews()
                // There may be nothing to publish, and locations that call meanwhile.
                if link.isClosed { throw FeedError(.away, "NATS: the connection has ended") }
                try follow(link, &streams)
            }
            return nil
        } catch {
            let error = error as? FeedError ?? FeedError(.failed, "\(error)")
            if last != error { log("error", "feed: \(error)") }
            return error
        }
    }

    /// Publishes what is new, to as many streams as there are sets of accounts now.
    private func follow(_ link: NATSLink, _ streams: inout [Set<String>?: StreamPublisher]) throws {
        let locations = try hub.truth.locations()
        let isFirst = streams.isEmpty
        let wanted = Set(locations.map(\.accounts)).union([nil])
        for accounts in wanted where streams[accounts] == nil {
            streams[accounts] = try StreamPublisher(
                hub, link, accounts, isMirrored: !settings.mirrors.isEmpty)
        }
        for (accounts, stream) in streams where !wanted.contains(accounts) {
            try StreamAPI(link).delete(stream.subjects.stream)
            streams[accounts] = nil
        }
        if isFirst { try dropOthers(link, than: Set(streams.values.map(\.subjects.stream))) }
        for (accounts, stream) in streams { try stream.publish(to: locations.filter { $0.accounts == accounts }) }
    }

    /// Streams of sets that no location is limited to any more.
    private func dropOthers(_ link: NATSLink, than names: Set<String>) throws {
        let api = StreamAPI(link)
        let subjects = FeedSubjects(installation: hub.signer.installation, accounts: nil)
        for name in try api.names(under: subjects.allStreams) where !names.contains(name) { try api.delete(name) }
    }
}
