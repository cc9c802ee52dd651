internal import Glibc
internal import Model
internal import Runtime

/// Sockets in, or not.
extension Ingress {
    /// Why a listener has no room for a client; nil if it has.
    func refusal(of client: ClientAddress, at listener: Listener) -> ErrorPage? {
        if listener.count(from: client.network).all >= limits.connections { return ErrorPage(.loadShed) }
        return refusal(ofNetworkOf: client, at: listener)
    }

    /// The same of a client whose connection is counted among all already, as its proxy's.
    func refusal(ofNetworkOf client: ClientAddress, at listener: Listener) -> ErrorPage? {
        guard listener.count(from: client.network).ofNetwork >= limits.connectionsPerAddress,
            limits.countsLoopback || !client.isLoopback, !isProxy(client)
        else { return nil }
        return ErrorPage(
            status: 429, message: "There are too many connections from your address.", outcome: .loadShed,
            retryAfter: 1)
    }

    /// Says why, as well as it can be said to somebody who is not listened to, and closes. The socket is not watched.
    func refuse(_ descriptor: Int32, at listener: Listener, with page: ErrorPage) {
        // Over TLS there is no saying it before a handshake, which costs more than the connection is worth.
        if listener.certificates == nil {
            let answer = bytes(of: page)
            answer.withUnsafeBytes {
                _ = send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
        }
        loop.remote.acceptedSockets.close(descriptor)
    }

    /// Whether the client is trusted to say for whom it speaks.
    private func isProxy(_ client: ClientAddress) -> Bool {
        settings.proxies.contains { $0.contains(client.address) }
    }

    /// What a socket begins with.
    func receive(_ socket: AcceptedSocket) throws(SystemCallError) -> any IngressMember {
        isProxy(socket.address) ? try ProxyGreeting(socket, ingress: self) : try greet(socket)
    }

    /// What a socket goes on with when it is known whose it is.
    func greet(_ socket: AcceptedSocket) throws(SystemCallError) -> any IngressMember {
        if let store = socket.door.listener.certificates {
            return try SecureGreeting(socket, store: store, ingress: self)
        }
        return try Connection(socket, ingress: self)
    }
}
