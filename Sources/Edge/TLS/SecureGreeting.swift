internal import Glibc
internal import Model
internal import Runtime

/// A socket from which a TLS handshake is awaited: finds the certificate for the name that the client asks for, lets
/// both shake hands, and makes a connection of it.
final class SecureGreeting: IngressMember {
    let socket: AcceptedSocket
    let ingress: Ingress
    var index = 0
    let deadline: UInt64
    private let store: CertificateStore
    private var registration: Runtime.EventLoop.Registration?
    /// What has arrived of the client's first message, before the certificate is chosen.
    private var hello: [UInt8] = []
    private var secure: SecureSocket?

    init(_ socket: AcceptedSocket, store: CertificateStore, ingress: Ingress) throws(SystemCallError) {
        self.socket = socket
        self.store = store
        self.ingress = ingress
        deadline = ingress.loop.now &+ ingress.times.header
        registration = try ingress.loop.register(
            socket.descriptor, for: [.readable, .writable, .peerClosed, .onChange], handler: self)
        ingress.sweep(by: deadline)
    }

    // MARK: The client's first message

    /// Returns false if there is nothing more to read for now, or the connection is gone.
    private func receiveHello() -> Bool {
        let room = ClientHello.longest
        let count = recv(socket.descriptor, ingress.receiveBlock, room, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { close() }
            return false
        }
        hello += UnsafeBufferPointer(start: ingress.receiveBlock, count: count)
        switch hello.withUnsafeBytes(ClientHello.inspect) {
        case .needsMore:
            if hello.count >= ClientHello.longest { close() }
            return registration != nil && count == room
        case .foreign:
            refuseForeign()
            return false
        case .wants(let name):
            begin(for: name)
            return registration != nil
        }
    }

    /// A browser that was sent to the wrong scheme shows why.
    private func refuseForeign() {
        if hello[0] >= UInt8(ascii: "A"), hello[0] <= UInt8(ascii: "Z") {
            let page = ErrorPage(status: 400, message: "This port is for https.", outcome: .rejected)
            let answer = ingress.bytes(of: page)
            _ = answer.withUnsafeBytes {
                send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            shutdown(socket.descriptor, Int32(SHUT_WR))
        }
        close()
    }

    private func begin(for name: String?) {
        guard let certificates = store.current else { return close() }
        let secure = SecureSocket(
            socket.descriptor, as: ServedIdentity(certificates, for: name), on: ingress.secureLane,
            pool: ingress.pool)
        self.secure = secure
        secure.resumed = { [weak self] in
            // Not from within a handler.
            self?.ingress.loop.enqueue { [weak self] in self?.goOn() }
        }
        secure.feed(hello)
        hello = []
        settle(secure)
    }

    /// The handshake had waited for a signature.
    private func goOn() {
        guard registration != nil, let secure else { return }
        settle(secure)
        // What came meanwhile.
        if registration != nil { advance() }
    }

    // MARK: The handshake

    private func advance() {
        if secure == nil {
            while secure == nil {
                guard receiveHello() else { return }
            }
        }
        while registration != nil, let secure {
            let count = secure.pump()
            guard count > 0 else {
                secure.flush()
                if count == 0 || errno != EAGAIN { close() }
                return
            }
            settle(secure)
            guard secure.mayHaveMore else { return }
        }
    }

    /// Sends what the handshake has brought forth, and ends it if it is over.
    private func settle(_ secure: SecureSocket) {
        if secure.flush() < 0, errno != EAGAIN { return close() }
        switch secure.state {
        case .handshaking: return
        case .failed: close()
        case .open(let name): handOn(secure, name)
        }
    }

    private func handOn(_ secure: SecureSocket, _ name: String?) {
        secure.resumed = nil
        if let registration { ingress.loop.unregister(registration) }
        registration = nil
        do {
            if name == "h2" {
                ingress.replace(self, with: try HTTP2Connection(socket, ingress: ingress, secure: secure))
            } else {
                ingress.replace(self, with: try Connection(socket, ingress: ingress, secure: secure))
            }
        } catch {
            secure.end()
            ingress.abandon(self)
        }
    }

    // MARK: The end

    func timedOut() { close() }
    func drain() { close() }
    func lost() { close() }

    private func close() {
        guard let registration else { return }
        self.registration = nil
        secure?.end()
        ingress.remove(self)
        ingress.loop.closeAccepted(registration)
    }
}

extension SecureGreeting: EventHandler {
    func ready(_ readiness: Readiness) {
        if readiness.isAny(of: .failed) { return close() }
        if readiness.isAny(of: .writable) { secure?.flush() }
        if readiness.isAny(of: .readable) || readiness.isAny(of: .peerClosed) { advance() }
    }
}
