internal import Dispatch
internal import Glibc
internal import Model

/// A response on its way into the cache.
final class CachePut: EgressExchange, @unchecked Sendable {
    // Sound because everything that changes is touched on the cache's queue only.

    private let request: CacheRequest
    private let response: CacheRequest.CachedResponse
    private let cache: DiskCache
    private let deliver: @Sendable ([EgressEvent]) -> Void
    private var file: (descriptor: Int32, name: String)?
    private var description: CacheFile.Description?
    private var variant: CacheVariant?
    private var bodyStart = 0
    private var bodyBytes = 0
    /// What of the budget it has.
    private(set) var heldBytes = 0
    private var isOver = false

    init(
        _ request: CacheRequest, _ response: CacheRequest.CachedResponse, in cache: DiskCache,
        deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) {
        self.request = request
        self.response = response
        self.cache = cache
        self.deliver = deliver
    }

    var account: String { request.account }

    // MARK: On the queue

    func begin(_ body: EgressRequest.Body) {
        let now = cache.now
        guard let freshness = Freshness(status: response.status, fields: request.fields, now: now),
            let variant = CacheVariant(response.vary), !isTooLarge(body), let file = cache.makeFile()
        else { return end(.refused) }
        self.file = file
        self.variant = variant
        // Framing is the answer's own; the body is stored as it is, without a coding.
        var dropped: Set<String> = ["content-length", "transfer-encoding", "connection", "keep-alive", "age"]
        if freshness.dropsCookies { dropped.insert("set-cookie") }
        let description = CacheFile.Description(
            account: request.account, cache: request.cache, url: request.url, vary: response.vary,
            status: response.status, reason: response.reason,
            fields: request.fields.filter { !dropped.contains($0.name) }, madeAt: now - freshness.age,
            expiresAt: now + freshness.lifetime)
        self.description = description
        guard let start = CacheFile.begin(description, to: file.descriptor) else { return end(.refused) }
        bodyStart = start
        guard hold(start) else { return }
        switch body {
        case .none: finish()
        case .bytes(let bytes):
            if write(bytes) { finish() }
        case .stream: break
        case .upgrade: end(.refused)
        }
    }

    private func isTooLarge(_ body: EgressRequest.Body) -> Bool {
        let length: Int? =
            switch body {
            case .none, .upgrade: 0
            case .bytes(let bytes): bytes.count
            case .stream(let length): length
            }
        return length ?? 0 > longestBody
    }

    /// False if that was the end of it.
    private func write(_ bytes: [UInt8]) -> Bool {
        guard !isOver, let file else { return false }
        bodyBytes += bytes.count
        guard bodyBytes <= longestBody, CacheFile.write(bytes, to: file.descriptor) else {
            end(.refused)
            return false
        }
        return hold(bytes.count)
    }

    /// False if there is no room.
    private func hold(_ bytes: Int) -> Bool {
        heldBytes += bytes
        cache.hold(bytes, for: self)
        return !isOver
    }

    /// There is no room for it any more.
    func giveUp() { end(.refused) }

    private var longestBody: Int { min(cache.settings.entryBytes, cache.settings.budgetBytes) }

    private func finish() {
        guard !isOver, let file, let description, let variant else { return }
        let isWhole = CacheFile.finish(file.descriptor, bodyBytes: bodyBytes)
        // What it held becomes the entry's.
        leaveBudget()
        guard isWhole, cache.adopt(file.name, description, variant, size: bodyStart + bodyBytes) else {
            return end(.refused)
        }
        end(.stored)
    }

    private func end(_ answer: CacheAnswer) {
        guard !isOver else { return }
        leave(keepingFile: answer == .stored)
        deliver([.sendingEnded, .head(DiskCache.answer(answer)), .end])
    }

    private func leave(keepingFile: Bool) {
        isOver = true
        leaveBudget()
        guard let file else { return }
        close(file.descriptor)
        if !keepingFile { cache.drop(file.name) }
        self.file = nil
    }

    private func leaveBudget() {
        cache.release(heldBytes, of: self)
        heldBytes = 0
    }

    // MARK: From anywhere

    func send(_ bytes: [UInt8]) {
        cache.queue.async { [self] in
            if write(bytes) { deliver([.sent(bytes.count)]) }
        }
    }

    func finishSending() { cache.queue.async { [self] in finish() } }
    func consumed(_ bytes: Int) {}
    func cancel() { cache.queue.async { [self] in if !isOver { leave(keepingFile: false) } } }
}
