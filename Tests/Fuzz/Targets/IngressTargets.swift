import Edge
import Model

/// The parsers of HTTP/1.1: whatever the pieces in which bytes come, the result is the same.
enum IngressTargets {
    private static let limits: IngressLimits = {
        var limits = IngressLimits()
        limits.urlBytes = 256
        limits.headerBytes = 1_024
        limits.headerFields = 16
        limits.bodyBytes = 4_096
        limits.chunkExtensionBytes = 64
        limits.trailerBytes = 128
        return limits
    }()

    /// An input's first two bytes say where it is cut.
    @Sendable static func head(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let cut = input.number(below: bytes.count)
        let text = input.all()
        let parser = RequestParser(limits: limits)
        var whole = RequestHead()
        var progress = RequestParser.Progress()
        let first = text.withUnsafeBytes { parser.parse($0, progress: &progress, into: &whole) }
        var head = RequestHead()
        progress = RequestParser.Progress()
        let prefix = text.prefix(cut)
        var second = prefix.withUnsafeBytes { parser.parse($0, progress: &progress, into: &head) }
        if second == .needsMore {
            second = text.withUnsafeBytes { parser.parse($0, progress: &progress, into: &head) }
        }
        // A header that is none may be refused before it is complete or when it is; what is taken is the same.
        guard case .request(let framing) = first else {
            if case .request = second { require(false, "taken in two pieces, not whole: \(first)") }
            return
        }
        require(first == second, "cut at \(cut): \(first), \(second)")
        require(framing.headerBytes <= text.count)
        require(whole.urlString == head.urlString && whole.fieldCount == head.fieldCount)
        require(whole.fieldCount <= limits.headerFields)
        for field in 0..<whole.fieldCount {
            let value = whole.bytes[whole.value(field)]
            require(!value.contains(10) && !value.contains(13) && !value.contains(0))
        }
    }

    @Sendable static func chunks(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let cut = min(input.number(below: bytes.count), max(0, bytes.count - 2))
        let wire = input.all()
        let whole = decode([wire])
        let pieces = decode([Array(wire.prefix(cut)), Array(wire.dropFirst(cut))])
        require(whole.progress == pieces.progress, "cut at \(cut): \(whole.progress), \(pieces.progress)")
        guard whole.progress == .complete else { return }
        require(whole.body == pieces.body && whole.rest == pieces.rest)
        require(whole.body.count <= limits.bodyBytes && whole.body.count + whole.rest.count <= wire.count)
    }

    private static func decode(
        _ pieces: [[UInt8]]
    ) -> (progress: ChunkedDecoder.Progress, body: [UInt8], rest: [UInt8]) {
        var decoder = ChunkedDecoder()
        var memory: [UInt8] = pieces.flatMap { $0 } + [0]
        var (raw, body) = (0..<0, 0..<0)
        var progress = ChunkedDecoder.Progress.needsMore
        let total = memory.count - 1
        memory.withUnsafeMutableBufferPointer { memory in
            for piece in pieces where progress == .needsMore {
                raw = raw.lowerBound..<raw.upperBound + piece.count
                progress = decoder.decode(memory.baseAddress!, raw: &raw, body: &body, limits: limits)
            }
        }
        return (progress, Array(memory[body]), Array(memory[raw.lowerBound..<total]))
    }

    /// What a connection's first bytes say of whom it is for: as soon as they say it, more of them change nothing.
    @Sendable static func firstBytes(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let isSecure = input.byte() & 1 == 1
        let cut = input.number(below: bytes.count)
        let text = input.all()
        let whole = text.withUnsafeBytes { FirstBytes.inspect($0, isSecure: isSecure) }
        let part = Array(text.prefix(cut)).withUnsafeBytes { FirstBytes.inspect($0, isSecure: isSecure) }
        require(part == .needsMore || part == whole, "cut at \(cut): \(part), \(whole)")
        guard case .wants(let host?, let target) = whole else { return }
        require(!host.isEmpty && host == host.lowercased() && !target.isEmpty, "\(host) \(target)")
    }

    @Sendable static func proxyHeader(_ bytes: [UInt8]) {
        let header = ProxyHeader(bytes)
        guard let rest = ProxyHeader.rest(of: Array(bytes.prefix(ProxyHeader.fixedBytes))) else {
            require(header == nil)
            return
        }
        require(header == nil || bytes.count == ProxyHeader.fixedBytes + rest)
    }
}
