internal import Glibc
internal import Runtime

/// A socket that comes from a trusted proxy: it begins with whom the proxy speaks for.
final class ProxyGreeting: IngressMember {
    private(set) var socket: AcceptedSocket
    let ingress: Ingress
    var index = 0
    let deadline: UInt64
    private var registration: EventLoop.Registration?
    private var bytes: [UInt8] = []

    init(_ socket: AcceptedSocket, ingress: Ingress) throws(SystemCallError) {
        self.socket = socket
        self.ingress = ingress
        deadline = ingress.loop.now &+ ingress.times.header
        registration = try ingress.loop.register(socket.descriptor, for: [.readable], handler: self)
        ingress.sweep(by: deadline)
    }

    /// Receives what is missing and nothing beyond: what follows is for others.
    private func receive() {
        var missing = ProxyHeader.fixedBytes - bytes.count
        if missing <= 0 {
            guard let rest = ProxyHeader.rest(of: bytes) else { return close() }
            missing += rest
        }
        let count = missing > 0 ? recv(socket.descriptor, ingress.receiveBlock, missing, Int32(MSG_DONTWAIT)) : 0
        if missing > 0, count <= 0 {
            if count == 0 || errno != EAGAIN { close() }
            return
        }
        bytes += UnsafeBufferPointer(start: ingress.receiveBlock, count: count)
        guard bytes.count >= ProxyHeader.fixedBytes else { return }
        guard let rest = ProxyHeader.rest(of: bytes) else { return close() }
        if bytes.count == ProxyHeader.fixedBytes + rest { handOn() }
    }

    private func handOn() {
        guard let header = ProxyHeader(bytes) else { return close() }
        if let registration { ingress.loop.unregister(registration) }
        registration = nil
        if case .from(let address) = header {
            let client = ClientAddress(address)
            if let refusal = ingress.refusal(ofNetworkOf: client, at: socket.door.listener) {
                ingress.remove(self)
                return ingress.refuse(socket.descriptor, at: socket.door.listener, with: refusal)
            }
            socket.door.left(from: socket.address.network)
            socket.door.entered(from: client.network)
            socket.address = client
        }
        socket.isProxied = true
        do {
            ingress.replace(self, with: try ingress.greet(socket))
        } catch {
            ingress.abandon(self)
        }
    }

    func timedOut() { close() }
    func drain() { close() }
    func lost() { close() }

    private func close() {
        guard let registration else { return }
        self.registration = nil
        ingress.remove(self)
        ingress.loop.closeAccepted(registration)
    }
}

extension ProxyGreeting: EventHandler {
    func ready(_ readiness: Readiness) {
        if readiness.isAny(of: .failed) { return close() }
        receive()
    }
}
