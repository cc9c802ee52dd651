internal import Dispatch
internal import Glibc
internal import Model

/// A stored response on its way out: whole, a range of it, or only the news that nothing has changed.
final class CacheMatch: EgressExchange, @unchecked Sendable {
    // Sound because everything that changes is touched on the cache's queue only.

    /// Bytes of the body that may be on their way before they are used up, and in one piece.
    private static let window = 256 << 10
    private static let pieceBytes = 64 << 10

    private let request: CacheRequest
    private let cache: DiskCache
    private let deliver: @Sendable ([EgressEvent]) -> Void
    private var descriptor: Int32 = -1
    /// What of the file is still to be sent.
    private var next = 0
    private var end = 0
    private var unused = 0
    private var isOver = false

    init(_ request: CacheRequest, in cache: DiskCache, deliver: @escaping @Sendable ([EgressEvent]) -> Void) {
        self.request = request
        self.cache = cache
        self.deliver = deliver
    }

    // MARK: On the queue

    func begin() {
        guard !isOver else { return }
        guard let descriptor = cache.open(request) else {
            isOver = true
            return deliver([.head(DiskCache.answer(.miss)), .end])
        }
        self.descriptor = descriptor
        guard let file = CacheFile.read(descriptor) else {
            leave()
            return deliver([.head(DiskCache.answer(.miss)), .end])
        }
        let age = max(0, Int(cache.now - file.description.madeAt))
        let answer = StoredAnswer(file.description, bodyBytes: file.bodyBytes, to: request.fields, age: age)
        next = file.bodyStart + answer.body.lowerBound
        end = file.bodyStart + answer.body.upperBound
        pump(after: [.head(answer.head)])
    }

    private func pump(after events: [EgressEvent] = []) {
        var events = events
        while !isOver, next < end, unused < Self.window {
            let count = min(Self.pieceBytes, end - next)
            guard let bytes = CacheFile.bytes(descriptor, at: next, count: count) else {
                leave()
                events.append(.failed(.connectionLost))
                break
            }
            next += count
            unused += count
            events.append(.body(bytes))
        }
        if !isOver, next == end {
            leave()
            events.append(.end)
        }
        if !events.isEmpty { deliver(events) }
    }

    private func leave() {
        isOver = true
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    // MARK: From anywhere

    func send(_ bytes: [UInt8]) {}
    func finishSending() {}

    func consumed(_ bytes: Int) {
        cache.queue.async { [self] in
            unused -= bytes
            if !isOver, descriptor >= 0 { pump() }
        }
    }

    func cancel() { cache.queue.async { [self] in if !isOver { leave() } } }
}

/// What a stored response says to a request (RFC 9110, sections 13 and 14).
struct StoredAnswer {
    let head: EgressResponseHead
    /// Which bytes of the body follow.
    let body: Range<Int>

    init(_ stored: CacheFile.Description, bodyBytes: Int, to fields: [CacheRequest.Field], age: Int) {
        func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
        func storedValue(_ name: String) -> String? { stored.fields.first { $0.name == name }?.value }
        let tag = storedValue("etag")
        let modified = storedValue("last-modified")
        var status = stored.status
        var range = 0..<bodyBytes
        var contentRange: String?
        if stored.status == 200,
            Self.isUnchanged(tag, modified, noneMatch: value("if-none-match"), since: value("if-modified-since"))
        {
            status = 304
            range = 0..<0
        } else if status == 200, let wanted = value("range"),
            // Only a strong tag says that the bytes are the same.
            value("if-range").map({ !$0.hasPrefix("W/") && ($0 == tag || $0 == modified) }) ?? true
        {
            switch Self.range(wanted, of: bodyBytes) {
            case .some(.some(let part)):
                status = 206
                range = part
                contentRange = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(bodyBytes)"
            case .some(.none):
                status = 416
                range = 0..<0
                contentRange = "bytes */\(bodyBytes)"
            case .none: break
            }
        }
        let reason = status == stored.status ? stored.reason : ""
        var head = EgressResponseHead(status: status, reason: "\(CacheAnswer.hit.rawValue) \(reason)")
        for field in stored.fields { head.append(name: field.name, value: field.value) }
        if status != 304, status != 204 { head.append(name: "content-length", value: String(range.count)) }
        if let contentRange { head.append(name: "content-range", value: contentRange) }
        head.append(name: "age", value: String(age))
        head.append(name: "cf-cache-status", value: "HIT")
        self.head = head
        body = range
    }

    private static func isUnchanged(_ tag: String?, _ modified: String?, noneMatch: String?, since: String?) -> Bool {
        if let noneMatch {
            if noneMatch.trimmed == "*" { return true }
            guard let tag else { return false }
            let strong = { (tag: String) in tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag }
            return noneMatch.split(separator: ",").contains { strong($0.trimmed) == strong(tag) }
        }
        guard let since = since.flatMap(HTTPDate.seconds), let modified = modified.flatMap(HTTPDate.seconds) else {
            return false
        }
        return modified <= since
    }

    /// One range of bytes. Nil for what is none, or several: the whole is sent then; `.some(nil)` if there are no such
    /// bytes.
    private static func range(_ text: String, of length: Int) -> Range<Int>?? {
        guard text.hasPrefix("bytes="), !text.contains(",") else { return nil }
        let parts = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy(\.isNumber) }) else { return nil }
        switch (Int(parts[0]), Int(parts[1])) {
        case (let first?, let last?):
            guard first <= last else { return nil }
            return .some(first < length ? first..<(min(last, length - 1) + 1) : nil)
        case (let first?, nil) where parts[1].isEmpty:
            return .some(first < length ? first..<length : nil)
        case (nil, let count?) where parts[0].isEmpty:
            return .some(count > 0 && length > 0 ? max(0, length - count)..<length : nil)
        default: return nil
        }
    }
}
