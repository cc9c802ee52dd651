internal import Model
internal import Runtime

/// Connections that come from another process, or go back to it. Only those in the clear do: what TLS and HTTP/2 know
/// of a connection cannot be moved.
extension Connection {
    /// Begins with what another process has received.
    func takeReceived() {
        guard !socket.received.isEmpty, secure == nil else { return }
        run {
            _ = input.prepareToReceive()
            _ = socket.received.withUnsafeBytes { input.receive(copying: $0) }
            socket.received = []
            advance()
        }
    }

    /// Whether the request whose head was just parsed, and not taken yet, is to be answered by another process.
    func belongsElsewhere() -> Bool {
        guard ingress.settings.handBack != nil, secure == nil, !socket.isProxied,
            input.raw.count <= PassedSocket.mostReceived
        else { return false }
        if socket.staysForOne {
            socket.staysForOne = false
            return false
        }
        return socket.handler.isElsewhere(current.head)
    }

    /// Gives the connection away with what was received of it. All answers are with the kernel.
    func leave() {
        let passed = PassedSocket(descriptor, received: Array(input.rawBytes))
        phase = .closed
        input.release()
        output.release()
        ingress.remove(self)
        unregister()
        loop.remote.acceptedSockets.release(descriptor)
        ingress.settings.handBack?(passed, socket.door.listener)
    }
}
