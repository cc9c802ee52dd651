internal import Model

/// Who the server is on one TLS connection, and so for which hosts it takes requests there.
final class ServedIdentity {
    let certificate: Certificate
    private let set: CertificateSet
    /// The host of the last request, which was right: the next is most often for the same.
    private var lastHost: [UInt8] = []

    /// - Parameter name: what the client asked for.
    init(_ set: CertificateSet, for name: String?) {
        self.set = set
        certificate = set.certificate(for: name)
    }

    /// Whether a connection for the request's host would have been given the same certificate. If not, the client has
    /// mistaken us for somebody else, and is told 421 (RFC 9110, section 7.4).
    func serves(_ head: RequestHead) -> Bool {
        if set.certificates.count == 1 { return true }
        let host = Self.host(in: head)
        if host.elementsEqual(lastHost) { return true }
        let name = String(decoding: host.last == UInt8(ascii: ".") ? host.dropLast() : host, as: UTF8.self)
        guard set.certificate(for: name) === certificate else { return false }
        lastHost = Array(host)
        return true
    }

    /// The host in the URL, which the parser has made absolute and put in lower case, without its port.
    private static func host(in head: RequestHead) -> ArraySlice<UInt8> {
        let rest = head.bytes[head.url].dropFirst("https://".utf8.count)
        let end = rest.firstIndex { $0 == ASCII.slash || $0 == ASCII.question } ?? rest.endIndex
        let authority = rest[..<end]
        if authority.first == UInt8(ascii: "[") { return authority.prefix { $0 != UInt8(ascii: "]") } }
        return authority.prefix { $0 != ASCII.colon }
    }
}
