package import Model
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Who follows which Worker, and what they are sent. Any thread; lanes only leave traces in a queue.
package final class TailHub: TraceSink {
    /// Tails of one script, and of all scripts of an account.
    static let mostOfScript = 10
    static let mostOfAccount = 50
    /// Seconds that a tail may be there without anybody connected to it.
    static let idleSeconds: Int64 = 300
    /// Bytes of traces that wait to be sent; what comes beyond is dropped and counted.
    private static let queueBytes = 8 << 20

    private struct State {
        var tails: [String: Tail] = [:]
        /// Those that somebody is connected to, by the Worker's name.
        var followed: [String: [Tail]] = [:]
        /// How many connections are about to be made, by the Worker's name.
        var expected: [String: Int] = [:]
        var queue: [Trace] = []
        var queuedBytes = 0
        /// Traces that found no room, by the Worker's name.
        var dropped: [String: Int] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())
    /// Tails that somebody is connected to: as long as there are none, lanes look no further.
    private let connectedCount = Atomic<Int>(0)
    /// Filters, writes the texts, and keeps time.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let lifetime: Int64
    /// Of events that happen here.
    private let colo: String
    /// Called, in order, with the names of the Workers that somebody is connected to, or is about to be.
    private let followedChanged = Mutex<Tell?>(nil)

    /// - Parameter done: called once, when their events are told.
    package typealias Tell = @Sendable (_ workers: [String], _ done: @escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - lifetime: seconds after which a tail ends.
    ///   - colo: of this location.
    package init(lifetime: Int, colo: String) {
        self.lifetime = Int64(lifetime)
        self.colo = colo
    }

    /// Has others told whom to look at: at once, and whenever that changes.
    package func tellFollowed(_ tell: @escaping Tell) {
        followedChanged.withLock { $0 = tell }
        tellFollowed()
    }

    private func tellFollowed(done: @escaping @Sendable () -> Void = {}) {
        followedChanged.withLock { tell in
            guard let tell else { return done() }
            tell(state.withLock { Set($0.followed.keys).union($0.expected.keys).sorted() }, done)
        }
    }

    // MARK: By lanes

    package func follows(_ worker: String) -> Bool {
        connectedCount.load(ordering: .relaxed) > 0 && state.withLock { $0.followed[worker] != nil }
    }

    package func take(_ trace: Trace) {
        let begins = state.withLock { state in
            guard state.queuedBytes + trace.size <= Self.queueBytes else {
                state.dropped[trace.worker, default: 0] += 1
                return false
            }
            state.queue.append(trace)
            state.queuedBytes += trace.size
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if begins { group.next().execute { [self] in drain() } }
    }

    /// So many events of a Worker were dropped at another location.
    package func missed(_ count: Int, of worker: String) {
        group.next().execute { [self] in
            for tail in state.withLock({ $0.followed[worker] }) ?? [] { tail.wasDropped(count) }
        }
    }

    private func drain() {
        let (traces, followed, dropped) = state.withLock { state in
            defer {
                state.queue = []
                state.queuedBytes = 0
                state.dropped = [:]
                state.isDraining = false
            }
            return (state.queue, state.followed, state.dropped)
        }
        for (worker, count) in dropped { for tail in followed[worker] ?? [] { tail.wasDropped(count) } }
        for trace in traces {
            var text: String?
            for tail in followed[trace.worker] ?? [] where tail.wants(trace) {
                let ready = text ?? TailMessage.text(of: trace, at: colo)
                text = ready
                tail.send(ready)
            }
        }
    }

    // MARK: By the API

    package func add(_ filters: [TailFilter], to script: ScriptKey) throws -> Tail {
        let expires = Timestamp(milliseconds: Timestamp.now.milliseconds + lifetime * 1_000)
        let tail = Tail(script, filters, expires: expires)
        try state.withLock { state in
            let ofAccount = state.tails.values.filter { $0.script.account == script.account }
            let ofScript = ofAccount.count { $0.script == script }
            guard ofScript < Self.mostOfScript, ofAccount.count < Self.mostOfAccount else {
                throw APIError(
                    400, 10058,
                    "there are too many tails: \(Self.mostOfScript) of one Worker and \(Self.mostOfAccount) of an "
                        + "account at most; delete one")
            }
            state.tails[tail.id] = tail
        }
        let id = tail.id
        tail.keep(.lifetime, group.next().scheduleTask(in: .seconds(lifetime)) { [weak self] in self?.remove(id) })
        removeIfIdle(tail)
        return tail
    }

    func tails(of script: ScriptKey) -> [Tail] {
        state.withLock { $0.tails.values.filter { $0.script == script } }.sorted { $0.expires < $1.expires }
    }

    /// Nil if there is none, or it is another script's.
    func tail(_ id: String, of script: ScriptKey) -> Tail? {
        state.withLock { $0.tails[id] }.flatMap { $0.script == script ? $0 : nil }
    }

    /// Ends a tail, and the connection to it.
    package func remove(_ id: String) {
        guard let tail = state.withLock({ $0.tails.removeValue(forKey: id) }) else { return }
        tail.keep(.lifetime, nil)
        tail.keep(.idleness, nil)
        tail.connection?.close()
        disconnected(tail, nil)
    }

    // MARK: By connections

    /// The tail that a connection may be made to, by its id, which only those know who may.
    func tail(_ id: String) -> Tail? { state.withLock { $0.tails[id] } }

    /// A connection is about to be made to a tail.
    /// - Parameter ready: called once, when all that happens from then on is told to it.
    func expect(_ tail: Tail, ready: @escaping @Sendable () -> Void) {
        state.withLock { $0.expected[tail.script.description, default: 0] += 1 }
        tellFollowed(done: ready)
    }

    /// It is made, or never will be.
    func settle(_ tail: Tail) {
        let isNews = state.withLock { state in
            let name = tail.script.description
            let count = (state.expected[name] ?? 1) - 1
            state.expected[name] = count == 0 ? nil : count
            return count == 0 && state.followed[name] == nil
        }
        if isNews { tellFollowed() }
    }

    /// One connection has a tail; one before it is closed.
    func connected(_ connection: any TailConnection, to tail: Tail) {
        tail.replace(by: connection)?.close()
        state.withLock { state in
            guard state.tails[tail.id] != nil else { return connection.close() }
            var followers = state.followed[tail.script.description] ?? []
            guard !followers.contains(where: { $0 === tail }) else { return }
            followers.append(tail)
            state.followed[tail.script.description] = followers
            connectedCount.add(1, ordering: .relaxed)
        }
        tellFollowed()
    }

    /// - Parameter connection: that which has ended; nil if the tail has.
    func disconnected(_ tail: Tail, _ connection: (any TailConnection)?) {
        guard tail.lose(connection) else { return }
        state.withLock { state in
            let name = tail.script.description
            guard var followers = state.followed[name], followers.contains(where: { $0 === tail }) else { return }
            followers.removeAll { $0 === tail }
            state.followed[name] = followers.isEmpty ? nil : followers
            connectedCount.subtract(1, ordering: .relaxed)
        }
        tellFollowed()
        if state.withLock({ $0.tails[tail.id] != nil }) { removeIfIdle(tail) }
    }

    private func removeIfIdle(_ tail: Tail) {
        let timer = group.next().scheduleTask(in: .seconds(Self.idleSeconds)) { [weak self, weak tail] in
            if let tail, tail.connection == nil { self?.remove(tail.id) }
        }
        tail.keep(.idleness, timer)
    }
}

/// Somebody's wish to see a Worker's events.
package final class Tail: Sendable {
    package let id = Identifier.hex()
    let script: ScriptKey
    let expires: Timestamp
    private let filters: [TailFilter]
    private let state = Mutex<(connection: (any TailConnection)?, dropped: Int)>((nil, 0))
    /// What ends it in time: a timer holds what it is to call, so it goes with the tail.
    private let timers = Mutex<[Timer: Scheduled<Void>]>([:])

    enum Timer { case lifetime, idleness }

    init(_ script: ScriptKey, _ filters: [TailFilter], expires: Timestamp) {
        self.script = script
        self.filters = filters
        self.expires = expires
    }

    /// Takes the place of the timer of that kind before it, which is cancelled.
    func keep(_ kind: Timer, _ timer: Scheduled<Void>?) {
        let former = timers.withLock { timers in
            defer { timers[kind] = timer }
            return timers[kind]
        }
        former?.cancel()
    }

    var connection: (any TailConnection)? { state.withLock { $0.connection } }

    func replace(by connection: any TailConnection) -> (any TailConnection)? {
        state.withLock { state in
            defer { state.connection = connection }
            return state.connection
        }
    }

    /// False if another connection has the tail now.
    func lose(_ connection: (any TailConnection)?) -> Bool {
        state.withLock { state in
            guard connection == nil || state.connection === connection else { return false }
            state.connection = nil
            return true
        }
    }

    func wants(_ trace: Trace) -> Bool {
        guard let connection else { return false }
        return filters.allSatisfy { $0.lets(trace, for: connection.client) }
    }

    func wasDropped(_ count: Int) { state.withLock { $0.dropped += count } }

    /// Sends a message, or counts that it was not: a reader that is too slow misses some.
    func send(_ text: String) {
        guard let connection else { return }
        let dropped = state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
        if dropped > 0, !connection.send(TailMessage.text(ofDropped: dropped, of: script.name)) {
            return wasDropped(dropped + 1)
        }
        if !connection.send(text) { wasDropped(1) }
    }
}

/// The connection to a tail. Any thread.
protocol TailConnection: AnyObject, Sendable {
    /// The address of the one who looks on.
    var client: String { get }
    /// False if too much waits to be read.
    func send(_ text: String) -> Bool
    /// Ends it cleanly.
    func close()
}
