internal import Foundation
package import Model
internal import Synchronization

/// Keeps a location's copy as the truth is: connects, takes what comes, connects again.
package final class FeedFollower: Sendable {
    package struct Status: Sendable {
        package var isConnected = false
        /// The last word of the control node.
        package var lastContact: Timestamp?
        /// The truth's revision as of then.
        package var truthRevision: Int64?
        package var position: FeedPosition?
        /// Why there is no connection.
        package var failure: FeedError?
        /// How many times records were taken in.
        fileprivate var takes = 0
    }

    /// How long the follower waits for a message at a time, in seconds.
    private static let glance = 3_600.0
    /// How long a copy may differ from what the heads say, in seconds, where it may still become right.
    private static let doubt = 6.0
    /// Between two attempts to connect, in seconds; together with as much by chance.
    private static let firstPause = 0.05
    private static let longestPause = 0.5
    /// Bytes of records that are kept until all that belong to them are here.
    private static let pendingBytes = 8 << 20
    /// How long heads are put off while more lies ready, in seconds: who is behind takes many changes as one.
    private static let gathering = 0.25
    /// Between two looks at what has been used, in seconds.
    private static let usagePause = 3.0
    /// Between two reports where nothing has changed, in seconds. Who has not been heard of for 10 seconds is away.
    private static let reportPause: Int64 = 3
    /// Between two attempts to fetch what is not needed at once, in seconds.
    private static let wantedPause = 1.0
    /// Blobs that are fetched behind what is served, at a time.
    private static let blobsAtOnce = 16

    private let copy: any FeedCopy
    private let connector: any FeedConnector
    private let verifier: FeedVerifier
    private let key: LocationKey
    private let location: String
    private let report: @Sendable (FeedPosition) -> LocationReport
    private let obey: Obey
    private let orders = Mutex(FeedOrders())
    private let silent = Mutex(0.0)
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    private let status: Mutex<Status>
    /// The last report of this connection.
    private let told = Mutex<(report: LocationReport, time: Timestamp)?>(nil)
    private let connection = Mutex<(any FeedConnection)?>(nil)
    /// The copy is not what it should be: the next one is made anew.
    private let mustRestart = Mutex(false)
    private let settled = NSCondition()

    /// Does what is wanted, and calls back when that is done, with the latest minute whose schedules ran here. The
    /// same may come more than once.
    package typealias Obey =
        @Sendable (_ orders: FeedOrders, _ done: @escaping @Sendable (_ ran: Int64) -> Void) -> Void

    /// - Parameters:
    ///   - report: what the location tells of itself when it is at a position.
    ///   - log: takes what the operator should know; its level is "error", "warn" or "info".
    package init(
        copy: any FeedCopy, connector: any FeedConnector, credentials: LocationCredentials,
        report: @escaping @Sendable (FeedPosition) -> LocationReport, obey: @escaping Obey,
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) throws {
        self.copy = copy
        self.connector = connector
        verifier = try FeedVerifier(installation: credentials.installation)
        location = credentials.location
        key = try LocationKey(hexadecimal: credentials.privateKey)
        self.report = report
        self.obey = obey
        self.log = log
        status = Mutex(Status(position: try copy.position()))
    }

    package var now: Status { status.withLock { $0 } }

    /// Follows on threads of its own.
    package func start() {
        Foundation.Thread.detachNewThread { [self] in run() }
        Foundation.Thread.detachNewThread { [self] in sendUsage() }
        Foundation.Thread.detachNewThread { [self] in fetchWanted() }
        Foundation.Thread.detachNewThread { [self] in watchContact() }
    }

    /// Waits until there is a copy that can be served, or it is certain that there will be none.
    /// - Throws: why the control node does not let this location in.
    package func waitForCopy() throws {
        settled.lock()
        defer { settled.unlock() }
        while true {
            let now = now
            if now.position != nil { return }
            if let failure = now.failure, failure.isFinal { throw failure }
            settled.wait()
        }
    }

    // MARK: Calls

    /// Asks the control node.
    package func call(_ name: String, _ body: [UInt8]) throws -> [UInt8] {
        guard let connection = connection.withLock({ $0 }) else {
            throw FeedError(.away, "the control node cannot be reached")
        }
        return try connection.call(name, body, within: feedCallSeconds)
    }

    package func blob(_ hash: String) throws -> [UInt8] {
        guard let connection = connection.withLock({ $0 }) else {
            throw FeedError(.away, "the control node cannot be reached")
        }
        return try BlobForm.restored(try connection.blob(hash), hash: hash)
    }

    // MARK: Following

    private func run() {
        var pause = Self.firstPause
        while true {
            do {
                let position = mustRestart.withLock { $0 } ? nil : try copy.position()
                let link = try connector.connect(
                    FeedSubscribe(instance: copy.instance, position: position), mark: try copy.mark())
                defer { link.close() }
                try follow(link) { pause = Self.firstPause }
            } catch {
                failed(error as? FeedError ?? FeedError(.failed, "\(error)"))
            }
            Foundation.Thread.sleep(forTimeInterval: pause + Double.random(in: 0..<pause))
            pause = min(Self.longestPause, pause * 2)
        }
    }

    private func failed(_ error: FeedError) {
        connection.withLock { $0 = nil }
        if error.kind == .diverged { mustRestart.withLock { $0 = true } }
        let isNews = change { status in
            defer {
                status.failure = error
                status.isConnected = false
            }
            return status.failure != error || status.isConnected
        }
        if isNews { log(error.kind == .away ? "warn" : "error", "feed: \(error)") }
    }

    private func change<Value>(_ body: (inout Status) -> Value) -> Value {
        settled.lock()
        defer { settled.unlock() }
        let value = status.withLock { body(&$0) }
        settled.broadcast()
        return value
    }

    /// What has come and is not in the copy yet.
    private struct Pending {
        /// A head that has come behind so many of the records.
        struct Due {
            let head: FeedHead
            let records: Int
            /// Of the link, when it had come.
            let mark: String?
            /// When the first head was put off.
            let since: ContinuousClock.Instant
        }

        var records: [FeedRecord] = []
        var blobs: [String: [UInt8]] = [:]
        var bytes = 0
        var due: Due?
        /// Since when the copy is not what the heads say.
        var doubtSince: Timestamp?

        mutating func add(_ new: [FeedRecord]) {
            records += new
            bytes += new.reduce(0) { $0 + $1.encoded.count }
        }

        /// The first so many records are in the copy, and all blobs.
        mutating func drop(_ count: Int) {
            let left = Array(records.dropFirst(count))
            self = Pending()
            add(left)
        }
    }

    /// Until the connection ends.
    /// - Parameter joined: the control node has let this location in.
    private func follow(_ link: any FeedConnection, joined: () -> Void) throws {
        var epoch: String?
        var isFresh = false
        var pending = Pending()
        while true {
            guard let frame = try link.next(within: pending.due == nil ? link.silence ?? Self.glance : 0) else {
                if let due = pending.due {
                    if try reach(due, &pending, link) { isFresh = false }
                    continue
                }
                guard let silence = link.silence else { continue }
                throw FeedError(.away, "the control node has been silent for \(Int(silence)) s")
            }
            if case .welcome(let welcome) = frame {
                try begin(welcome, link)
                epoch = welcome.epoch
                isFresh = welcome.isFresh
                pending = Pending()
                joined()
                continue
            }
            guard let epoch else { throw FeedError(.malformed, "the feed does not begin with its beginning") }
            switch frame {
            case .blob(let hash, let form):
                let bytes = try BlobForm.restored(form, hash: hash)
                pending.blobs[hash] = bytes
                pending.bytes += bytes.count
            case .records(let records, let signature):
                let leaves = records.map { HashTree.Node(leaf: $0.encoded) }
                guard !leaves.isEmpty else { throw FeedError(.malformed, "a message without records") }
                try verifier.check(HashTree(leaves).root, epoch: epoch, signature)
                pending.add(records)
            case .proven(let record, let path, let signature):
                let root = HashTree.root(of: HashTree.Node(leaf: record.encoded), path)
                guard try isGenuine(link, { try verifier.check(root, epoch: epoch, signature) }) else { continue }
                pending.add([record])
            case .head(let head, let signature):
                guard try isGenuine(link, { try verifier.check(head, signature) }) else { continue }
                guard head.position.epoch == epoch else {
                    throw FeedError(.diverged, "the feed goes on with another history")
                }
                if !isFresh, let known = now.position, known.epoch == epoch, head.position.revision < known.revision {
                    throw FeedError(.diverged, "the control node is behind this location: it has been set back")
                }
                if !isFresh, pending.records.isEmpty, now.position == head.position {
                    reached(head, link)
                    continue
                }
                let since = pending.due?.since ?? .now
                let due = Pending.Due(
                    head: head, records: pending.records.count, mark: link.mark, since: since)
                pending.due = due
                guard since.duration(to: .now) > .seconds(Self.gathering) else { continue }
                if try reach(due, &pending, link) { isFresh = false }
            case .keys(let sealed, let signature):
                guard try isGenuine(link, { try verifier.check(keys: sealed, for: location, signature) }) else {
                    continue
                }
                try copy.add(secretKeys: try key.open(sealed), sealed: sealed)
            case .orders(let bytes, let signature):
                guard try isGenuine(link, { try verifier.check(orders: bytes, signature) }) else { continue }
                take(try FeedOrders(encoded: bytes), link)
            case .welcome, .piece, .reply, .refusal, .subscribe, .call:
                throw FeedError(.malformed, "a message that is not for a location")
            }
            guard pending.bytes > Self.pendingBytes else { continue }
            if let due = pending.due {
                if try reach(due, &pending, link) { isFresh = false }
            } else {
                _ = try apply(&pending, pending.records.count, upTo: nil, mark: nil, link)
            }
        }
    }

    /// - Returns: whether the copy is what the head says.
    private func reach(_ due: Pending.Due, _ pending: inout Pending, _ link: any FeedConnection) throws -> Bool {
        pending.due = nil
        guard try apply(&pending, due.records, upTo: due.head.position, mark: due.mark, link) else { return false }
        reached(due.head, link)
        return true
    }

    /// Where many can write, a message that is not signed is left out; from the control node itself there is none.
    private func isGenuine(_ link: any FeedConnection, _ check: () throws -> Void) throws -> Bool {
        do {
            try check()
            return true
        } catch let error as FeedError where error.kind == .forged && link.isCompacted {
            log("error", "feed: \(error); it is left out")
            return false
        }
    }

    private func begin(_ welcome: FeedWelcome, _ link: any FeedConnection) throws {
        guard welcome.installation == verifier.installation else {
            throw FeedError(
                .foreign, "this is the feed of another installation than the one that the credentials are for")
        }
        try copy.begin(epoch: welcome.epoch, isFresh: welcome.isFresh)
        told.withLock { $0 = nil }
        connection.withLock { $0 = link }
        let wasAway = change { status in
            defer {
                status.isConnected = true
                status.failure = nil
                status.lastContact = .now
            }
            return !status.isConnected
        }
        if wasAway { log("info", welcome.isFresh ? "feed: joined; the copy is made anew" : "feed: joined") }
    }

    /// Takes in the first so many records.
    /// - Returns: whether the copy is at the position.
    private func apply(
        _ pending: inout Pending, _ count: Int, upTo position: FeedPosition?, mark: String?,
        _ link: any FeedConnection
    ) throws -> Bool {
        let records = Array(pending.records.prefix(count))
        while true {
            let missing = try copy.lacking(records, given: pending.blobs)
            if missing.isEmpty { break }
            for hash in missing { pending.blobs[hash] = try BlobForm.restored(try link.blob(hash), hash: hash) }
        }
        do {
            try copy.apply(records, blobs: pending.blobs, upTo: position, mark: mark)
            if !records.isEmpty { change { $0.takes += 1 } }
            pending.drop(count)
            return position != nil
        } catch let error as FeedError where error.kind == .diverged && link.isCompacted {
            let now = Timestamp.now
            let since = pending.doubtSince ?? now
            guard Double(now.milliseconds - since.milliseconds) < Self.doubt * 1_000 else { throw error }
            try copy.apply(records, blobs: pending.blobs, upTo: nil, mark: nil)
            pending.drop(count)
            pending.doubtSince = since
            return false
        }
    }

    private func reached(_ head: FeedHead, _ link: any FeedConnection) {
        mustRestart.withLock { $0 = false }
        change { status in
            status.position = head.position
            status.truthRevision = head.position.revision
            status.lastContact = .now
        }
        tell(report(head.position), link)
    }

    /// Tells the control node what it does not know, and from time to time that this location is there.
    private func tell(_ report: LocationReport, _ link: any FeedConnection) {
        let now = Timestamp.now
        let isNews = told.withLock { told in
            if let told, told.report == report, now.seconds - told.time.seconds < Self.reportPause { return false }
            told = (report, now)
            return true
        }
        if isNews, let body = try? FeedService.json(report) { link.tell(FeedService.Name.report, body) }
    }

    // MARK: Orders

    /// How long orders hold after the control node's last word, in milliseconds.
    private static let ordersHold: Int64 = 10_000

    private func take(_ new: FeedOrders, _ link: any FeedConnection) {
        let isCurrent = orders.withLock { orders in
            guard new.number >= orders.number else { return false }
            orders = new
            return true
        }
        guard isCurrent else { return }
        obey(new) { ran in
            var writer = FeedWriter()
            writer.number(new.number)
            writer.number(ran)
            link.tell(FeedService.Name.orders, writer.bytes)
        }
    }

    /// Who gave them may be gone, or has forgotten them.
    private func forgetOldOrders() {
        let contact = now.lastContact
        guard contact.map({ Timestamp.now.milliseconds - $0.milliseconds > Self.ordersHold }) ?? true else { return }
        let had = orders.withLock { orders in
            defer { orders = FeedOrders() }
            return orders.number > 0
        }
        if had { obey(FeedOrders()) { _ in } }
    }

    // MARK: Contact

    /// Between two looks, in seconds.
    private static let contactPause = 0.5

    /// How long the control node was not heard of, in seconds in which this process ran.
    package var silence: Double { silent.withLock { $0 } }

    package func wasHeard(after time: Timestamp) -> Bool {
        now.lastContact.map { $0.milliseconds > time.milliseconds + Self.claimMilliseconds } ?? false
    }

    /// A control node that lives so long into a minute has taken its schedules.
    private static let claimMilliseconds: Int64 = 5_000

    private func watchContact() {
        var last: Timestamp?
        while true {
            Foundation.Thread.sleep(forTimeInterval: Self.contactPause)
            let contact = now.lastContact
            silent.withLock { $0 = contact == last ? $0 + Self.contactPause : 0 }
            last = contact
            forgetOldOrders()
        }
    }

    // MARK: Beside it

    private func sendUsage() {
        while true {
            Foundation.Thread.sleep(forTimeInterval: Self.usagePause)
            do {
                while connection.withLock({ $0 != nil }), let batch = try copy.unsentUsage() {
                    _ = try call(FeedService.Name.usage, try FeedService.json(batch))
                    try copy.usageIsCounted(batch)
                }
                while connection.withLock({ $0 != nil }), case let runs = try copy.endedRuns(), !runs.isEmpty {
                    _ = try call(FeedService.Name.runs, try FeedService.json(runs))
                    try copy.areKnown(runs)
                }
            } catch let error as FeedError where error.kind == .away {
                continue
            } catch {
                log("error", "feed: what was used cannot be told: \(error)")
            }
        }
    }

    /// Fetches what is not needed at once, such as large assets.
    private func fetchWanted() {
        var done: Int?
        while true {
            let takes = waitForRecords(beyond: done)
            do {
                while case let wanted = try copy.wantedBlobs(Self.blobsAtOnce), !wanted.isEmpty {
                    for hash in wanted { try copy.add(blob: try blob(hash), hash: hash) }
                }
                done = takes
                continue
            } catch let error as FeedError where error.kind == .away || error.kind == .missing {
                // Tried again.
            } catch {
                log("error", "feed: a blob cannot be fetched: \(error)")
            }
            Foundation.Thread.sleep(forTimeInterval: Self.wantedPause)
        }
    }

    /// Returns how many times records were taken in, when that is another number.
    private func waitForRecords(beyond takes: Int?) -> Int {
        settled.lock()
        defer { settled.unlock() }
        while now.takes == takes { settled.wait() }
        return now.takes
    }
}

extension FeedError {
    /// Whether trying again will not help.
    package var isFinal: Bool {
        switch kind {
        case .refused, .version, .foreign: true
        case .away, .malformed, .forged, .diverged, .missing, .failed: false
        }
    }
}
