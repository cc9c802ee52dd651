internal import Glibc
internal import Model

/// One pass over a request's header (RFC 9112), from `next` to `end`, that writes the head's pieces to `out` as it
/// goes.
///
/// Stricter than the RFC has to be, wherever two parties could read the same bytes differently: one Host, one
/// Content-Length, no folding, no bare CR or LF, no coding but chunked, no names of hosts with odd characters.
struct HeaderScan {
    enum Stop: Error {
        case needsMore
        case rejected(Rejection)
    }

    /// The limits that concern a header.
    struct Limits {
        let urlBytes: Int
        let headerBytes: Int
        let headerFields: Int
        let bodyBytes: Int

        init(_ limits: IngressLimits) {
            urlBytes = limits.urlBytes
            headerBytes = limits.headerBytes
            headerFields = limits.headerFields
            bodyBytes = limits.bodyBytes
        }
    }

    /// How the connection that the header came on is called in a URL.
    enum Scheme {
        case http
        case https

        var prefix: StaticString { self == .http ? "http://" : "https://" }
        var otherPrefix: StaticString { self == .http ? "https://" : "http://" }
    }

    /// A host's name has at most 255 bytes; with a port.
    static let longestAuthority = 262
    private static let longestMethod = 32
    private static let mostEmptyLines = 4

    private(set) var framing = RequestFraming()
    private var next: UnsafePointer<UInt8>
    private let start: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var out: UnsafeMutablePointer<UInt8>
    private let bytes: UnsafeMutablePointer<UInt8>
    private let ends: UnsafeMutablePointer<UInt32>
    private(set) var endCount = 0
    private let limits: Limits
    private let scheme: Scheme

    /// Where the authority has to be put in, or is, in the URL.
    private var authority: UnsafeMutablePointer<UInt8>
    private var authorityCount = 0
    private var targetHasAuthority = false
    private var fieldCount = 0
    private var hasHost = false
    private var contentLength: Int?
    private var isChunked = false
    /// Names that Connection declares to be about this connection only; nearly always none.
    private var nominated: [[UInt8]] = []

    var byteCount: Int { out - bytes }

    init(
        _ start: UnsafePointer<UInt8>, count: Int, bytes: UnsafeMutablePointer<UInt8>,
        ends: UnsafeMutablePointer<UInt32>, limits: Limits, scheme: Scheme
    ) {
        next = start
        self.start = start
        end = start + count
        out = bytes
        authority = bytes
        self.bytes = bytes
        self.ends = ends
        self.limits = limits
        self.scheme = scheme
    }

    mutating func run() throws(Stop) {
        try skipEmptyLines()
        try scanMethod()
        try scanTarget()
        try scanVersion()
        let fields = next
        while try !scanEmptyLine() {
            try scanField()
            if next - fields > limits.headerBytes { throw .rejected(.oversizedHeader) }
        }
        try finish()
    }

    // MARK: The request line

    /// Some clients send an empty line behind a body (RFC 9112, section 2.2).
    private mutating func skipEmptyLines() throws(Stop) {
        var count = 0
        while next < end, next[0] == ASCII.carriageReturn {
            guard end - next >= 2 else { throw .needsMore }
            guard next[1] == ASCII.lineFeed else { throw .rejected(.bareLineEnd) }
            next += 2
            count += 1
            if count > Self.mostEmptyLines { throw .rejected(.malformedLine) }
        }
        if next == end { throw .needsMore }
    }

    private mutating func scanMethod() throws(Stop) {
        let method = next
        let token = ByteTable.token
        while next < end, token[next[0]] != 0 {
            out[0] = next[0]
            out += 1
            next += 1
            if next - method > Self.longestMethod { throw .rejected(.unsupportedMethod) }
        }
        guard next < end else { throw .needsMore }
        guard next[0] == ASCII.space, next > method else { throw .rejected(.malformedMethod) }
        if Bytes.equal(method, next - method, "HEAD") { framing.isHead = true }
        if Bytes.equal(method, next - method, "CONNECT") { throw .rejected(.unsupportedMethod) }
        next += 1
        markEnd()
    }

    private mutating func scanTarget() throws(Stop) {
        let target = next
        let table = ByteTable.target
        while next < end, table[next[0]] != 0 || isBackslashInQuery(from: target) { next += 1 }
        let count = next - target
        if count > limits.urlBytes { throw .rejected(.oversizedTarget) }
        guard next < end else { throw .needsMore }
        guard next[0] == ASCII.space, count > 0 else { throw .rejected(.malformedTarget) }
        next += 1
        out = Bytes.copy(scheme.prefix, to: out)
        authority = out
        if target[0] == ASCII.slash {
            out = Bytes.copy(target, count, to: out)
        } else if Bytes.equal(target, count, "*"), Bytes.equal(bytes, Int(ends[0]), "OPTIONS") {
            out = Bytes.copy("/", to: out)
        } else {
            try scanAbsolute(target, count)
        }
        markEnd()
    }

    private func isBackslashInQuery(from target: UnsafePointer<UInt8>) -> Bool {
        next[0] == UInt8(ascii: "\\") && memchr(target, Int32(ASCII.question), next - target) != nil
    }

    /// The absolute form, whose host counts for more than the Host field (RFC 9112, section 3.2.2).
    private mutating func scanAbsolute(_ target: UnsafePointer<UInt8>, _ count: Int) throws(Stop) {
        if Bytes.hasPrefix(target, count, lowercase: scheme.otherPrefix) { throw .rejected(.wrongScheme) }
        guard Bytes.hasPrefix(target, count, lowercase: scheme.prefix) else { throw .rejected(.malformedTarget) }
        let host = target + scheme.prefix.utf8CodeUnitCount
        let targetEnd = target + count
        var hostEnd = host
        while hostEnd < targetEnd, hostEnd[0] != ASCII.slash, hostEnd[0] != ASCII.question { hostEnd += 1 }
        authorityCount = hostEnd - host
        guard Authority.copy(host, authorityCount, to: out) else { throw .rejected(.malformedTarget) }
        out += authorityCount
        targetHasAuthority = true
        if hostEnd == targetEnd || hostEnd[0] == ASCII.question { out = Bytes.copy("/", to: out) }
        out = Bytes.copy(hostEnd, targetEnd - hostEnd, to: out)
    }

    private mutating func scanVersion() throws(Stop) {
        guard end - next >= 10 else { throw .needsMore }
        if Bytes.equal(next, 8, "HTTP/1.0") {
            framing.isVersion10 = true
            framing.keepsAlive = false
        } else if !Bytes.equal(next, 8, "HTTP/1.1") {
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            let isOther =
                Bytes.equal(next, 5, "HTTP/") && digits.contains(next[5]) && next[6] == UInt8(ascii: ".")
                && digits.contains(next[7])
            throw .rejected(isOther ? .unsupportedVersion : .malformedVersion)
        }
        guard next[8] == ASCII.carriageReturn, next[9] == ASCII.lineFeed else { throw .rejected(.malformedLine) }
        next += 10
    }

    // MARK: Fields

    private mutating func scanEmptyLine() throws(Stop) -> Bool {
        guard next < end else { throw .needsMore }
        guard next[0] == ASCII.carriageReturn else { return false }
        guard end - next >= 2 else { throw .needsMore }
        guard next[1] == ASCII.lineFeed else { throw .rejected(.bareLineEnd) }
        next += 2
        return true
    }

    private mutating func scanField() throws(Stop) {
        fieldCount += 1
        if fieldCount > limits.headerFields { throw .rejected(.oversizedHeader) }
        let name = out
        try scanName()
        let nameCount = out - name
        try scanValue()
        let value = name + nameCount
        while out > value, out[-1] == ASCII.space || out[-1] == ASCII.tab { out -= 1 }
        guard try isEndToEnd(name, nameCount, value, out - value) else {
            out = name
            return
        }
        ends[endCount] = UInt32(value - bytes)
        ends[endCount + 1] = UInt32(byteCount)
        endCount += 2
        if nameCount == 4, Bytes.equal(name, 4, "host") { try settleHost(value) }
    }

    private mutating func scanName() throws(Stop) {
        let name = next
        let token = ByteTable.token
        while next < end {
            let byte = token[next[0]]
            if byte == 0 { break }
            out[0] = byte
            out += 1
            next += 1
        }
        guard next < end else { throw .needsMore }
        guard next[0] == ASCII.colon, next > name else { throw .rejected(rejectionOfName(startingAt: name)) }
        next += 1
    }

    private func rejectionOfName(startingAt name: UnsafePointer<UInt8>) -> Rejection {
        switch next[0] {
        case ASCII.space, ASCII.tab: next == name ? .foldedField : .spaceBeforeColon
        case ASCII.carriageReturn, ASCII.lineFeed: next == name ? .bareLineEnd : .malformedField
        default: .malformedField
        }
    }

    private mutating func scanValue() throws(Stop) {
        while next < end, next[0] == ASCII.space || next[0] == ASCII.tab { next += 1 }
        while true {
            while end - next >= 8 {
                let eight = UnsafeRawPointer(next).loadUnaligned(as: UInt64.self)
                guard ASCII.areVisible(eight) else { break }
                UnsafeMutableRawPointer(out).storeBytes(of: eight, as: UInt64.self)
                next += 8
                out += 8
            }
            let rest = next
            while next < end, ASCII.isFieldByte(next[0]), next - rest < 8 {
                out[0] = next[0]
                out += 1
                next += 1
            }
            if next - rest < 8 { break }
        }
        guard end - next >= 2 else {
            if next < end, next[0] != ASCII.carriageReturn { throw .rejected(rejectionOfValue) }
            throw .needsMore
        }
        guard next[0] == ASCII.carriageReturn, next[1] == ASCII.lineFeed else { throw .rejected(rejectionOfValue) }
        next += 2
    }

    private var rejectionOfValue: Rejection {
        next[0] == ASCII.carriageReturn || next[0] == ASCII.lineFeed ? .bareLineEnd : .malformedField
    }

    @inline(__always)
    private mutating func markEnd() {
        ends[endCount] = UInt32(byteCount)
        endCount += 1
    }

    // MARK: What the fields mean

    /// Notes what a field says about framing and connection. False for those that are the connection's own: the
    /// worker does not see them.
    private mutating func isEndToEnd(
        _ name: UnsafeMutablePointer<UInt8>, _ nameCount: Int, _ value: UnsafeMutablePointer<UInt8>, _ count: Int
    ) throws(Stop) -> Bool {
        switch nameCount {
        case 2:
            return !Bytes.equal(name, 2, "te")
        case 6 where Bytes.equal(name, 6, "expect"):
            guard Bytes.isEqual(value, count, lowercase: "100-continue") else { throw .rejected(.unknownExpectation) }
            framing.expectsContinue = true
            return false
        case 7:
            return !Bytes.equal(name, 7, "trailer")
        case 10 where Bytes.equal(name, 10, "connection"):
            noteConnection(value, count)
            return false
        case 10:
            return !Bytes.equal(name, 10, "keep-alive")
        case 14 where Bytes.equal(name, 14, "content-length"):
            if contentLength != nil { throw .rejected(.repeatedLength) }
            contentLength = try length(value, count)
            return true
        case 16:
            return !Bytes.equal(name, 16, "proxy-connection")
        case 17 where Bytes.equal(name, 17, "transfer-encoding"):
            guard !isChunked, Bytes.isEqual(value, count, lowercase: "chunked") else {
                throw .rejected(.unknownCoding)
            }
            isChunked = true
            return false
        default:
            return true
        }
    }

    private func length(_ value: UnsafePointer<UInt8>, _ count: Int) throws(Stop) -> Int {
        guard count > 0 else { throw .rejected(.malformedLength) }
        var length = 0
        for index in 0..<count {
            let digit = Int(value[index]) - Int(ASCII.zero)
            guard (0...9).contains(digit) else { throw .rejected(.malformedLength) }
            // Stops growing when it is too large in any case.
            if length <= Int.max / 16 { length = length * 10 + digit }
        }
        return length
    }

    private mutating func settleHost(_ value: UnsafeMutablePointer<UInt8>) throws(Stop) {
        if hasHost { throw .rejected(.repeatedHost) }
        hasHost = true
        let count = out - value
        guard count <= Self.longestAuthority else { throw .rejected(.malformedHost) }
        if targetHasAuthority {
            // The field must be well-formed even where it does not count.
            let spare = out + count
            guard Authority.copy(value, count, to: spare) else { throw .rejected(.malformedHost) }
            out = Bytes.copy(authority, authorityCount, to: value)
            ends[endCount - 1] = UInt32(byteCount)
            return
        }
        // What comes after the authority in the URL and all fields so far make room for it. The Host field is usually
        // the first: then that is little more than the path.
        memmove(authority + count, authority, out - authority)
        for index in 1..<endCount { ends[index] += UInt32(count) }
        out += count
        guard Authority.copy(value + count, count, to: authority) else { throw .rejected(.malformedHost) }
        authorityCount = count
    }

    private mutating func noteConnection(_ value: UnsafePointer<UInt8>, _ count: Int) {
        Bytes.forEachToken(value, count) { token, count in
            if Bytes.isEqual(token, count, lowercase: "close") {
                framing.keepsAlive = false
            } else if Bytes.isEqual(token, count, lowercase: "keep-alive") {
                if framing.isVersion10 { framing.keepsAlive = true }
            } else if Bytes.isEqual(token, count, lowercase: "upgrade") {
                framing.namesUpgrade = true
            } else if !Bytes.isEqual(token, count, lowercase: "te") {
                nominated.append(UnsafeBufferPointer(start: token, count: count).map { ByteTable.token[$0] })
            }
        }
    }

    private mutating func finish() throws(Stop) {
        guard hasHost else { throw .rejected(.missingHost) }
        if isChunked {
            if contentLength != nil { throw .rejected(.lengthAndCoding) }
            if framing.isVersion10 { throw .rejected(.codingInOldVersion) }
            framing.body = .chunked
        } else if let contentLength, contentLength > 0 {
            if contentLength > limits.bodyBytes { throw .rejected(.oversizedBody) }
            framing.body = .length(contentLength)
        }
        if framing.isVersion10 || framing.body == .none { framing.expectsContinue = false }
        framing.headerBytes = next - start
        if !nominated.isEmpty { dropNominated() }
    }

    /// Takes out the fields that Connection names (RFC 9110, section 7.6.1), save those that the message hangs on.
    private mutating func dropNominated() {
        let essential = ["host", "content-length", "upgrade"].map { Array($0.utf8) }
        nominated.removeAll { essential.contains($0) }
        var kept = 2
        var from = Int(ends[1])
        var to = from
        for field in stride(from: 2, to: endCount, by: 2) {
            let nameCount = Int(ends[field]) - from
            let count = Int(ends[field + 1]) - from
            let name = UnsafeBufferPointer(start: bytes + from, count: nameCount)
            if !nominated.contains(where: { $0.elementsEqual(name) }) {
                memmove(bytes + to, bytes + from, count)
                ends[kept] = UInt32(to + nameCount)
                ends[kept + 1] = UInt32(to + count)
                kept += 2
                to += count
            }
            from += count
        }
        endCount = kept
        out = bytes + to
    }
}
