internal import Model

/// Shares a lane's time among accounts. Bound to the lane.
///
/// In a turn of the loop an account's calls run as they come until they have used their part of it; what comes then
/// waits in the account's line. Between two turns one line gets its part, each in its turn: so whoever comes with one
/// short request waits for one part of one other account at most, however many requests the others have brought.
final class FairQueue {
    /// Nanoseconds of CPU that an account has of a turn before others are asked. A call that has begun ends, whatever
    /// it takes; those of long calls are moved to back lanes.
    static let part: UInt64 = 2_000_000
    /// Nanoseconds that a request may wait; then it is refused. Its client has long given up, or soon will.
    private static let longestWait: UInt64 = 10_000_000_000

    /// What the calls of one account have used, and which of them wait.
    final class Line {
        let share: AccountShare
        /// Timers, and calls of other Workers: what belongs to requests that have begun goes before new ones.
        private var begun = Queue()
        private var new = Queue()
        fileprivate var newCount = 0
        /// Nanoseconds of CPU in the turn that began at `turn`.
        private var used: UInt64 = 0
        private var turn: UInt64 = 0

        init(_ share: AccountShare) { self.share = share }

        fileprivate var isEmpty: Bool { begun.isEmpty && new.isEmpty }

        /// Whether a call may run at once.
        func mayRun(in turn: UInt64) -> Bool {
            if self.turn != turn {
                self.turn = turn
                used = 0
            }
            return isEmpty && used < FairQueue.part
        }

        func charge(_ nanoseconds: UInt64) { used += nanoseconds }

        fileprivate func beginPart() { used = 0 }
        fileprivate var hasUsedItsPart: Bool { used >= FairQueue.part }

        fileprivate func append(_ call: Waiting) {
            if case .request(let request) = call, request.isNew {
                newCount += 1
                new.append(call)
            } else {
                begun.append(call)
            }
        }

        fileprivate func takeFirst() -> Waiting {
            guard begun.isEmpty else { return begun.takeFirst() }
            newCount -= 1
            return new.takeFirst()
        }
    }

    /// First in, first out.
    private struct Queue {
        /// From `first` on; those before have had their turn.
        private var calls: [Waiting?] = []
        private var first = 0

        var isEmpty: Bool { first == calls.count }

        mutating func append(_ call: Waiting) { calls.append(call) }

        mutating func takeFirst() -> Waiting {
            guard let call = calls[first] else { preconditionFailure("a call in a line has had its turn already") }
            calls[first] = nil
            first += 1
            if first == calls.count {
                calls.removeAll(keepingCapacity: first <= 64)
                first = 0
            } else if first > 1_024, first > calls.count / 2 {
                calls.removeFirst(first)
                first = 0
            }
            return call
        }
    }

    /// A call in a line.
    fileprivate enum Waiting {
        case request(WaitingRequest)
        case call(() -> Void)
    }

    private let loop: EventLoop
    /// Those that have something waiting; the first is served next.
    private var lines: [Line] = []
    private var isDue = false

    init(loop: EventLoop) { self.loop = loop }

    /// Whether no request waits.
    var isEmpty: Bool { lines.isEmpty }

    /// Runs a call now, or when its turn comes.
    func run(in line: Line, _ call: @escaping () -> Void) {
        if line.mayRun(in: loop.now) { return call() }
        add(.call(call), to: line)
    }

    /// Has a request wait for its turn; false if too many do.
    /// - Parameters:
    ///   - run: called if the client is still there then.
    ///   - refuse: called instead if that took too long.
    func add(
        _ exchange: any Exchange, to line: Line, run: @escaping (any Exchange) -> Void,
        refuse: @escaping (any Exchange, Outcome) -> Void
    ) -> Bool {
        let isNew = exchange.service == nil
        guard !isNew || line.newCount < line.share.queued else { return false }
        let until = loop.now &+ Self.longestWait
        add(.request(WaitingRequest(exchange, isNew: isNew, until: until, run: run, refuse: refuse)), to: line)
        return true
    }

    private func add(_ call: Waiting, to line: Line) {
        if line.isEmpty {
            if !lines.contains(where: { $0 === line }) { lines.append(line) }
            serveSoon()
        }
        line.append(call)
    }

    /// A task of the loop's: sockets and timers get their turn in between.
    private func serveSoon() {
        guard !isDue else { return }
        isDue = true
        loop.enqueue { [weak self] in
            self?.isDue = false
            self?.serveNext()
        }
    }

    private func serveNext() {
        guard !lines.isEmpty else { return }
        let line = lines.removeFirst()
        line.beginPart()
        while !line.isEmpty, !line.hasUsedItsPart {
            switch line.takeFirst() {
            case .request(let request): request.run(at: loop.now)
            case .call(let call): call()
            }
        }
        // What ran may have brought the line back.
        if !line.isEmpty, !lines.contains(where: { $0 === line }) { lines.append(line) }
        if !lines.isEmpty { serveSoon() }
    }

    /// The lane ends: nobody's turn comes any more.
    func refuseAll(_ outcome: Outcome) {
        let ended = lines
        lines = []
        for line in ended {
            while !line.isEmpty {
                if case .request(let request) = line.takeFirst() { request.end(with: outcome) }
            }
        }
    }
}

/// A request in a line, whose client may leave.
private final class WaitingRequest: ExchangeObserver {
    /// It comes from outside, not from a Worker that answers another.
    let isNew: Bool
    private let exchange: any Exchange
    private let until: UInt64
    private let runs: (any Exchange) -> Void
    private let refuses: (any Exchange, Outcome) -> Void
    private var isGone = false

    init(
        _ exchange: any Exchange, isNew: Bool, until: UInt64, run: @escaping (any Exchange) -> Void,
        refuse: @escaping (any Exchange, Outcome) -> Void
    ) {
        self.isNew = isNew
        self.exchange = exchange
        self.until = until
        runs = run
        refuses = refuse
        exchange.observer = self
        exchange.waits(inLine: true)
    }

    func run(at now: UInt64) {
        guard !isGone else { return }
        if now > until { return end(with: .loadShed) }
        leave()
        runs(exchange)
    }

    func end(with outcome: Outcome) {
        guard !isGone else { return }
        leave()
        refuses(exchange, outcome)
    }

    private func leave() {
        exchange.observer = nil
        exchange.waits(inLine: false)
    }

    func exchangeBodyReady(_ exchange: any Exchange) {}
    func exchangeWritable(_ exchange: any Exchange) {}
    func exchangeDraining(_ exchange: any Exchange) {}

    func exchangeClosed(_ exchange: any Exchange) {
        isGone = true
        exchange.observer = nil
    }
}
