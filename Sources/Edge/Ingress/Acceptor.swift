internal import Glibc
internal import Model
internal import Runtime

/// Takes a listener's connections in, on one lane.
final class Acceptor {
    /// Connections taken in a turn at most, so that those that are there get theirs.
    private static let batch = 16
    /// How long to wait, in nanoseconds, when there are no descriptors left.
    private static let pause: UInt64 = 100_000_000

    private unowned let ingress: Ingress
    private let listener: Listener
    private let handler: any RequestHandler
    private var registration: EventLoop.Registration?
    private var door: LaneDoor?

    init(_ listener: Listener, ingress: Ingress, handler: any RequestHandler) throws(SystemCallError) {
        self.listener = listener
        self.ingress = ingress
        self.handler = handler
        try register()
        let door = LaneDoor(self, on: ingress.loop, of: listener)
        self.door = door
        listener.add(door)
    }

    private func register() throws(SystemCallError) {
        registration = try ingress.loop.register(
            listener.descriptor, for: [.readable, .exclusive], isListener: true, handler: self)
    }

    /// Takes no more; what waits in the queue is taken still, if this lane is the one that closes the door.
    func close() {
        if registration != nil { accept(atMost: .max) }
        unregister()
        if let door { listener.remove(door) }
    }

    private func unregister() {
        if let registration { ingress.loop.unregister(registration) }
        registration = nil
    }

    private func accept(atMost limit: Int) {
        var taken = 0
        while taken < limit {
            var storage = sockaddr_storage()
            let descriptor = withUnsafeMutableBytes(of: &storage) {
                ingress.loop.remote.acceptedSockets.accept(from: listener.descriptor, $0)
            }
            if descriptor < 0 {
                switch errno {
                case EINTR, ECONNABORTED, EPROTO: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pause()
                default: return
                }
            }
            admit(descriptor, from: ClientAddress(storage))
            taken += 1
        }
    }

    /// A socket that cannot be taken would be reported again at once: look away for a moment.
    private func pause() {
        unregister()
        ingress.loop.schedule(after: Self.pause) { [weak self] in
            guard let self, door != nil, !ingress.isDraining else { return }
            if (try? register()) == nil { pause() }
        }
    }

    private func admit(_ descriptor: Int32, from address: ClientAddress) {
        if let page = ingress.refusal(of: address, at: listener) {
            return ingress.refuse(descriptor, at: listener, with: page)
        }
        let sockets = ingress.loop.remote.acceptedSockets
        if let door, let other = listener.door(withLessThan: door), !ingress.isDraining {
            sockets.hand(descriptor, to: other.loop.acceptedSockets)
            if other.pass(PassedSocket(descriptor), from: address) { return }
            other.loop.acceptedSockets.hand(descriptor, to: sockets)
        }
        take(PassedSocket(descriptor), from: address)
    }

    /// Takes no connections of its own, or does again; those that others have accepted it serves all the same.
    func setAccepting(_ isAccepting: Bool) {
        guard isAccepting == (registration == nil) else { return }
        if isAccepting { try? register() } else { unregister() }
    }

    /// A socket that another lane or process has accepted.
    func receive(_ socket: PassedSocket, from address: ClientAddress) {
        if let page = ingress.refusal(of: address, at: listener) {
            return ingress.refuse(socket.descriptor, at: listener, with: page)
        }
        take(socket, from: address)
    }

    /// Serves a socket that has been accepted.
    private func take(_ socket: PassedSocket, from address: ClientAddress) {
        guard let door,
            (try? ingress.add(
                AcceptedSocket(
                    descriptor: socket.descriptor, address: address, door: door, handler: handler,
                    received: socket.received, staysForOne: socket.staysForOne))) != nil
        else { return ingress.loop.remote.acceptedSockets.close(socket.descriptor) }
    }
}

extension Acceptor: EventHandler {
    func ready(_ readiness: Readiness) {
        // A listener that was stopped reports a hang-up for ever.
        if readiness.contains(.hungUp) || readiness.contains(.failed) { return unregister() }
        accept(atMost: Self.batch)
    }
}
