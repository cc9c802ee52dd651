internal import Glibc
internal import Model
package import Runtime

/// One lane's part of the ingress: its connections, and what they share. Bound to the lane's thread.
package final class Ingress {
    let loop: EventLoop
    let settings: IngressSettings
    let limits: IngressLimits
    let times: IngressTimes
    let parser: RequestParser
    private(set) lazy var secureParser = RequestParser(limits: limits, isSecure: true)
    /// For headers on their way to the parser.
    var headerText: [UInt8] = []
    private(set) lazy var secureLane = SecureLane(loop: LaneNIOLoop(loop))
    let pool = BlockPool()
    let receiveBlock = UnsafeMutablePointer<UInt8>.allocate(capacity: InputBuffer.blockSize)
    var date = DateField()
    var rays = RayNumbers()

    private var acceptors: [Acceptor] = []
    private var members: ContiguousArray<any IngressMember> = []
    /// When deadlines are looked at next, in the loop's nanoseconds.
    private(set) var nextSweep = UInt64.max
    private var earliestSweep: UInt64 = 0
    private var sweepTimer: TimerToken?
    private(set) var isDraining = false
    private var whenDrained: (() -> Void)?
    private var drainTimer: TimerToken?

    /// On the loop's thread.
    package init(loop: EventLoop, settings: IngressSettings) {
        self.loop = loop
        self.settings = settings
        limits = settings.limits
        times = IngressTimes(settings.limits)
        parser = RequestParser(limits: settings.limits)
    }

    deinit {
        receiveBlock.deallocate()
        date.deallocate()
    }

    /// Connections that are open.
    package var connectionCount: Int { members.count }

    /// Has the lane take connections from a listener; `handler` answers their requests.
    package func open(_ listener: Listener, handler: any RequestHandler) throws(SystemCallError) {
        acceptors.append(try Acceptor(listener, ingress: self, handler: handler))
    }

    /// Whether the lane accepts connections itself, or gets them from others.
    package func setAccepting(_ isAccepting: Bool) {
        guard !isDraining else { return }
        for acceptor in acceptors { acceptor.setAccepting(isAccepting) }
    }

    // MARK: Draining

    /// Takes no more connections, lets requests under way finish, and calls `completion` when the last connection is
    /// closed. What is not done after `milliseconds` (the setting's, if nil) is cut off.
    package func drain(within milliseconds: Int? = nil, then completion: @escaping () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        whenDrained = completion
        for acceptor in acceptors { acceptor.close() }
        acceptors = []
        // A copy: those that have nothing to do leave at once.
        for member in Array(members) { member.drain() }
        drainTimer = loop.schedule(after: UInt64(milliseconds ?? limits.drainMilliseconds) * 1_000_000) { [weak self] in
            self?.cutAll()
        }
        finishDraining()
    }

    private func cutAll() {
        for member in Array(members) { member.lost() }
    }

    private func finishDraining() {
        guard isDraining, members.isEmpty, let completion = whenDrained else { return }
        whenDrained = nil
        if let drainTimer { loop.cancel(drainTimer) }
        // From the loop: the last connection may have closed deep inside something.
        loop.enqueue(completion)
    }

    // MARK: Connections

    /// Takes a socket in, of which the loop's `acceptedSockets` know already.
    func add(_ socket: AcceptedSocket) throws(SystemCallError) {
        let member = try receive(socket)
        member.index = members.count
        members.append(member)
        socket.door.entered(from: socket.address.network)
        if let connection = member as? Connection { connection.takeReceived() }
    }

    func remove(_ member: any IngressMember) {
        let last = members.removeLast()
        if last !== member {
            last.index = member.index
            members[member.index] = last
        }
        member.socket.door.left(from: member.socket.address.network)
        finishDraining()
    }

    /// Gives up a socket that the loop does not watch.
    func abandon(_ member: any IngressMember) {
        remove(member)
        loop.remote.acceptedSockets.close(member.socket.descriptor)
    }

    /// Puts what has become of a socket in the place of what it was.
    func replace(_ old: any IngressMember, with new: any IngressMember) {
        new.index = old.index
        members[old.index] = new
    }

    // MARK: Deadlines

    /// Has deadlines looked at at that time, or as soon after it as they may be.
    func sweep(by deadline: UInt64) {
        let time = max(deadline, earliestSweep)
        guard time < nextSweep else { return }
        if let sweepTimer { loop.cancel(sweepTimer) }
        nextSweep = time
        sweepTimer = loop.schedule(at: time) { [weak self] in self?.sweep() }
    }

    private func sweep() {
        let now = loop.now
        nextSweep = .max
        sweepTimer = nil
        earliestSweep = now + times.sweep
        var late: [any IngressMember] = []
        var earliest = UInt64.max
        for member in members {
            let deadline = member.deadline
            if deadline <= now {
                late.append(member)
            } else {
                earliest = min(earliest, deadline)
            }
        }
        if earliest != .max { sweep(by: earliest) }
        for member in late { member.timedOut() }
    }

    // MARK: Our own answers

    /// A page as the whole answer of a connection that is not served.
    func bytes(of page: ErrorPage) -> [UInt8] {
        date.refresh(at: loop.now)
        return page.withAnswer(asJSON: false) { answer, text in
            [UInt8](unsafeUninitializedCapacity: AnswerHead.bound(answer) + text.count) { buffer, count in
                let start = buffer.baseAddress!
                let head = AnswerHead(framing: .length(text.count), persistence: .close, date: date.line)
                var out = head.write(answer, to: start, outcome: page.outcome)
                out = Bytes.copy(text.baseAddress!.assumingMemoryBound(to: UInt8.self), text.count, to: out)
                count = out - start
            }
        }
    }
}
