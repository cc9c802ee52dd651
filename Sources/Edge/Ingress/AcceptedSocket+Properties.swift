internal import Glibc
internal import Model

extension AcceptedSocket {
    /// What is known of a request besides its head.
    func properties(at location: EdgeLocation, over version: String, _ secure: SecureSocket?) -> RequestProperties {
        var properties = RequestProperties(location: location, httpProtocol: version)
        properties.clientRoundTrip = clientRoundTrip
        if let secure {
            properties.tlsVersion = secure.version
            properties.tlsCipher = nil
        }
        return properties
    }

    /// In milliseconds.
    private var clientRoundTrip: Int? {
        // The field tcpi_rtt of struct tcp_info (linux/tcp.h), in microseconds.
        let offset = 68
        var info = [UInt8](repeating: 0, count: 104)
        var length = socklen_t(info.count)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0, Int(length) >= offset + 4
        else {
            return nil
        }
        let microseconds = info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        return Int((microseconds + 500) / 1_000)
    }
}
