internal import Foundation
internal import Model
internal import Sandbox
internal import Synchronization

/// A host as its supervisor sees it: a process, and a channel that says what a host may say in its order. Whatever is
/// against that order ends the host.
final class Host: Sendable {
    /// How it ended.
    struct End: Sendable {
        /// Such as "signal 11 (Segmentation fault)".
        let description: String
        /// What it said before, or how it broke the rules.
        let failure: String?
        /// The Workers that had the processor when it crashed.
        let suspects: [String]
    }

    private struct State {
        var rules = HostRules()
        /// Who waits for an answer, by the question; called with nil if there will be none.
        var questions: [Int: @Sendable (Answer?) -> Void] = [:]
        /// The revision that it routes by.
        var revision: Int64 = -1
        /// Connections that it was given and has not taken: copies, for the next host if this one ends before.
        var connections: [PassedConnection] = []
        /// It takes no more connections.
        var isClosed = false
        var isOver = false
        /// Nobody gives it anything any more.
        var isGone = false
    }

    /// What a host says to a question.
    enum Answer: Sendable {
        case status(RuntimeStatus)
        case pulse(taint: Int)
        case ran(EventResult)
        case checked(StartupReport, isTainted: Bool)
        case following
    }

    private let child: Child
    /// Nil where there are none.
    private let group: ControlGroup?
    private let channel: FrameChannel
    private let cries: FileHandle
    private let slots: CrashSlots
    private let exchanges: ExchangeDesk
    /// What other hosts ask of this one.
    let callee: ServiceDesk
    private let calls: StoreDesk?
    private let signatures: SignatureDesk
    private let counts: CountBook
    private let delegate: HostDelegate
    private let state: Mutex<State>

    var id: Int32 { child.id }
    /// Of all hosts there have ever been.
    private let number = Host.counter.add(1, ordering: .relaxed).newValue
    private static let counter = Atomic<Int>(0)

    /// Starts the process, and tells it the settings.
    init(
        settings: HostSettings, listeners: [Int32], groups: ControlGroups?, services: HostServices,
        delegate: HostDelegate
    ) throws(SandboxError) {
        guard let ends = FrameChannel.pair() else {
            throw SandboxError("socketpair: \(String(cString: strerror(errno)))")
        }
        slots = try CrashSlots()
        let cries = Pipe()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(ends.theirs)
            close(nothing)
            try? cries.fileHandleForWriting.close()
        }
        let cry = cries.fileHandleForWriting.fileDescriptor
        // A host without a group is better than none.
        var groupRefusal: String?
        do throws(SandboxError) {
            group = try groups?.make()
        } catch {
            group = nil
            groupRefusal = error.description
        }
        do throws(SandboxError) {
            child = try Child.start(
                ["host"], environment: Self.environment,
                descriptors: [nothing, cry, cry, ends.theirs, slots.descriptor] + listeners,
                isApart: settings.sandbox != .off, group: group)
        } catch {
            close(ends.ours)
            group?.remove()
            throw error
        }
        if let refusal = groupRefusal ?? child.groupRefusal {
            delegate.say("warn", "sandbox: not held: a host's control group: \(refusal)")
        }
        let channel = FrameChannel(ends.ours, longestFrame: FromHost.longestFrame)
        self.channel = channel
        self.cries = cries.fileHandleForReading
        self.delegate = delegate
        counts = services.counts
        state = Mutex(State())
        exchanges = ExchangeDesk(
            services.egress, rates: services.rates, cache: services.cache, callees: services.callees
        ) { id, events in channel.send(ToHost.exchange(id: id, events).bytes) }
        callee = ServiceDesk { id, order in channel.send(ToHost.service(id: id, order).bytes) }
        signatures = SignatureDesk(services.certificates, threads: services.threads)
        let grants = Grants()
        calls = services.store.map { store in
            StoreDesk(
                store, threads: services.threads, granted: { grants.take($0, $1) },
                reply: { id, answer in channel.send(ToHost.answer(id: id, answer).bytes) })
        }
        grants.host = self
        channel.send(ToHost.hello(settings).bytes)
        channel.startWriting()
    }

    /// What a desk tells its host of, which is made after it.
    private final class Grants: @unchecked Sendable {
        // Written once, before there is a thread that reads it.
        weak var host: Host?

        func take(_ worker: StoredWorker, _ key: ScriptKey) {
            host?.state.withLock { $0.rules.has(worker, of: key) }
        }
    }

    /// Nothing of the supervisor's own, which may hold secrets: what the loader needs, and the clock of all Workers.
    private static var environment: [String] {
        let names = ["LD_LIBRARY_PATH"]
        let values = ProcessInfo.processInfo.environment
        return ["TZ=UTC", "LC_ALL=C.UTF-8"] + names.compactMap { name in values[name].map { "\(name)=\($0)" } }
    }

    func send(_ frame: ToHost) {
        state.withLock { state in
            switch frame {
            case .put(let definition): state.rules.hasWorker(definition.name)
            case .broken(let name, _): state.rules.hasWorker(name)
            case .routes(let routes, _): state.rules.has(routes)
            case .check(_, let worker, let key): state.rules.has(worker, of: key)
            case .certificates(let served):
                state.rules.has(served)
                signatures.set(served)
            default: break
            }
        }
        channel.send(frame.bytes)
    }

    /// Gives it a connection.
    func pass(_ connection: PassedConnection) {
        var copy = connection
        copy.descriptor = fcntl(connection.descriptor, F_DUPFD_CLOEXEC, 0)
        if let (book, cookie) = connection.book { book.give(cookie, to: number) }
        let isGone = state.withLock { state in
            if !state.isGone, copy.descriptor >= 0 { state.connections.append(copy) }
            return state.isGone
        }
        if isGone, copy.descriptor >= 0 { delegate.returned([copy]) }
        let frame = ToHost.connection(
            listener: connection.listener, received: connection.received, staysForOne: connection.staysForOne)
        channel.send(frame.bytes, with: connection.descriptor)
    }

    /// Ends the process, if it has not ended: its number may be another's by then.
    func kill() {
        state.withLock { state in
            if !state.isOver { Foundation.kill(child.id, SIGKILL) }
        }
    }

    // MARK: Listening to it

    /// Listens on threads of its own until the process has ended.
    func run() {
        Thread.detachNewThread { [self] in readCries() }
        Thread.detachNewThread { [self] in
            var failure: String?
            do throws(WireError) {
                while let bytes = try channel.receive() {
                    let frame = try FromHost(bytes[...])
                    try take(frame, size: bytes.count)
                    if case .failed(let text) = frame { failure = text }
                }
            } catch {
                failure = "it broke the protocol: \(error)"
            }
            finish(failure)
        }
    }

    private func finish(_ failure: String?) {
        channel.close()
        exchanges.close()
        counts.hasEnded(number)
        // It has nothing more to say: a host that only closed its end goes too.
        if !hasEnded(withinMilliseconds: 1_000) { kill() }
        let questions = state.withLock { state in
            state.isOver = true
            defer { state.questions = [:] }
            return state.questions.values
        }
        let status = child.wait()
        close(child.handle)
        let isOutOfMemory = (group?.memoryKills ?? 0) > 0
        for question in questions { question(nil) }
        delegate.hasEnded(
            End(
                description: Child.description(ofStatus: status),
                failure: isOutOfMemory ? "the kernel ended it for want of memory" : failure,
                suspects: suspects(ofStatus: status, isOutOfMemory: isOutOfMemory)))
        // Its group gives it no more by now: who calls again finds the next one.
        callee.close()
        let connections = state.withLock { state in
            state.isGone = true
            defer { state.connections = [] }
            return state.connections
        }
        delegate.returned(connections)
        // Last: the kernel takes its time, and nobody waits for this.
        group?.remove()
    }

    private func suspects(ofStatus status: Int32, isOutOfMemory: Bool) -> [String] {
        // A system call that nothing in a host makes, or more memory than a host has.
        let isKernels = isOutOfMemory || Child.signal(ofStatus: status) == SIGSYS
        let tags = Set(slots.suspects(isKernels: isKernels))
        return state.withLock { $0.rules.names }.filter { tags.contains(CrashRecord.tag(of: $0)) }
    }

    private func hasEnded(withinMilliseconds milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: child.handle, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    private func take(_ frame: FromHost, size: Int) throws(WireError) {
        try state.withLock { (state) throws(WireError) in try state.rules.check(frame) }
        switch frame {
        case .locked(_, let refusals): delegate.isLocked(refusals: refusals)
        case .serving: delegate.isServing()
        case .log(let event): delegate.log(event)
        case .requestEnded(let event): delegate.requestEnded(event)
        case .trace(let trace): delegate.trace(trace)
        case .status(let id, let status):
            counts.note(status, of: number)
            answer(id, .status(status))
        case .pulse(let id, let taint): answer(id, .pulse(taint: taint))
        case .counted(let status): counts.note(status, of: number)
        case .ran(let id, let result): answer(id, .ran(result))
        case .checked(let id, let report, let isTainted): answer(id, .checked(report, isTainted: isTainted))
        case .following(let id): answer(id, .following)
        case .applied(let revision):
            state.withLock { $0.revision = max($0.revision, revision) }
            delegate.hasChanged()
        case .exchange(let id, let order): try exchanges.take(order, id)
        case .service(let id, let events): try callee.take(events, id)
        case .call(let id, let call):
            guard let calls else { throw WireError("there is no store") }
            try calls.take(call, id, size: size, mayWaitHere: !channel.hasMore)
        case .sign(let id, let certificate, let algorithm, let bytes):
            signatures.sign(bytes, certificate: certificate, algorithm: algorithm) { [channel] signature in
                channel.send(ToHost.signed(id: id, signature).bytes)
            }
        case .taken:
            let taken = state.withLock { $0.connections.isEmpty ? nil : $0.connections.removeFirst() }
            guard let taken else { throw WireError("a connection that it was not given") }
            close(taken.descriptor)
        case .handBack(let listener, let bytes):
            guard let descriptor = channel.takeDescriptor() else { throw WireError("a connection that is not there") }
            var connection = PassedConnection(descriptor, listener: listener)
            connection.received = bytes
            guard delegate.handedBack(connection, by: number) else {
                close(descriptor)
                throw WireError("a connection that it does not have")
            }
        case .closed:
            state.withLock { $0.isClosed = true }
            delegate.hasChanged()
        case .failed, .drained: break
        }
    }

    /// What the process writes to stdout and stderr: V8's last words.
    private func readCries() {
        let longest = 2_048
        var piece = [UInt8](repeating: 0, count: longest)
        var rest: [UInt8] = []
        while true {
            let count = read(cries.fileDescriptor, &piece, longest)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            rest += piece[..<count]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                cry(rest[..<end])
                rest.removeSubrange(...end)
            }
            if rest.count > longest {
                cry(rest[...])
                rest = []
            }
        }
        cry(rest[...])
    }

    private func cry(_ line: ArraySlice<UInt8>) {
        guard !line.allSatisfy({ $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: " ") }) else { return }
        delegate.say("warn", "host: \(String(decoding: line, as: UTF8.self))")
    }

    // MARK: Questions

    /// Asks, and has the answer told once, on a thread that must not wait; nil if the host has ended.
    func ask(_ question: (_ id: Int) -> ToHost, answered: @escaping @Sendable (Answer?) -> Void) {
        let id = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            let id = state.rules.ask()
            state.questions[id] = answered
            return id
        }
        guard let id else { return answered(nil) }
        send(question(id))
    }

    private func answer(_ id: Int, _ answer: Answer) {
        state.withLock { $0.questions.removeValue(forKey: id) }?(answer)
    }

    /// What the host tells of itself; nil if it does not in time.
    func status(within seconds: Double) -> RuntimeStatus? {
        guard case .status(let status) = reply(to: { .status(id: $0) }, within: seconds) else { return nil }
        return status
    }

    /// How many isolates and lanes it has lost; nil if it does not say so in time.
    func taint(within seconds: Double) -> Int? {
        guard case .pulse(let taint) = reply(to: { .pulse(id: $0) }, within: seconds) else { return nil }
        return taint
    }

    private func reply(to question: (_ id: Int) -> ToHost, within seconds: Double) -> Answer? {
        let reply = Reply()
        ask(question, answered: { reply.set($0) })
        return reply.wait(seconds: seconds)
    }

    /// An answer on its way from one thread to another.
    private final class Reply: Sendable {
        private let answer = Mutex<Answer?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        func set(_ answer: Answer?) {
            self.answer.withLock { $0 = answer }
            isThere.signal()
        }

        func wait(seconds: Double) -> Answer? {
            guard isThere.wait(timeout: .now() + seconds) == .success else { return nil }
            return answer.withLock { $0 }
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed || $0.isOver } }

    /// Whether requests are routed as of that revision.
    func has(revision: Int64) -> Bool { state.withLock { $0.revision >= revision || $0.isOver } }
}
