internal import Glibc
internal import Model
internal import Runtime

/// Writes the head of an answer: status line, the worker's fields as far as they are its to set, and our own.
struct AnswerHead {
    /// How the client knows where the body ends.
    enum Framing {
        /// There is none, by the rules of the status, and nothing to say about it.
        case none
        case length(Int)
        case chunked
        case untilClose
        /// An answer to HEAD whose body nobody made: the worker's own Content-Length holds, if it set one.
        case asDeclared
    }

    /// What the connection is used for afterwards, as far as it has to be said.
    enum Persistence {
        case unsaid
        case close
        /// HTTP/1.0 has to be told.
        case keepAlive
        /// The rest of it is a WebSocket.
        case upgraded
    }

    /// Statuses whose answers end with their head (RFC 9112, section 6.3).
    static func hasNoBody(_ status: Int) -> Bool { status == 204 || status == 304 }

    /// After any other status the client would wait for another answer, or not understand it.
    static func isFinal(_ status: Int) -> Bool { (200...999).contains(status) }

    /// How a whole answer is framed.
    static func framing(of status: Int, _ text: AnswerText, _ body: ResponseBytes, isToHead: Bool) -> Framing {
        if hasNoBody(status) { return .none }
        if isToHead, case .none = body { return .asDeclared }
        return .length(text.count)
    }

    /// Our own lines, each at its longest.
    private static let ownBytes = 256

    let framing: Framing
    let persistence: Persistence
    let date: UnsafePointer<UInt8>
    /// The request's number and what stands behind it in `CF-Ray`.
    var ray: (number: UInt64, suffix: [UInt8])?

    /// Bytes that the head of an answer takes at most.
    static func bound(_ head: ResponseHead) -> Int { ownBytes + head.reason.count + head.fields.count }

    /// Returns where the head ends. There must be room for `bound(head)` bytes.
    func write(
        _ head: ResponseHead, to start: UnsafeMutablePointer<UInt8>, outcome: Outcome?
    ) -> UnsafeMutablePointer<UInt8> {
        var out = writeStatusLine(head, to: start)
        var filter = FieldFilter(out: out, keepsLength: isLengthDeclared)
        filter.write(head.fields)
        out = filter.out
        if !filter.hasDate { out = Bytes.copy(date, DateField.count, to: out) }
        if !filter.hasServer { out = Bytes.copy("Server: martlet\r\n", to: out) }
        if let ray {
            out = writeRay(ray.number, ray.suffix, to: out)
        }
        if let outcome { out = writeOutcome(outcome, to: out) }
        switch persistence {
        case .unsaid: break
        case .close: out = Bytes.copy("Connection: close\r\n", to: out)
        case .upgraded: out = Bytes.copy("Connection: Upgrade\r\nUpgrade: websocket\r\n", to: out)
        case .keepAlive: out = Bytes.copy("Connection: keep-alive\r\n", to: out)
        }
        switch framing {
        case .none, .untilClose, .asDeclared: return Bytes.copy("\r\n", to: out)
        case .chunked: return Bytes.copy("Transfer-Encoding: chunked\r\n\r\n", to: out)
        case .length(let count):
            out = Bytes.copy("Content-Length: ", to: out)
            out = Bytes.write(decimal: count, to: out)
            return Bytes.copy("\r\n\r\n", to: out)
        }
    }

    private var isLengthDeclared: Bool {
        if case .asDeclared = framing { return true }
        return false
    }

    private func writeStatusLine(
        _ head: ResponseHead, to start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        if head.status == 200, head.reason.isEmpty { return Bytes.copy("HTTP/1.1 200 OK\r\n", to: start) }
        var out = Bytes.copy("HTTP/1.1 ", to: start)
        out = Bytes.write(decimal: head.status, to: out)
        out = Bytes.copy(" ", to: out)
        if !head.reason.isEmpty, head.reason.allSatisfy(ASCII.isFieldByte) {
            memcpy(out, head.reason.baseAddress!, head.reason.count)
            out += head.reason.count
        } else {
            out = Bytes.copy(StatusPhrase.for(head.status), to: out)
        }
        return Bytes.copy("\r\n", to: out)
    }

    private func writeRay(
        _ number: UInt64, _ suffix: [UInt8], to start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var out = Bytes.copy("CF-Ray: ", to: start)
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
            out[0] = digit < 10 ? ASCII.zero + digit : UInt8(ascii: "a") + digit - 10
            out += 1
        }
        for byte in suffix {
            out[0] = byte
            out += 1
        }
        return Bytes.copy("\r\n", to: out)
    }

    private func writeOutcome(
        _ outcome: Outcome, to start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var out = Bytes.copy("Martlet-Outcome: ", to: start)
        for byte in outcome.rawValue.utf8 {
            out[0] = byte
            out += 1
        }
        return Bytes.copy("\r\n", to: out)
    }
}

/// Copies a worker's header lines to the wire, but not those that are the connection's own, and none that is malformed:
/// whatever the worker sets, no byte that ends a line gets there unless it ends one.
private struct FieldFilter {
    private(set) var out: UnsafeMutablePointer<UInt8>
    private(set) var hasDate = false
    private(set) var hasServer = false
    private let keepsLength: Bool

    init(out: UnsafeMutablePointer<UInt8>, keepsLength: Bool) {
        self.out = out
        self.keepsLength = keepsLength
    }

    mutating func write(_ fields: UnsafeRawBufferPointer) {
        guard let first = fields.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let end = first + fields.count
        var next = first
        while next < end {
            let line = out
            if let after = copyLine(next, end) {
                next = after
            } else {
                out = line
                next = afterLine(next, end)
            }
        }
    }

    private func afterLine(_ line: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        guard let found = memchr(line, Int32(ASCII.lineFeed), end - line) else { return end }
        return UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + 1
    }

    /// Where the next line begins; nil if this one must not be sent.
    private mutating func copyLine(
        _ line: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8>? {
        var next = line
        let name = out
        let token = ByteTable.token
        while next < end {
            let byte = token[next[0]]
            if byte == 0 { break }
            out[0] = byte
            out += 1
            next += 1
        }
        let nameCount = next - line
        guard nameCount > 0, next < end, next[0] == ASCII.colon else { return nil }
        guard isWorkers(name, nameCount, value: next + 1, end) else { return nil }
        while end - next >= 8 {
            let eight = UnsafeRawPointer(next).loadUnaligned(as: UInt64.self)
            guard ASCII.areVisible(eight) else { break }
            UnsafeMutableRawPointer(out).storeBytes(of: eight, as: UInt64.self)
            next += 8
            out += 8
        }
        while next < end, ASCII.isFieldByte(next[0]) {
            out[0] = next[0]
            out += 1
            next += 1
        }
        guard end - next >= 2, next[0] == ASCII.carriageReturn, next[1] == ASCII.lineFeed else { return nil }
        out = Bytes.copy("\r\n", to: out)
        if Bytes.equal(name, nameCount, "date") { hasDate = true }
        if Bytes.equal(name, nameCount, "server") { hasServer = true }
        return next + 2
    }

    /// False for fields that say how the message is framed or concern the connection only, and for our own.
    private func isWorkers(
        _ name: UnsafeMutablePointer<UInt8>, _ count: Int, value: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> Bool {
        switch count {
        case 2: return !Bytes.equal(name, 2, "te")
        case 6: return !Bytes.equal(name, 6, "cf-ray")
        case 7: return !Bytes.equal(name, 7, "trailer") && !Bytes.equal(name, 7, "upgrade")
        case 10: return !Bytes.equal(name, 10, "connection") && !Bytes.equal(name, 10, "keep-alive")
        case 14 where Bytes.equal(name, 14, "content-length"): return keepsLength && isLength(value, end)
        case 15: return !Bytes.equal(name, 15, "martlet-outcome")
        case 16: return !Bytes.equal(name, 16, "proxy-connection")
        case 17: return !Bytes.equal(name, 17, "transfer-encoding")
        default: return true
        }
    }

    private func isLength(_ value: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        var next = value
        while next < end, next[0] == ASCII.space { next += 1 }
        let digits = next
        while next < end, next[0] >= ASCII.zero, next[0] <= UInt8(ascii: "9") { next += 1 }
        return next > digits && next - digits <= 18 && next < end && next[0] == ASCII.carriageReturn
    }
}
