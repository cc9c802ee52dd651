internal import Glibc
internal import Isolates
internal import Runtime
internal import Synchronization

/// Accepts connections for several processes that serve, looks at what each asks for, and gives its socket away
/// unread. A thread of its own; what costs is once for a connection, nothing for a request.
package final class Doorkeeper: Sendable {
    /// Whom a connection is for.
    package struct Wish: Sendable {
        /// Which of the listeners.
        package let listener: Int
        package let scheme: String
        /// In lower case, without port; empty if it is not known.
        package let host: String
        package let target: String
    }

    /// Times and amounts.
    package struct Limits: Sendable {
        /// Until a connection has said what it wants, in milliseconds; then it is closed.
        package var milliseconds = 10_000
        /// Connections that have not; the next is closed.
        package var waiting = 4_096
        /// Of these from one address.
        package var waitingOfAddress = 256
        package init() {}
    }

    private struct State {
        var loop: EventLoop.Remote?
        var isOpen = false
    }

    private let listeners: [Listener]
    private let proxies: [AddressRange]
    private let limits: Limits
    private let pass: @Sendable (_ descriptor: Int32, Wish) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - proxies: those who begin each connection with the PROXY protocol.
    ///   - pass: gets each socket, which belongs to it then. Called on the doorkeeper's thread: it must not wait.
    package init(
        listeners: [Listener], proxies: [AddressRange], limits: Limits = Limits(),
        pass: @escaping @Sendable (_ descriptor: Int32, Wish) -> Void
    ) {
        self.listeners = listeners
        self.proxies = proxies
        self.limits = limits
        self.pass = pass
    }

    /// What a connection that another process gives back asks for; nil if it is none that could be given back: it is
    /// no client's of that listener, is encrypted, or its client is known to that process only.
    /// - Returns: a number of the connection, too, which no other ever gets (socket(7), SO_COOKIE).
    package func wish(of socket: PassedSocket, listener number: Int) -> (wish: Wish, cookie: UInt64)? {
        guard listeners.indices.contains(number), !listeners[number].isSecure,
            socket.received.count <= PassedSocket.mostReceived,
            let (address, cookie) = listeners[number].client(of: socket),
            !proxies.contains(where: { $0.contains(address.address) })
        else { return nil }
        var host: String?
        var target = "/"
        socket.received.withUnsafeBytes {
            guard case .wants(let name, let path) = FirstBytes.inspect($0, isSecure: false) else { return }
            (host, target) = (name, path)
        }
        return (Wish(listener: number, scheme: "http", host: host ?? "", target: target), cookie)
    }

    /// Accepts from now on, or no more. Those that were accepted are still given away.
    package func setOpen(_ isOpen: Bool) {
        let loop = state.withLock { state in
            state.isOpen = isOpen
            return state.loop
        }
        if let loop { loop.execute { loop in self.adjust(loop) } } else if isOpen { start() }
    }

    private func start() {
        Thread.spawn(name: "doorkeeper") { [self] in
            guard let loop = try? EventLoop() else { return }
            let isFirst = state.withLock { state in
                defer { if state.loop == nil { state.loop = loop.remote } }
                return state.loop == nil
            }
            guard isFirst else { return }
            hall = Hall(loop: loop, listeners: listeners, proxies: proxies, limits: limits, pass: pass)
            adjust(loop)
            loop.run()
        }
    }

    /// Touched by the loop's thread only.
    nonisolated(unsafe) private var hall: Hall?

    private func adjust(_ loop: EventLoop) { hall?.setOpen(state.withLock { $0.isOpen }) }
}

/// Those who wait behind the door. Bound to the loop's thread.
private final class Hall {
    /// Connections taken in a turn at most.
    private static let batch = 64

    let loop: EventLoop
    private let listeners: [Listener]
    private let proxies: [AddressRange]
    fileprivate let limits: Doorkeeper.Limits
    private let pass: (_ descriptor: Int32, Doorkeeper.Wish) -> Void
    private var doors: [Door] = []
    private var waiting = 0
    private var networks: [UInt64: Int] = [:]
    fileprivate let block = UnsafeMutableRawBufferPointer.allocate(byteCount: FirstBytes.most + 4_200, alignment: 16)

    init(
        loop: EventLoop, listeners: [Listener], proxies: [AddressRange], limits: Doorkeeper.Limits,
        pass: @escaping (_ descriptor: Int32, Doorkeeper.Wish) -> Void
    ) {
        self.loop = loop
        self.listeners = listeners
        self.proxies = proxies
        self.limits = limits
        self.pass = pass
    }

    deinit { block.deallocate() }

    func setOpen(_ isOpen: Bool) {
        guard isOpen == doors.isEmpty else { return }
        for door in doors { door.close() }
        doors = isOpen ? listeners.indices.compactMap { try? Door(listeners[$0], number: $0, hall: self) } : []
    }

    fileprivate func accept(from listener: Listener, _ number: Int) {
        for _ in 0..<Self.batch {
            var storage = sockaddr_storage()
            let descriptor = withUnsafeMutableBytes(of: &storage) {
                loop.remote.acceptedSockets.accept(from: listener.descriptor, $0)
            }
            if descriptor < 0 {
                if errno == EINTR || errno == ECONNABORTED || errno == EPROTO { continue }
                return
            }
            let client = ClientAddress(storage)
            guard waiting < limits.waiting, networks[client.network, default: 0] < limits.waitingOfAddress else {
                loop.remote.acceptedSockets.close(descriptor)
                continue
            }
            let hasProxy = proxies.contains { $0.contains(client.address) }
            let visitor = Visitor(
                descriptor, listener: number, isSecure: listener.isSecure, hasProxy: hasProxy, network: client.network,
                hall: self)
            waiting += 1
            networks[client.network, default: 0] += 1
            visitor.begin()
        }
    }

    fileprivate func leave(_ visitor: Visitor) {
        waiting -= 1
        networks[visitor.network]! -= 1
        if networks[visitor.network] == 0 { networks[visitor.network] = nil }
    }

    fileprivate func give(_ visitor: Visitor, host: String?, target: String) {
        leave(visitor)
        loop.remote.acceptedSockets.release(visitor.descriptor)
        let scheme = listeners[visitor.listener].isSecure ? "https" : "http"
        pass(
            visitor.descriptor,
            Doorkeeper.Wish(listener: visitor.listener, scheme: scheme, host: host ?? "", target: target))
    }
}

/// One listener's door.
private final class Door: EventHandler {
    private let listener: Listener
    private let number: Int
    private unowned let hall: Hall
    private var registration: EventLoop.Registration?

    init(_ listener: Listener, number: Int, hall: Hall) throws(SystemCallError) {
        self.listener = listener
        self.number = number
        self.hall = hall
        registration = try hall.loop.register(
            listener.descriptor, for: [.readable], isListener: true, handler: self)
    }

    func close() {
        if let registration { hall.loop.unregister(registration) }
        registration = nil
    }

    func ready(_ readiness: Readiness) {
        if readiness.contains(.hungUp) || readiness.contains(.failed) { return close() }
        hall.accept(from: listener, number)
    }
}

/// A connection that has not said yet what it wants.
private final class Visitor: EventHandler {
    let descriptor: Int32
    let listener: Int
    let network: UInt64
    private let isSecure: Bool
    private let hasProxy: Bool
    private unowned let hall: Hall
    private var registration: EventLoop.Registration?
    private var timer: TimerToken?
    private var isOver = false

    init(
        _ descriptor: Int32, listener: Int, isSecure: Bool, hasProxy: Bool, network: UInt64, hall: Hall
    ) {
        self.descriptor = descriptor
        self.listener = listener
        self.isSecure = isSecure
        self.hasProxy = hasProxy
        self.network = network
        self.hall = hall
    }

    func begin() {
        // On change: what was looked at stays in the kernel's buffer.
        registration = try? hall.loop.register(
            descriptor, for: [.readable, .peerClosed, .onChange], handler: self)
        if registration == nil { return close() }
        timer = hall.loop.schedule(after: UInt64(hall.limits.milliseconds) * 1_000_000) { [weak self] in self?.close() }
        look()
    }

    private func look() {
        let room = FirstBytes.most + (hasProxy ? ProxyHeader.fixedBytes + ProxyHeader.mostBytes : 0)
        let count = recv(descriptor, hall.block.baseAddress, room, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { close() }
            return
        }
        var bytes = UnsafeRawBufferPointer(rebasing: hall.block[..<count])
        if hasProxy {
            let fixed = ProxyHeader.fixedBytes
            guard bytes.count >= fixed else { return }
            guard let length = ProxyHeader.rest(of: Array(bytes[..<fixed])) else { return close() }
            guard bytes.count > fixed + length else { return }
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(fixed + length)...])
        }
        switch FirstBytes.inspect(bytes, isSecure: isSecure) {
        case .needsMore: if bytes.count >= FirstBytes.most { close() }
        case .wants(let host, let target):
            forget()
            hall.give(self, host: host, target: target)
        }
    }

    private func forget() {
        isOver = true
        if let timer { hall.loop.cancel(timer) }
        timer = nil
        if let registration { hall.loop.unregister(registration) }
        registration = nil
    }

    private func close() {
        guard !isOver else { return }
        forget()
        hall.leave(self)
        hall.loop.remote.acceptedSockets.close(descriptor)
    }

    func ready(_ readiness: Readiness) {
        if readiness.isAny(of: .failed) { return close() }
        look()
        // It has said all that it will.
        if readiness.isAny(of: .peerClosed) { close() }
    }
}
