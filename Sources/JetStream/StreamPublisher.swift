internal import CNATS
internal import Feed
internal import Foundation
internal import Model

/// Keeps one stream as the truth is. The stream can be lost: it is made again of the store, which it never stands in
/// the way of. Belongs to one thread.
final class StreamPublisher {
    private static let pageBytes = 1 << 20
    /// Between two looks for blobs that nothing uses any more. One goes if nothing has used it at two of them: whoever
    /// just read the record that used it has that time to fetch it, or finds the record replaced.
    private static let sweepPause = Duration.seconds(10)

    /// Between two heads of one position: a little less than the publisher's heartbeat.
    private static let headPause = Duration.seconds(1.5)

    let subjects: FeedSubjects
    private let hub: FeedHub
    private let link: NATSLink
    private let accounts: Set<String>?
    /// A mirror of NATS 2.9 refuses messages that were published on a condition, since it looks at that again.
    private let isMirrored: Bool
    /// Of this publisher, in the ids of messages.
    private let id = Identifier.hex()
    private var cursor: Int64 = 0
    /// The head's place in the stream: nobody else may publish one.
    private var headSequence: UInt64 = 0
    private var head: (position: FeedPosition, time: ContinuousClock.Instant)?
    /// In the stream, with all pieces.
    private var blobs: Set<String> = []
    /// Of which pieces, at least, were in the stream at the beginning.
    private var foundBlobs: Set<String> = []
    private var unusedBlobs: Set<String> = []
    private var isSwept = false
    private var lastSweep = ContinuousClock.now
    private var secretKeys: [String: [FeedSecretKey]] = [:]
    /// The stream was there, and with it the keys of secrets, unless they have changed since.
    private var isContinued = false
    /// Those that were published last.
    private var orders: Int64 = 0

    /// Finds out what the stream has. What was published and never acknowledged is seen here, too.
    init(_ hub: FeedHub, _ link: NATSLink, _ accounts: Set<String>?, isMirrored: Bool) throws {
        self.hub = hub
        self.link = link
        self.accounts = accounts
        self.isMirrored = isMirrored
        subjects = FeedSubjects(installation: hub.signer.installation, accounts: accounts)
        let api = StreamAPI(link)
        if try api.exists(subjects.stream) {
            if let position = try published() {
                isContinued = true
                cursor = position.revision
                let pieces = try api.subjects(of: subjects.stream, under: subjects.allPieces)
                foundBlobs = Set(pieces.compactMap { subjects.blob(ofPiece: $0) })
                return
            }
            try api.purge(subjects.stream)
        } else {
            try api.create(subjects.stream, subjects: subjects.all)
        }
        _ = try send(subjects.birth, Array(Identifier.hex().utf8), id: nil)
    }

    /// What the stream is at, if that is a part of the truth's history.
    private func published() throws -> FeedPosition? {
        let verifier = try FeedVerifier(installation: hub.signer.installation)
        guard let last = try link.last(subjects.head, ofStream: subjects.stream),
            case .head(let head, let signature)? = try? FeedFrame(last.bytes),
            (try? verifier.check(head, signature)) != nil,
            try hub.truth.continues(from: head.position, isWhole: accounts == nil),
            try link.last(subjects.birth, ofStream: subjects.stream) != nil
        else { return nil }
        headSequence = last.sequence
        return head.position
    }

    /// All that the stream lacks, then the head.
    /// - Parameter locations: those that read it.
    func publish(to locations: [Location]) throws {
        // Each location has a message of its own: what all wait for, after an outage, goes first.
        let isBack = isContinued && secretKeys.isEmpty
        if !isBack { try publishKeys(to: locations) }
        try publishOrders()
        var next: FeedPage.Cursor? = FeedPage.Cursor(revision: cursor)
        while let start = next {
            let page = try hub.truth.feedPage(after: start, of: accounts, bytes: Self.pageBytes)
            for record in page.records { try publishBlobs(of: record) }
            try publish(page.records, page.position.epoch)
            next = page.next
            guard next == nil else { continue }
            try publishHead(page.position)
            cursor = page.position.revision
        }
        if isBack { try publishKeys(to: locations) }
        try sweep()
    }

    /// Every location hears each head, and answers: one that says nothing new can wait.
    private func publishHead(_ position: FeedPosition) throws {
        let now = ContinuousClock.now
        if let head, head.position == position, now - head.time < Self.headPause { return }
        try publish(try hub.head(position))
        head = (position, now)
    }

    private func publish(_ head: FeedFrame) throws {
        if isMirrored, try link.last(subjects.head, ofStream: subjects.stream)?.sequence ?? 0 != headSequence {
            throw FeedError(.failed, "somebody else publishes to the stream \(subjects.stream)")
        }
        headSequence = try send(subjects.head, head.body, id: nil, expecting: isMirrored ? nil : headSequence)
    }

    private func publish(_ records: [FeedRecord], _ epoch: String) throws {
        guard !records.isEmpty else { return }
        isSwept = false
        let tree = HashTree(records.map { HashTree.Node(leaf: $0.encoded) })
        let signature = try hub.signer.sign(tree, epoch: epoch)
        for (index, record) in records.enumerated() {
            let frame = FeedFrame.proven(record, path: tree.path(of: index), signature: signature)
            let subject = subjects.record(record)
            _ = try send(subject, frame.body, id: "\(record.revision) \(subject)")
        }
    }

    /// The keys of secrets, to each location's own key.
    private func publishKeys(to locations: [Location]) throws {
        let keys = try hub.truth.feedSecretKeys(of: accounts)
        for location in locations where secretKeys[location.id] != keys {
            let sealed = try LocationKey.seal(keys, to: location.key)
            let frame = FeedFrame.keys(sealed, signature: try hub.signer.sign(keys: sealed, for: location.id))
            _ = try send(subjects.keys(of: location.id), frame.body, id: nil)
            secretKeys[location.id] = keys
        }
    }

    /// Again and again while they ask for something: a location that joins reads what is new only.
    private func publishOrders() throws {
        let orders = hub.orders
        guard orders.number != self.orders || !orders.followed.isEmpty else { return }
        _ = try send(subjects.orders, try hub.frame(orders.of(accounts)).body, id: nil)
        self.orders = orders.number
    }

    // MARK: Blobs

    /// Blobs come before what points to them.
    private func publishBlobs(of record: FeedRecord) throws {
        var hashes: Set<String> = []
        if case .blob(let hash, _) = record.body { hashes.insert(hash) }
        if record.key.kind == .script, let script = FedScript(record) {
            hashes.formUnion(script.codeBlobs)
            for set in script.versions.compactMap(\.assets) {
                let bytes = Data(try hub.truth.feedBlob(set.set))
                let assets = try JSONDecoder().decode(AssetSet.self, from: bytes)
                hashes.formUnion(assets.files.values.map(\.blob))
            }
        }
        for hash in hashes where !blobs.contains(hash) {
            if try publish(blob: hash) { blobs.insert(hash) }
        }
    }

    /// - Returns: whether it is in the stream.
    private func publish(blob hash: String) throws -> Bool {
        let form: [UInt8]
        do {
            form = BlobForm.compressed(try hub.truth.feedBlob(hash))
        } catch let error as StoreError where error.kind == .missing {
            // It was replaced meanwhile: the record that points to another one follows.
            return false
        }
        let count = max(1, (form.count + FeedSubjects.pieceBytes - 1) / FeedSubjects.pieceBytes)
        // The last piece is there only if all are.
        if foundBlobs.contains(hash),
            try link.last(subjects.piece(hash, count - 1), ofStream: subjects.stream) != nil
        {
            return true
        }
        for index in 0..<count {
            let bytes = Array(
                form[(index * FeedSubjects.pieceBytes)..<min(form.count, (index + 1) * FeedSubjects.pieceBytes)])
            let frame = FeedFrame.piece(hash: hash, index: index, count: count, bytes: bytes)
            _ = try send(subjects.piece(hash, index), frame.body, id: nil)
        }
        return true
    }

    /// Removes blobs that no record uses any more. A record that comes to use one again brings it again.
    private func sweep() throws {
        guard !isSwept, lastSweep.duration(to: .now) >= Self.sweepPause else { return }
        lastSweep = .now
        let unused = blobs.union(foundBlobs).subtracting(try hub.truth.feedBlobs(of: accounts))
        let api = StreamAPI(link)
        for hash in unused.intersection(unusedBlobs) {
            for piece in try api.subjects(of: subjects.stream, under: subjects.pieces(of: hash)) {
                try api.removeLast(piece, of: subjects.stream)
            }
            blobs.remove(hash)
            foundBlobs.remove(hash)
        }
        unusedBlobs = unused.subtracting(unusedBlobs)
        isSwept = unusedBlobs.isEmpty
    }

    // MARK: Sending

    /// Waits until it is in the stream.
    /// - Parameters:
    ///   - id: the same for what is the same, so that it is in the stream once.
    ///   - sequence: of the message that it replaces, 0 for none: if it is another one, somebody else publishes here.
    /// - Returns: its place.
    @inline(never) private func send(
        _ subject: String, _ bytes: [UInt8], id: String?, expecting sequence: UInt64? = nil
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
                return js_Publish(&ack, link.stream, subject, bytes, Int32(bytes.count), &options, &code)
            }
            return "\(self.id) \(id)".withCString { id in
                options.MsgId = id
                return js_Publish(&ack, link.stream, subject, bytes, Int32(bytes.count), &options, &code)
            }
        }
        guard status == NATS_OK, let ack else { throw NATSLink.error(status, "publishing (\(code.rawValue))") }
        defer { jsPubAck_Destroy(ack) }
        return ack.pointee.Sequence
    }
}
