internal import NIOCore
internal import NIOSSL

/// Whether a TLS connection leads to the host that was asked for, asked once for each connection.
///
/// The TLS library has verified the certificate, but for a named host it is content if the certificate is good for the
/// address that was dialled. Whoever can lie about a name's address may well have such a one, so the name is asked for
/// here.
final class PeerIdentity: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    /// On the connection's own channel. A handler of this type in its pipeline says that it was verified.
    static func isVerified(_ channel: any Channel, for target: OriginTarget) -> Bool {
        guard target.isTLS, target.literal == nil else { return true }
        let pipeline = channel.pipeline.syncOperations
        if (try? pipeline.handler(type: PeerIdentity.self)) != nil { return true }
        guard let certificate = try? pipeline.nioSSL_peerCertificate(), names(target.host, certificate) else {
            return false
        }
        return (try? pipeline.addHandler(PeerIdentity(), position: .last)) != nil
    }

    private static func names(_ host: String, _ certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames().contains { name in
            name.nameType == .dnsName && matches(host, String(decoding: name.contents, as: UTF8.self))
        }
    }

    /// RFC 9525, section 6.3: a name matches itself, and one with a star for its first label all that differ in that.
    static func matches(_ host: String, _ name: String) -> Bool {
        let host = host.hasSuffix(".") ? host.dropLast() : host[...]
        let name = name.lowercased()
        if !name.hasPrefix("*.") { return host == name }
        guard let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
        return host[dot...] == name.dropFirst()
    }
}
