internal import Model

/// A subrequest's method and URL, taken apart and checked: nothing that could end a line or start another request.
struct OriginTarget: Sendable {
    let method: String
    let isTLS: Bool
    /// Who is dialled: the URL's host, unless the request goes by way of another. IPv6 in brackets.
    let host: String
    let port: Int
    /// The host's address, if it is one and no name.
    let literal: IPAddress?
    /// Path and query, as they are sent.
    let uri: String

    /// The Host field: the URL's host, and its port if it is not the scheme's own.
    let authority: String
    /// The operator has set it: no address is out of bounds.
    let isTrusted: Bool

    init(_ request: EgressRequest) throws(EgressFailure) {
        let head = request.head
        method = head.methodString
        guard !method.isEmpty, method.utf8.allSatisfy(Self.isTokenByte), method != "CONNECT" else {
            throw .invalidRequest("Invalid HTTP method string: \(method)")
        }
        let url = head.bytes[head.url]
        guard let rest = Self.scheme(of: url) else {
            throw .invalidRequest("Fetch API cannot load: the URL's scheme is neither http nor https.")
        }
        let end = rest.url.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.url.endIndex
        guard let authority = Self.authority(rest.url[..<end]), rest.url[end...].allSatisfy(Self.isTargetByte) else {
            throw .invalidRequest("Invalid URL.")
        }
        let standardPort = rest.isTLS ? 443 : 80
        let port = authority.port ?? standardPort
        self.authority = port == standardPort ? authority.host : "\(authority.host):\(port)"
        isTLS = request.via?.isTLS ?? rest.isTLS
        host = request.via?.host ?? authority.host
        self.port = request.via?.port ?? port
        literal = request.via.map { Self.address(of: $0.host) } ?? authority.literal
        isTrusted = request.via?.isTrusted ?? false
        let target = String(decoding: rest.url[end...], as: UTF8.self)
        uri = target.hasPrefix("/") ? target : "/\(target)"
    }

    /// The address that a host is; nil if it is a name.
    private static func address(of host: String) -> IPAddress? {
        IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    }

    private static func scheme(of url: ArraySlice<UInt8>) -> (isTLS: Bool, url: ArraySlice<UInt8>)? {
        if url.starts(with: "https://".utf8) { return (true, url.dropFirst(8)) }
        if url.starts(with: "http://".utf8) { return (false, url.dropFirst(7)) }
        return nil
    }

    private static func authority(
        _ bytes: ArraySlice<UInt8>
    ) -> (host: String, port: Int?, literal: IPAddress?)? {
        var host = bytes
        var port: Int?
        let isBracketed = bytes.first == UInt8(ascii: "[")
        let afterHost = isBracketed ? bytes.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } : nil
        if isBracketed && afterHost == nil { return nil }
        if let colon = bytes[(afterHost ?? bytes.startIndex)...].firstIndex(of: UInt8(ascii: ":")) {
            guard let number = Self.port(bytes[(colon + 1)...]) else { return nil }
            port = number
            host = bytes[..<colon]
        }
        let text = String(decoding: host, as: UTF8.self)
        if isBracketed {
            guard host.endIndex == afterHost, let address = IPAddress(String(text.dropFirst().dropLast())),
                case .v6 = address
            else { return nil }
            return (text, port, address)
        }
        guard (1...253).contains(host.count), host.allSatisfy(Self.isHostByte) else { return nil }
        return (text, port, IPAddress(text))
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return number <= 65_535 ? number : nil
    }

    /// What may stand in a request's target: all that is visible, as the URL Standard leaves some bytes unescaped that
    /// RFC 3986 would not.
    private static func isTargetByte(_ byte: UInt8) -> Bool {
        (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "#")
    }

    /// Lower case, because the URL Standard writes hosts so; no percent signs, for nobody may decode them differently.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
