internal import Foundation
package import Model
package import Sandbox
internal import Synchronization

/// Keeps hosts running, one for each cordon: starts them, tells them what to serve, replaces them.
///
/// The supervisor owns the listening sockets, so connections wait while there is no host, and none is refused. It runs
/// no tenant's code, and takes what a host says for a claim.
package final class Supervisor: Sendable {
    package struct Options: Sendable {
        package var host = HostSettings()
        /// Isolates and lanes that a host may lose before it is replaced.
        package var taintBudget = 8
        /// Cordons whose hosts make no machine code, and so run no WebAssembly.
        package var jitlessCordons: Set<String> = []
        /// Listening sockets that each host gets, as descriptors from `firstListener` on.
        package var listeners: [Int32] = []
        /// Where hosts' memory and threads are bounded; nil if they are not to be.
        package var groups: ControlGroups?
        package init() {}
    }

    /// The descriptors of a host: nothing on 0, its cries on 1 and 2, then these.
    package static let channelDescriptor: Int32 = 3
    package static let slotsDescriptor: Int32 = 4
    package static let firstListener: Int32 = 5

    /// What stands under a name in a folder.
    package enum Entry: Sendable, Equatable {
        case worker(WorkerDefinition)
        case broken(String)
    }

    /// How long a change waits for the hosts to have it, in seconds. A host that takes longer is busy with something
    /// else, and has it later.
    private static let patience = 10.0

    private struct State {
        var entries: [String: Entry] = [:]
        var book = RouteBook()
        var groups: [Cordon: HostGroup] = [:]
        /// Groups of cordons that are not used any more, until their hosts have ended.
        var oldGroups: [HostGroup] = []
        /// Whether the door is open: there is more than one cordon in use.
        var hasDoor = false
        var record = CrashLog()
        /// Workers that somebody follows.
        var followed: [String] = []
        /// Certificates that the hosts of each cordon have.
        var certificates: [Cordon: [ServedCertificate]] = [:]
        var hasSaidRefusals = false
        var isEnding = false
    }

    private let options: Options
    private let services: HostServices
    private let door: (any FrontDoor)?
    private let launcher = Launcher()
    private let state = Mutex(State())
    private let handBacks = HandBacks()
    /// Held while changes are read and told: each once, in order. True when they could not be read.
    private let following = Mutex(false)

    /// - Parameter door: accepts connections while there is more than one cordon.
    package init(options: Options, services: HostServices, door: (any FrontDoor)? = nil) {
        let me = WeakSupervisor()
        var services = services
        services.callees = Switchboard { key, found in
            me.value?.findCallee(key, found)
        }
        self.services = services
        self.door = door
        var options = options
        options.host.hasStore = services.store != nil
        self.options = options
        me.value = self
    }

    /// Known to what is made before it.
    private final class WeakSupervisor: @unchecked Sendable {
        // Written once, before there is a host that could call.
        weak var value: Supervisor?
    }

    // MARK: Starting

    /// Starts the first host and waits until it serves.
    /// - Throws: what is wrong, if it cannot start.
    package func start() throws {
        if let store = services.store {
            let snapshot = try store.snapshot()
            state.withLock { $0.book.replace(with: snapshot) }
            door?.take(snapshot, isWhole: true)
            store.observe { [weak self] in self?.follow() }
        }
        services.certificates?.observe { [weak self] in self?.tellCertificates() }
        let group = group(of: .standard)
        try group.start()
        adjustGroups()
        Thread.detachNewThread { [self] in watch() }
    }

    private func group(of cordon: Cordon) -> HostGroup {
        state.withLock { state in
            if let group = state.groups[cordon] { return group }
            var options = HostGroup.Options(settings: options.host)
            options.cordon = cordon
            options.listeners = self.options.listeners
            options.taintBudget = self.options.taintBudget
            options.groups = self.options.groups
            options.settings.isJitless = self.options.jitlessCordons.contains(cordon.setting)
            let group = HostGroup(options: options, services: services, launcher: launcher, delegate: self)
            state.groups[cordon] = group
            return group
        }
    }

    /// As many groups as there are cordons in use. While there is one, its host accepts itself; else the door does.
    private func adjustGroups() {
        let wanted = state.withLock { $0.book.cordons }
        for cordon in wanted where state.withLock({ $0.groups[cordon] == nil && !$0.isEnding }) {
            group(of: cordon).launch(after: 0)
        }
        let (unused, turn) = state.withLock { state -> ([HostGroup], Bool?) in
            var unused: [HostGroup] = []
            for cordon in state.groups.keys where !wanted.contains(cordon) {
                if let group = state.groups.removeValue(forKey: cordon) { unused.append(group) }
            }
            state.oldGroups.removeAll(where: \.isEmpty)
            state.oldGroups += unused
            let needsDoor = wanted.count > 1
            guard needsDoor != state.hasDoor else { return (unused, nil) }
            state.hasDoor = needsDoor
            for group in state.groups.values { group.send(.accept(!needsDoor)) }
            return (unused, needsDoor)
        }
        if let turn { door?.setOpen(turn) }
        for group in unused { group.drain() }
        tellCertificates()
    }

    /// Gives a connection to whoever serves that script, or that account's zones; to the common host if there is no
    /// such script: it says so.
    package func pass(_ descriptor: Int32, of listener: Int, for script: ScriptKey?, account: String?) {
        let group = group(for: script, account: account)
        if let group { group.pass(PassedConnection(descriptor, listener: listener)) } else { close(descriptor) }
    }

    private func group(for script: ScriptKey?, account: String?) -> HostGroup? {
        state.withLock { state in
            let cordon = script.flatMap { state.book.cordon(of: $0) } ?? account.map { state.book.cordon(of: $0) }
            return state.groups[cordon ?? .standard] ?? state.groups[.standard]
        }
    }

    /// A connection whose next request is for another host than the one that has it. It goes where that request
    /// belongs, and stays there for it, if that is where it comes from.
    func handedBack(_ connection: PassedConnection, by host: Int, of sender: HostGroup) -> Bool {
        guard let destination = door?.destination(of: connection),
            handBacks.take(destination.cookie, from: host),
            let group = group(for: destination.script, account: destination.account)
        else { return false }
        var connection = connection
        connection.staysForOne = group === sender
        connection.book = (handBacks, destination.cookie)
        group.pass(connection)
        return true
    }

    /// Finds who answers a script's calls, as soon as there is a host for it.
    private func findCallee(_ key: ScriptKey, _ found: @escaping Switchboard.Found) {
        guard let cordon = state.withLock({ $0.book.cordon(of: key) }) else {
            return found(.failure(.noSuchWorker(key.name)))
        }
        if state.withLock({ $0.groups[cordon] == nil }) { adjustGroups() }
        guard let group = state.withLock({ $0.groups[cordon] }) else {
            return found(.failure(.noSuchWorker(key.name)))
        }
        group.whenServing { host in found(host.map { .success($0.callee) } ?? .failure(.workerFailed(.laneLost))) }
    }

    /// Tells hosts of the certificates that are good for their cordon's host names.
    private func tellCertificates() {
        guard let keeper = services.certificates else { return }
        state.withLock { state in
            let served = keeper.served
            let names = hostNames(state.book)
            for (cordon, group) in state.groups {
                let own = Self.certificates(served, for: names.map { $0[cordon] })
                guard state.certificates.updateValue(own, forKey: cordon) != own else { continue }
                group.send(.certificates(own))
            }
        }
    }

    /// Nil while there is one cordon: then there is nobody who must not have a certificate.
    private func hostNames(_ book: RouteBook) -> [Cordon: HostNames]? {
        guard case .platform(let baseDomain) = options.host.role, book.cordons.count > 1 else { return nil }
        return book.hostNames(under: baseDomain)
    }

    /// - Parameter names: those of the cordon; nil if it may have all.
    private static func certificates(_ served: [ServedCertificate], for names: HostNames??) -> [ServedCertificate] {
        guard let names else { return served }
        return served.filter { certificate in
            certificate.names.contains { names?.areCovered(by: $0) ?? false }
        }
    }

    // MARK: A folder's Workers

    package var entries: [String: Entry] { state.withLock { $0.entries } }

    /// Puts a Worker in place, or removes it (nil).
    package func replace(_ name: String, with entry: Entry?) {
        let frame = entry.map { Self.frame(name, $0) } ?? ToHost.remove(name: name)
        state.withLock { state in
            state.entries[name] = entry
            // Under the lock, so that hosts get changes in the order in which they were made.
            for group in state.groups.values { group.send(frame) }
        }
    }

    private static func frame(_ name: String, _ entry: Entry) -> ToHost {
        switch entry {
        case .worker(let definition): .put(definition)
        case .broken(let why): .broken(name: name, why: why)
        }
    }

    // MARK: A platform's Workers

    /// Tells the hosts what has changed, and waits until they have it: an acknowledged version is live.
    private func follow() {
        let (revision, failure) = following.withLock { isBehind -> (Int64?, (any Error)?) in
            do {
                let revision = try tellChanges()
                isBehind = false
                return (revision, nil)
            } catch {
                // Nobody tells of a change twice: `watch` looks again.
                defer { isBehind = true }
                return (nil, isBehind ? nil : error)
            }
        }
        if let failure { say("error", "routes cannot be followed: \(failure)") }
        guard let revision else { return }
        adjustGroups()
        for group in state.withLock({ Array($0.groups.values) })
        where !group.await(revision: revision, seconds: Self.patience) {
            say("warn", "A host has not taken a change over within \(Int(Self.patience)) s.")
        }
    }

    private func tellChanges() throws -> Int64 {
        guard let store = services.store else { return -1 }
        let known = state.withLock { $0.book.revision }
        guard let changes = try store.changes(after: known) else {
            let snapshot = try store.snapshot()
            door?.take(snapshot, isWhole: true)
            state.withLock { state in
                state.book.replace(with: snapshot)
                for (cordon, group) in state.groups {
                    group.send(.routes(state.book.snapshot(of: cordon), isWhole: true))
                }
            }
            return snapshot.revision
        }
        guard changes.revision > known else { return known }
        door?.take(changes, isWhole: false)
        state.withLock { state in
            let told = state.book.apply(changes)
            for (cordon, group) in state.groups {
                let items = told[cordon] ?? []
                group.send(.routes(RoutingSnapshot(revision: changes.revision, items: items), isWhole: false))
            }
        }
        return changes.revision
    }

    /// How long it is waited for that hosts follow, in seconds: who takes longer is busy, and follows later.
    private static let followingSeconds = 2.0

    /// Those Workers' events are told from now on.
    /// - Parameter done: called once, when the hosts that are there do so, or after a while.
    package func follow(_ names: [String], done: @escaping @Sendable () -> Void = {}) {
        let answers = Gathering(within: Self.followingSeconds, done: done)
        state.withLock { state in
            state.followed = names
            for group in state.groups.values {
                answers.expect(group.ask({ .follow(id: $0, names) }, answered: answers.step))
            }
        }
        answers.close()
    }

    /// Runs a script's handler, where the script runs.
    /// - Parameter completion: called once, on a thread that must not wait.
    package func run(
        _ event: ScheduledEvent, of key: ScriptKey, completion: @escaping @Sendable (EventResult) -> Void
    ) {
        let group = state.withLock { state in state.book.cordon(of: key).flatMap { state.groups[$0] } }
        guard let group else { return completion(EventResult(outcome: .scriptNotFound, mayRetry: false)) }
        guard let host = group.serving(within: Self.patience) else {
            return completion(EventResult(outcome: .laneLost, mayRetry: true))
        }
        host.ask(
            { .run(id: $0, key, event) },
            answered: { answer in
                if case .ran(let result) = answer { return completion(result) }
                completion(EventResult(outcome: .laneLost, mayRetry: true))
            })
    }

    // MARK: Status and taint

    /// What hosts have counted since the start, those that have ended too, as of the last time that they were asked.
    package var counted: RuntimeStatus { services.counts.total }

    /// What each host tells of itself.
    package var statuses: [(process: Int32, cordon: Cordon, status: RuntimeStatus)] {
        let groups = state.withLock { $0.groups }
        return groups.sorted { $0.key.name < $1.key.name }.flatMap { cordon, group in
            group.statuses.map { ($0.process, cordon, $0.status) }
        }
    }

    /// How often hosts are asked what they have lost, and what could not be read is read again, in seconds.
    private static let tick = 1.0
    /// Hosts are asked what they have counted each so many times.
    private static let ticksToCount = 15

    private func watch() {
        var ticks = 0
        while !state.withLock({ $0.isEnding }) {
            Thread.sleep(forTimeInterval: Self.tick)
            ticks += 1
            for group in state.withLock({ Array($0.groups.values) }) {
                group.endLateWaits()
                group.lookForTaint(isCounting: ticks.isMultiple(of: Self.ticksToCount))
            }
            if following.withLock({ $0 }) { follow() }
            let due = state.withLock { $0.record.takeDue(now: .now) }
            for name in due { restrain(name, .apart) }
        }
    }

    // MARK: The end

    /// How long hosts get to take what waits in the listening sockets' queues, in seconds.
    private static let closing = 1.0

    /// Has all hosts finish what is under way. Returns when the last has ended, or after so many milliseconds; those
    /// that are left are ended.
    /// - Parameter closed: called when none takes connections any more.
    package func drain(within milliseconds: Int, closed: () -> Void) {
        door?.setOpen(false)
        let groups = state.withLock { state in
            state.isEnding = true
            return Array(state.groups.values) + state.oldGroups
        }
        for group in groups { group.drain() }
        for group in groups { group.awaitClosed(by: Date(timeIntervalSinceNow: Self.closing)) }
        closed()
        let end = Date(timeIntervalSinceNow: Double(milliseconds) / 1_000)
        for group in groups { group.awaitEnd(by: end) }
        for group in groups { group.kill() }
    }

    /// Ends all hosts at once.
    package func kill() {
        let groups = state.withLock { state in
            state.isEnding = true
            return Array(state.groups.values)
        }
        for group in groups { group.kill() }
    }
}

extension Supervisor: HostGroupDelegate {
    func introduce(_ group: HostGroup, _ ready: ([ToHost]) -> Void) {
        state.withLock { state in
            var frames = state.entries.map { Self.frame($0, $1) }
            if services.store != nil, let cordon = group.options.cordon {
                frames.append(.routes(state.book.snapshot(of: cordon), isWhole: true))
            }
            if !state.followed.isEmpty { frames.append(.follow(id: 0, state.followed)) }
            if let keeper = services.certificates, let cordon = group.options.cordon {
                let own = Self.certificates(keeper.served, for: hostNames(state.book).map { $0[cordon] })
                state.certificates[cordon] = own
                frames.append(.certificates(own))
            }
            if state.hasDoor { frames.append(.accept(false)) }
            ready(frames)
        }
    }

    func isLocked(refusals: [String]) {
        let isFirst = state.withLock { state in
            defer { state.hasSaidRefusals = true }
            return !state.hasSaidRefusals
        }
        guard isFirst else { return }
        for refusal in refusals + (options.groups?.refusals ?? []) { say("warn", "sandbox: not held: \(refusal)") }
    }

    func crashed(_ suspects: [String]) {
        for name in suspects.sorted() {
            let sentence = state.withLock { $0.record.add(name, now: .now) }
            let text = "The process that ran this Worker has crashed. \(sentence.explanation)"
            services.events.log(LogEvent(worker: name, request: 0, level: "error", text: text))
            tellOwner(of: name, text)
            switch sentence {
            case .nothing: break
            case .apart: restrain(name, .apart)
            case .paused: restrain(name, .paused)
            }
        }
    }

    /// Who follows the Worker sees it.
    private func tellOwner(of name: String, _ text: String) {
        var trace = Trace(
            worker: name, version: "", entrypoint: nil, event: .fetch,
            head: RequestHead(method: "GET", url: "about:crash"), properties: nil)
        trace.outcome = .internalError
        trace.fail("Error: \(text)")
        services.traces?.take(trace)
    }

    /// Moves a Worker to a host of its own, or has it rest. In a folder there is one host for all: there it stays.
    private func restrain(_ name: String, _ restraint: RouteBook.Restraint) {
        let parts = name.split(separator: "/", maxSplits: 1)
        guard services.store != nil, parts.count == 2 else { return }
        let key = ScriptKey(account: String(parts[0]), name: String(parts[1]))
        following.withLock { _ in
            state.withLock { state in
                let told = state.book.restrain(key, restraint)
                for (cordon, group) in state.groups {
                    guard let items = told[cordon], !items.isEmpty else { continue }
                    group.send(.routes(RoutingSnapshot(revision: state.book.revision, items: items), isWhole: false))
                }
            }
        }
        adjustGroups()
    }

    func say(_ level: String, _ text: String) {
        services.events.log(LogEvent(worker: "", request: 0, level: level, text: text))
    }

    func log(_ event: LogEvent) { services.events.log(event) }
    func requestEnded(_ event: RequestEvent) { services.events.requestEnded(event) }
}
