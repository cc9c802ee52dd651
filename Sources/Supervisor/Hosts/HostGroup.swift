internal import Foundation
internal import Model
internal import Sandbox
internal import Synchronization

/// Keeps a host of one kind running: starts it, replaces it when it ends or is tainted, the next one serving before the
/// old one drains.
final class HostGroup: Sendable {
    struct Options: Sendable {
        var settings: HostSettings
        /// Nil where it serves no cordon.
        var cordon: Cordon?
        /// Listening sockets that each host gets.
        var listeners: [Int32] = []
        /// Isolates and lanes that a host may lose before it is replaced.
        var taintBudget = 8
        /// Where hosts' memory and threads are bounded; nil if they are not.
        var groups: ControlGroups?
    }

    private enum Phase {
        /// Has not opened its doors yet.
        case starting
        case serving
        case draining
    }

    private struct Member {
        let host: Host
        var phase = Phase.starting
        var servingSince: ContinuousClock.Instant?
    }

    private struct State {
        var hosts: [Int: Member] = [:]
        var nextHost = 0
        var isEnding = false
        /// A host was asked for and is not there yet.
        var isLaunching = false
        /// Hosts that ended soon after their start, in a row.
        var crashStreak = 0
        /// Somebody waits for the first host, and hears why it cannot start.
        var isFirstAwaited = false
        var firstFailure: String?
        var hasServed = false
        /// Connections that came while no host served.
        var connections: [PassedConnection] = []
        /// Who waits for a host that serves, and until when.
        var waits: [(body: @Sendable (Host?) -> Void, end: ContinuousClock.Instant)] = []
    }

    /// Who waits for a host at most; the next gets none.
    private static let mostWaits = 4_096
    /// For how long.
    private static let longestWait = Duration.seconds(30)
    /// Connections that wait for a host at most; the next is closed.
    private static let mostConnections = 4_096

    let options: Options
    private let services: HostServices
    private let launcher: Launcher
    private let delegate: any HostGroupDelegate
    private let state = Mutex(State())
    private let changed = NSCondition()

    init(options: Options, services: HostServices, launcher: Launcher, delegate: any HostGroupDelegate) {
        self.options = options
        self.services = services
        self.launcher = launcher
        self.delegate = delegate
    }

    // MARK: Starting

    /// Starts the first host and waits until it serves.
    /// - Throws: what is wrong, if it cannot start.
    func start() throws(SandboxError) {
        state.withLock { $0.isFirstAwaited = true }
        launch(after: 0)
        changed.lock()
        defer { changed.unlock() }
        while true {
            let (hasServed, failure) = state.withLock { ($0.hasServed, $0.firstFailure) }
            if hasServed { return }
            if let failure { throw SandboxError(failure) }
            changed.wait()
        }
    }

    /// Starts another host, which takes the place of the one that is there. Nothing happens if one is on its way.
    func launch(after pause: Double) {
        let isFirst = state.withLock { state in
            defer { state.isLaunching = true }
            return !state.isLaunching && !state.isEnding
        }
        guard isFirst else { return }
        launcher.launch(after: pause) { [self] in
            do throws(SandboxError) {
                try startHost()
            } catch {
                let isAwaited = state.withLock { state in
                    state.isLaunching = false
                    guard state.isFirstAwaited, !state.hasServed else { return false }
                    state.firstFailure = "\(error)"
                    return true
                }
                if isAwaited { return signalChange() }
                delegate.say("error", "No host could be started: \(error)")
                launch(after: Backoff.longest)
            }
        }
    }

    private func startHost() throws(SandboxError) {
        let id = state.withLock { state -> Int? in
            defer { state.nextHost += 1 }
            return state.isEnding ? nil : state.nextHost
        }
        guard let id else { return }
        let host = try Host(
            settings: options.settings, listeners: options.listeners, groups: options.groups, services: services,
            delegate: HostDelegate(id: id, group: self))
        delegate.introduce(self) { frames in
            for frame in frames { host.send(frame) }
            host.send(.open)
            let isEnding = state.withLock { state in
                state.hosts[id] = Member(host: host)
                return state.isEnding
            }
            if isEnding { host.kill() }
        }
        // Events come from now on; none is missed.
        host.run()
    }

    // MARK: Talking to hosts

    /// To all that take work, or will.
    func send(_ frame: ToHost) {
        let hosts = state.withLock { $0.hosts.values.filter { $0.phase != .draining }.map(\.host) }
        for host in hosts { host.send(frame) }
    }

    /// Asks all that take work, or will.
    /// - Returns: how many were asked; as many times `answered` is called, be it that a host has ended.
    func ask(_ question: (_ id: Int) -> ToHost, answered: @escaping @Sendable () -> Void) -> Int {
        let hosts = state.withLock { $0.hosts.values.filter { $0.phase != .draining }.map(\.host) }
        for host in hosts { host.ask(question) { _ in answered() } }
        return hosts.count
    }

    /// Gives a connection to the host that serves, or to the next one.
    func pass(_ connection: PassedConnection) {
        let (host, isTaken) = state.withLock { state -> (Host?, Bool) in
            let serving = state.hosts.filter { $0.value.phase == .serving }.max { $0.key < $1.key }
            if let serving { return (serving.value.host, true) }
            guard !state.isEnding, state.connections.count < Self.mostConnections else { return (nil, false) }
            state.connections.append(connection)
            return (nil, true)
        }
        if let host { host.pass(connection) } else if !isTaken { close(connection.descriptor) }
    }

    /// The one that serves; nil if there is none just now.
    var serving: Host? {
        state.withLock { state in
            state.hosts.filter { $0.value.phase == .serving }.max { $0.key < $1.key }?.value.host
        }
    }

    /// Calls `body` with the one that serves, as soon as there is one; with nil if there is none in time.
    func whenServing(_ body: @escaping @Sendable (Host?) -> Void) {
        let (host, isTold) = state.withLock { state -> (Host?, Bool) in
            let serving = state.hosts.filter { $0.value.phase == .serving }.max { $0.key < $1.key }
            if let serving { return (serving.value.host, true) }
            guard !state.isEnding, state.waits.count < Self.mostWaits else { return (nil, true) }
            state.waits.append((body, .now.advanced(by: Self.longestWait)))
            return (nil, false)
        }
        if isTold { body(host) }
    }

    /// Tells those who have waited too long for a host.
    func endLateWaits() {
        let late = state.withLock { state in
            let now = ContinuousClock.now
            defer { state.waits.removeAll { $0.end <= now } }
            return state.waits.filter { $0.end <= now }
        }
        for wait in late { wait.body(nil) }
    }

    /// The one that serves, or the first that will within some time.
    func serving(within seconds: Double) -> Host? {
        let end = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while true {
            if let host = serving { return host }
            guard !state.withLock({ $0.isEnding }), changed.wait(until: end) else { return serving }
        }
    }

    /// Waits until those that serve route by that revision; false if they do not in time.
    func await(revision: Int64, seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while true {
            let hosts = state.withLock { $0.hosts.values.filter { $0.phase == .serving }.map(\.host) }
            if hosts.allSatisfy({ $0.has(revision: revision) }) { return true }
            guard changed.wait(until: end) else { return false }
        }
    }

    /// What those that are there tell of themselves within a second; the one that serves first.
    var statuses: [(process: Int32, status: RuntimeStatus)] {
        let hosts = state.withLock { state in
            state.hosts.filter { $0.value.phase != .starting }.sorted { $0.key > $1.key }.map(\.value.host)
        }
        return hosts.compactMap { host in host.status(within: 1).map { (host.id, $0) } }
    }

    private func signalChange() {
        changed.lock()
        changed.broadcast()
        changed.unlock()
    }

    // MARK: What hosts do

    fileprivate func isLocked(refusals: [String]) {
        // The next host says the same.
        guard !state.withLock({ $0.hasServed }) else { return }
        delegate.isLocked(refusals: refusals)
    }

    fileprivate func isServing(_ id: Int) {
        let old = state.withLock { state -> [Host] in
            state.hosts[id]?.phase = .serving
            state.hosts[id]?.servingSince = .now
            state.hasServed = true
            state.isLaunching = false
            var old: [Host] = []
            for (other, member) in state.hosts where other < id && member.phase == .serving {
                state.hosts[other]?.phase = .draining
                old.append(member.host)
            }
            return old
        }
        for host in old { host.send(.drain) }
        let (host, connections, waits) = state.withLock { state in
            defer {
                state.connections = []
                state.waits = []
            }
            return (state.hosts[id]?.host, state.connections, state.waits)
        }
        for wait in waits { wait.body(host) }
        for connection in connections {
            if let host { host.pass(connection) } else { close(connection.descriptor) }
        }
        signalChange()
    }

    fileprivate func hasEnded(_ id: Int, _ end: Host.End) {
        let why = end.failure.map { ": \($0)" } ?? ""
        let (isLost, pause) = state.withLock { state -> (Bool, Double?) in
            guard let member = state.hosts.removeValue(forKey: id) else { return (false, nil) }
            if member.phase == .starting { state.isLaunching = false }
            if state.isFirstAwaited, !state.hasServed {
                state.firstFailure = end.failure ?? "the host ended with \(end.description)"
                return (false, nil)
            }
            guard member.phase != .draining, !state.isEnding else { return (false, nil) }
            let life = member.servingSince.map { $0.duration(to: .now) } ?? .zero
            state.crashStreak = life < Backoff.shortLife ? state.crashStreak + 1 : 0
            return (true, Backoff.pause(afterStreak: state.crashStreak))
        }
        if isLost { delegate.say("error", "A host ended with \(end.description)\(why). Another takes its place.") }
        // First the next one: who is suspected is a matter of the routes.
        if let pause { launch(after: pause) }
        if !end.suspects.isEmpty { delegate.crashed(end.suspects) }
        signalChange()
    }

    /// Connections that an ended host has not taken.
    fileprivate func returned(_ connections: [PassedConnection]) {
        for connection in connections { pass(connection) }
    }

    fileprivate func handedBack(_ connection: PassedConnection, by host: Int) -> Bool {
        delegate.handedBack(connection, by: host, of: self)
    }

    fileprivate func hasChanged() { signalChange() }
    fileprivate func say(_ level: String, _ text: String) { delegate.say(level, text) }
    fileprivate func log(_ event: LogEvent) { delegate.log(event) }
    fileprivate func requestEnded(_ event: RequestEvent) { delegate.requestEnded(event) }
    fileprivate func trace(_ trace: Trace) { services.traces?.take(trace) }

    // MARK: Taint

    /// A host that does not answer for so long, in seconds, is ended.
    private static let longestSilence = 30.0

    /// A host that has lost too much serves on until the next one does. Waits for an answer.
    /// - Parameter isCounting: what it has counted is asked for too, which is more to write and to read.
    func lookForTaint(isCounting: Bool) {
        let (members, isBusy) = state.withLock { ($0.hosts, $0.isLaunching || $0.isEnding) }
        guard !isBusy, members.count == 1, let member = members.values.first, member.phase == .serving else { return }
        let host = member.host
        let longest = Self.longestSilence
        let answer = isCounting ? host.status(within: longest)?.taint : host.taint(within: longest)
        guard let taint = answer else { return host.kill() }
        guard taint >= options.taintBudget else { return }
        delegate.say("warn", "A host has lost \(taint) isolates or lanes and is replaced.")
        launch(after: 0)
    }

    // MARK: The end

    /// Has all hosts finish what is under way, and starts no more.
    func drain() {
        let (hosts, waits) = state.withLock { state in
            state.isEnding = true
            defer { state.waits = [] }
            for id in state.hosts.keys { state.hosts[id]!.phase = .draining }
            for connection in state.connections { close(connection.descriptor) }
            state.connections = []
            return (state.hosts.values.map(\.host), state.waits)
        }
        for wait in waits { wait.body(nil) }
        for host in hosts { host.send(.drain) }
        signalChange()
    }

    /// Whether no host is left.
    var isEmpty: Bool { state.withLock { $0.hosts.isEmpty } }

    /// Waits until none takes connections any more.
    func awaitClosed(by end: Date) {
        changed.lock()
        while !state.withLock({ $0.hosts.values.map(\.host) }).allSatisfy(\.isClosed), changed.wait(until: end) {}
        changed.unlock()
    }

    /// Waits until all have ended.
    func awaitEnd(by end: Date) {
        changed.lock()
        while !state.withLock({ $0.hosts.isEmpty }), changed.wait(until: end) {}
        changed.unlock()
    }

    /// Ends all hosts at once.
    func kill() {
        let hosts = state.withLock { state in
            state.isEnding = true
            return state.hosts.values.map(\.host)
        }
        for host in hosts { host.kill() }
    }
}

/// Whoever keeps groups.
protocol HostGroupDelegate: AnyObject, Sendable {
    /// Calls `ready` with what a new host is told first. What changes after that is sent after that.
    func introduce(_ group: HostGroup, _ ready: ([ToHost]) -> Void)
    func isLocked(refusals: [String])
    /// Takes a connection whose next request is another's, or not: false if the host cannot have it.
    func handedBack(_ connection: PassedConnection, by host: Int, of group: HostGroup) -> Bool
    /// Workers that had the processor when a host crashed.
    func crashed(_ suspects: [String])
    func say(_ level: String, _ text: String)
    func log(_ event: LogEvent)
    func requestEnded(_ event: RequestEvent)
}

/// What a host's thread calls.
struct HostDelegate: Sendable {
    let id: Int
    // Keeps the group, until the host has ended.
    private let group: HostGroup

    init(id: Int, group: HostGroup) {
        self.id = id
        self.group = group
    }

    func isLocked(refusals: [String]) { group.isLocked(refusals: refusals) }
    func isServing() { group.isServing(id) }
    func hasEnded(_ end: Host.End) { group.hasEnded(id, end) }
    func hasChanged() { group.hasChanged() }
    func returned(_ connections: [PassedConnection]) { group.returned(connections) }
    func handedBack(_ connection: PassedConnection, by host: Int) -> Bool { group.handedBack(connection, by: host) }
    func say(_ level: String, _ text: String) { group.say(level, text) }
    func log(_ event: LogEvent) { group.log(event) }
    func requestEnded(_ event: RequestEvent) { group.requestEnded(event) }
    func trace(_ trace: Trace) { group.trace(trace) }
}
