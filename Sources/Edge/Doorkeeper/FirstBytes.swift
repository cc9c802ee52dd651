/// What the first bytes of a connection say about whom it is for, looked at without consuming them.
package enum FirstBytes: Equatable {
    /// It cannot be said yet.
    case needsMore
    /// The host is in lower case, without port; nil if there is none that can be used. The target is a path, with its
    /// query; "/" where it cannot be seen.
    case wants(host: String?, target: String)

    /// More bytes than these are not looked at.
    static let most = 16 << 10

    package static func inspect(_ bytes: UnsafeRawBufferPointer, isSecure: Bool) -> FirstBytes {
        guard isSecure else { return http(bytes[...]) }
        switch ClientHello.inspect(bytes) {
        case .needsMore: return .needsMore
        case .wants(let name): return .wants(host: name, target: "/")
        // Whoever gets it says what is wrong.
        case .foreign: return .wants(host: nil, target: "/")
        }
    }

    /// The request line and the field Host, as far as they are needed to choose: whoever gets the connection parses
    /// them strictly (RFC 9112, section 3).
    private static func http(_ bytes: Slice<UnsafeRawBufferPointer>) -> FirstBytes {
        var rest = bytes.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        guard let line = takeLine(&rest) else { return .needsMore }
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count == 3 else { return .wants(host: nil, target: "/") }
        let target = text(words[1])
        if let colon = target.firstRange(of: "://") {
            let authority = target[colon.upperBound...]
            let slash = authority.firstIndex { $0 == "/" || $0 == "?" } ?? authority.endIndex
            return .wants(
                host: host(authority[..<slash]),
                target: slash == authority.endIndex ? "/" : String(authority[slash...]))
        }
        while let line = takeLine(&rest) {
            if line.isEmpty { return .wants(host: nil, target: target) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), line[..<colon].count == 4,
                text(line[..<colon]).lowercased() == "host"
            else { continue }
            let value = text(line[line.index(after: colon)...]).drop { $0 == " " || $0 == "\t" }
            return .wants(host: host(value), target: target)
        }
        return .needsMore
    }

    private static func takeLine(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        var line = rest[..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        rest = rest[(end + 1)...]
        return line
    }

    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func host(_ authority: Substring) -> String? {
        var host = authority.lowercased()[...]
        while host.last == " " || host.last == "\t" { host.removeLast() }
        if host.last != "]", let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        if host.last == "." { host.removeLast() }
        return host.isEmpty ? nil : String(host)
    }
}
