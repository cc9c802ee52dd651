internal import Dispatch
package import Model
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Sends what changes in the control node's store to the locations. Each change is read, signed and written down once,
/// however many there are; who lags behind is sent what the store has now.
package final class FeedHub: Sendable {
    /// A change, ready to be sent: to whoever has at least all up to `from`.
    struct Entry: Sendable {
        let from: Int64
        let position: FeedPosition
        let bytes: ByteBuffer
    }

    private struct State {
        var position: FeedPosition
        /// The latest changes, without gaps.
        var entries: [Entry] = []
        var entryBytes = 0
        var sessions: [ObjectIdentifier: FeedSession] = [:]
        var isBehind = false
        /// A number that those of an earlier process have not: it is told at once.
        /// Under which secrets travel.
        var keys: [FeedSecretKey]
        var orders = FeedOrders(number: Timestamp.now.milliseconds)
        /// Called when there are other orders.
        var orderObservers: [@Sendable () -> Void] = []
    }

    /// Bytes of changes that are kept ready.
    private static let entryBytesAtMost = 64 << 20
    /// Bytes of one change; what is larger is read by each location's link for itself.
    private static let entryBytesLargest = 16 << 20
    /// Bytes of records that are read at once.
    static let pageBytes = 1 << 20
    /// Blobs of versions that are younger are sent with them, in milliseconds; of older ones a location may have them.
    private static let pushMilliseconds: Int64 = 60_000
    /// Between two words to a location that nothing has changed, in seconds.
    private static let heartbeat = 2
    private static let threadCount = 4

    package let truth: any FeedTruth & LocationStore
    package let signer: FeedSigner
    package let registry = LocationRegistry()
    package let service: FeedService
    let threads = NIOThreadPool(numberOfThreads: threadCount)
    private let queue = DispatchQueue(label: "feed")
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - traces: takes what locations tell of events.
    ///   - log: takes what the operator should know; its level is "error", "warn" or "info".
    package init(
        store: any PlatformStore, traces: @escaping FeedService.Traces,
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) throws {
        truth = store
        signer = FeedSigner(seed: store.feedSigningSeed())
        self.log = log
        service = FeedService(store: store, registry: registry, traces: traces)
        state = Mutex(State(position: try store.feedPosition(of: nil), keys: try store.feedSecretKeys(of: nil)))
        threads.start()
        store.observe { [weak self] in self?.wake() }
        scheduleBeat()
    }

    private func scheduleBeat() {
        queue.asyncAfter(deadline: .now() + .seconds(Self.heartbeat)) { [weak self] in
            self?.beat()
            self?.scheduleBeat()
        }
    }

    func complain(_ text: String) { log("error", text) }

    // MARK: Following the store

    private func wake() {
        let begins = state.withLock { state in
            defer { state.isBehind = true }
            return !state.isBehind
        }
        if begins { queue.async { [self] in advance() } }
    }

    private func advance() {
        let (known, hasSessions) = state.withLock { state in
            state.isBehind = false
            return (state.position, !state.sessions.isEmpty)
        }
        do {
            let now = try truth.feedPosition(of: nil)
            guard now != known else { return }
            registry.changed(to: now.revision)
            // Other keys come before what is sealed with them: each link reads for itself then, and sends them.
            let keys = try truth.feedSecretKeys(of: nil)
            let hasOldKeys = state.withLock { state in
                defer { state.keys = keys }
                return state.keys == keys
            }
            let isKept = hasSessions && hasOldKeys && now.epoch == known.epoch
            let entry = isKept ? try self.entry(after: known) : nil
            let sessions = state.withLock { state in
                state.position = entry?.position ?? now
                if let entry {
                    state.entries.append(entry)
                    state.entryBytes += entry.bytes.readableBytes
                } else {
                    state.entries = []
                    state.entryBytes = 0
                }
                while state.entryBytes > Self.entryBytesAtMost {
                    state.entryBytes -= state.entries.removeFirst().bytes.readableBytes
                }
                return Array(state.sessions.values)
            }
            for session in sessions { session.wake() }
        } catch {
            complain("the feed cannot be read: \(error)")
            // Nobody tells of a change twice.
            queue.asyncAfter(deadline: .now() + .seconds(Self.heartbeat)) { [weak self] in self?.wake() }
        }
    }

    /// Nil if it is too large to be kept.
    private func entry(after position: FeedPosition) throws -> Entry? {
        var bytes = ByteBuffer()
        var cursor = FeedPage.Cursor(revision: position.revision)
        while true {
            let page = try truth.feedPage(after: cursor, of: nil, bytes: Self.pageBytes)
            for blob in fresh(page.records) {
                var frame = FeedFrame.blob(hash: blob, form: BlobForm.compressed(try truth.feedBlob(blob))).encoded
                bytes.writeBuffer(&frame)
            }
            try append(page, to: &bytes)
            guard bytes.readableBytes <= Self.entryBytesLargest else { return nil }
            guard let next = page.next else {
                return Entry(from: position.revision, position: page.position, bytes: bytes)
            }
            cursor = next
        }
    }

    /// Blobs that no location has yet.
    private func fresh(_ records: [FeedRecord]) -> Set<String> {
        let since = Timestamp.now.milliseconds - Self.pushMilliseconds
        var blobs: Set<String> = []
        for record in records {
            if case .blob(let hash, let size) = record.body, size <= Self.entryBytesLargest { blobs.insert(hash) }
            guard record.key.kind == .script, let script = FedScript(record) else { continue }
            for version in script.versions where version.createdOn.milliseconds >= since {
                blobs.formUnion(version.modules.map(\.hash))
                if let assets = version.assets { blobs.insert(assets.set) }
            }
        }
        return blobs
    }

    /// A page's records, and with the last page the head.
    func append(_ page: FeedPage, to bytes: inout ByteBuffer) throws {
        if !page.records.isEmpty {
            let tree = HashTree(page.records.map { HashTree.Node(leaf: $0.encoded) })
            let signature = try signer.sign(tree, epoch: page.position.epoch)
            var frame = FeedFrame.records(page.records, signature: signature).encoded
            bytes.writeBuffer(&frame)
        }
        guard page.next == nil else { return }
        var frame = try head(page.position).encoded
        bytes.writeBuffer(&frame)
    }

    package func head(_ position: FeedPosition) throws -> FeedFrame {
        let head = FeedHead(position: position)
        return .head(head, signature: try signer.sign(head))
    }

    // MARK: Orders

    package var orders: FeedOrders { state.withLock { $0.orders } }

    /// Tells the locations what is wanted of them now.
    /// - Returns: the orders' number, by which locations say that they have them.
    @discardableResult package func order(_ change: (inout FeedOrders) -> Void) -> Int64 {
        let (number, sessions, observers) = state.withLock { state in
            var orders = state.orders
            change(&orders)
            guard orders != state.orders else { return (orders.number, [FeedSession](), [@Sendable () -> Void]()) }
            orders.number = max(orders.number + 1, Timestamp.now.milliseconds)
            state.orders = orders
            return (orders.number, Array(state.sessions.values), state.orderObservers)
        }
        for session in sessions { session.wake() }
        for observer in observers { observer() }
        return number
    }

    package func observeOrders(_ changed: @escaping @Sendable () -> Void) {
        state.withLock { $0.orderObservers.append(changed) }
    }

    package func frame(_ orders: FeedOrders) throws -> FeedFrame {
        let bytes = orders.encoded
        return .orders(bytes, signature: try signer.sign(orders: bytes))
    }

    // MARK: Sessions

    var position: FeedPosition { state.withLock { $0.position } }

    func add(_ session: FeedSession) { state.withLock { $0.sessions[ObjectIdentifier(session)] = session } }
    func remove(_ session: FeedSession) { state.withLock { $0.sessions[ObjectIdentifier(session)] = nil } }

    /// The changes that whoever is at a revision lacks; nil if they are not kept any more.
    func entries(after revision: Int64) -> [Entry]? {
        state.withLock { state in
            guard
                let first = state.entries.firstIndex(where: { $0.from <= revision && revision < $0.position.revision })
            else { return nil }
            return Array(state.entries[first...])
        }
    }

    private func beat() {
        let sessions = state.withLock { Array($0.sessions.values) }
        guard !sessions.isEmpty else { return }
        do {
            let position = position
            let head = try head(position).encoded
            for session in sessions { session.beat(head, at: position.revision) }
        } catch {
            complain("the feed cannot be signed: \(error)")
        }
    }
}
