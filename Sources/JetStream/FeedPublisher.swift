internal import CNATS
package import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Publishes the feed to a stream of NATS, where any number of locations gets it. The stream can be lost: it is made
/// again of the store, which it never stands in the way of.
package final class FeedPublisher: Sendable {
    /// Between two words that nothing is new, in seconds.
    private static let heartbeat = 2.0
    /// Between two attempts to connect, in seconds.
    private static let pause = 0.25
    private static let pageBytes = 1 << 20

    private let hub: FeedHub
    private let settings: NATSSettings
    private let subjects: FeedSubjects
    private let verifier: FeedVerifier
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    /// Touched under `woken`.
    private struct State {
        var isBehind = false
        var isStopped = false
        var isRunning = false
    }
    private let state = Mutex(State())
    private let woken = NSCondition()

    /// What one connection has published.
    private final class Session {
        let link: NATSLink
        var cursor: Int64
        /// The head's place in the stream: nobody else may publish one.
        var headSequence: UInt64
        var blobs: Set<String> = []
        var locations: [String: [FeedSecretKey]] = [:]
        /// Those that were published last.
        var orders: Int64 = 0
        let id = Identifier.hex()

        init(link: NATSLink, cursor: Int64, headSequence: UInt64) {
            self.link = link
            self.cursor = cursor
            self.headSequence = headSequence
        }
    }

    package init(
        _ hub: FeedHub, to settings: NATSSettings,
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) throws {
        self.hub = hub
        self.settings = settings
        self.log = log
        subjects = FeedSubjects(installation: hub.signer.installation)
        verifier = try FeedVerifier(installation: hub.signer.installation)
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
            let link = try NATSLink(settings)
            try NATSResponder(hub, link, subjects).start()
            let session = try begin(link)
            log("info", "feed: published to \(settings.address.text)")
            try follow(session)
            link.close()
            return nil
        } catch {
            let error = error as? FeedError ?? FeedError(.failed, "\(error)")
            if last != error { log("error", "feed: \(error)") }
            return error
        }
    }

    /// Until the connection ends.
    private func follow(_ session: Session) throws {
        while !isStopped {
            try publish(session)
            waitForNews()
        }
    }

    // MARK: The stream

    /// Finds out what the stream has. What was published and never acknowledged is seen here, too.
    private func begin(_ link: NATSLink) throws -> Session {
        try makeStream(link)
        if let last = try link.last(subjects.head, ofStream: subjects.stream),
            case .head(let head, let signature)? = try? FeedFrame(last.bytes),
            (try? verifier.check(head, signature)) != nil,
            try hub.truth.continues(from: head.position, isWhole: true)
        {
            return Session(link: link, cursor: head.position.revision, headSequence: last.sequence)
        }
        // Another history, or none.
        var code = jsErrCode(0)
        try NATSLink.check(js_PurgeStream(link.stream, subjects.stream, nil, &code), "emptying the stream")
        return Session(link: link, cursor: 0, headSequence: 0)
    }

    @inline(never) private func makeStream(_ link: NATSLink) throws {
        guard try link.state(ofStream: subjects.stream) == nil else { return }
        var configuration = jsStreamConfig()
        jsStreamConfig_Init(&configuration)
        configuration.MaxMsgsPerSubject = 1
        configuration.Storage = js_FileStorage
        configuration.DiscardNewPerSubject = false
        var code = jsErrCode(0)
        let status = subjects.stream.withCString { name in
            subjects.all.withCString { all in
                var list: [UnsafePointer<CChar>?] = [all]
                return list.withUnsafeMutableBufferPointer { list in
                    configuration.Name = name
                    configuration.Subjects = list.baseAddress
                    configuration.SubjectsLen = 1
                    return js_AddStream(nil, link.stream, &configuration, nil, &code)
                }
            }
        }
        try NATSLink.check(status, "making the stream \(subjects.stream)")
    }

    // MARK: Publishing

    /// All that the stream lacks, then the head.
    private func publish(_ session: Session) throws {
        try publishKeys(session)
        try publishOrders(session)
        var cursor = FeedPage.Cursor(revision: session.cursor)
        while true {
            let page = try hub.truth.feedPage(after: cursor, of: nil, bytes: Self.pageBytes)
            for record in page.records { try publishBlobs(of: record, session) }
            try publish(page.records, page.position.epoch, session)
            guard let next = page.next else {
                let frame = try hub.head(page.position)
                session.headSequence = try send(
                    subjects.head, frame.body, id: nil, expecting: session.headSequence, session)
                session.cursor = page.position.revision
                return
            }
            cursor = next
        }
    }

    private func publish(_ records: [FeedRecord], _ epoch: String, _ session: Session) throws {
        guard !records.isEmpty else { return }
        let tree = HashTree(records.map { HashTree.Node(leaf: $0.encoded) })
        let signature = try hub.signer.sign(tree, epoch: epoch)
        for (index, record) in records.enumerated() {
            let frame = FeedFrame.proven(record, path: tree.path(of: index), signature: signature)
            let subject = subjects.record(record)
            _ = try send(
                subject, frame.body, id: "\(session.id) \(record.revision) \(subject)", expecting: nil, session)
        }
    }

    /// Blobs come before what points to them.
    private func publishBlobs(of record: FeedRecord, _ session: Session) throws {
        var hashes: Set<String> = []
        if case .blob(let hash, _) = record.body { hashes.insert(hash) }
        if let script = FedScript(record) {
            hashes.formUnion(script.codeBlobs)
            for set in script.versions.compactMap(\.assets) {
                let bytes = Data(try hub.truth.feedBlob(set.set))
                let assets = try JSONDecoder().decode(AssetSet.self, from: bytes)
                hashes.formUnion(assets.files.values.map(\.blob))
            }
        }
        for hash in hashes where !session.blobs.contains(hash) {
            try publish(blob: hash, session)
            session.blobs.insert(hash)
        }
    }

    private func publish(blob hash: String, _ session: Session) throws {
        let form: [UInt8]
        do {
            form = BlobForm.compressed(try hub.truth.feedBlob(hash))
        } catch let error as StoreError where error.kind == .missing {
            // It was replaced meanwhile: the record that points to another one follows.
            return
        }
        let count = max(1, (form.count + FeedSubjects.pieceBytes - 1) / FeedSubjects.pieceBytes)
        // The last piece is there only if all are.
        if try session.link.last(subjects.piece(hash, count - 1), ofStream: subjects.stream) != nil { return }
        for index in 0..<count {
            let bytes = Array(
                form[(index * FeedSubjects.pieceBytes)..<min(form.count, (index + 1) * FeedSubjects.pieceBytes)])
            let frame = FeedFrame.piece(hash: hash, index: index, count: count, bytes: bytes)
            _ = try send(
                subjects.piece(hash, index), frame.body, id: "\(session.id) \(hash) \(index)", expecting: nil, session)
        }
    }

    /// Again and again while they ask for something: a location that joins reads what is new only.
    private func publishOrders(_ session: Session) throws {
        let orders = hub.orders
        guard orders.number != session.orders || !orders.followed.isEmpty else { return }
        _ = try send(subjects.orders, try hub.frame(orders).body, id: nil, expecting: nil, session)
        session.orders = orders.number
    }

    /// The keys of secrets, to each location's own key.
    private func publishKeys(_ session: Session) throws {
        for location in try hub.truth.locations() where location.accounts == nil {
            let keys = try hub.truth.feedSecretKeys(of: nil)
            guard session.locations[location.id] != keys else { continue }
            let sealed = try LocationKey.seal(keys, to: location.key)
            let frame = FeedFrame.keys(sealed, signature: try hub.signer.sign(keys: sealed, for: location.id))
            _ = try send(subjects.keys(of: location.id), frame.body, id: nil, expecting: nil, session)
            session.locations[location.id] = keys
        }
    }

    /// Waits until it is in the stream.
    /// - Parameter sequence: of the message that it replaces: if it is another one, somebody else publishes here.
    /// - Returns: its place.
    @inline(never) private func send(
        _ subject: String, _ bytes: [UInt8], id: String?, expecting sequence: UInt64?, _ session: Session
    ) throws -> UInt64 {
        var options = jsPubOptions()
        jsPubOptions_Init(&options)
        if let sequence {
            if sequence == 0 { options.ExpectNoMessage = true } else { options.ExpectLastSubjectSeq = sequence }
        }
        var ack: UnsafeMutablePointer<jsPubAck>?
        var code = jsErrCode(0)
        let status = subjects.stream.withCString { stream -> natsStatus in
            options.ExpectStream = stream
            guard let id else {
                return js_Publish(&ack, session.link.stream, subject, bytes, Int32(bytes.count), &options, &code)
            }
            return id.withCString { id in
                options.MsgId = id
                return js_Publish(&ack, session.link.stream, subject, bytes, Int32(bytes.count), &options, &code)
            }
        }
        guard status == NATS_OK, let ack else { throw NATSLink.error(status, "publishing (\(code.rawValue))") }
        defer { jsPubAck_Destroy(ack) }
        return ack.pointee.Sequence
    }
}
