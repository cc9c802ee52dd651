internal import Glibc
package import Runtime
internal import Synchronization

/// A listening socket that any number of lanes accept from: the kernel wakes one of those that wait. Closed when nobody
/// has it any more.
package final class Listener: Sendable {
    /// Connections the kernel keeps for us before it turns others away; it may have a lower limit of its own.
    private static let backlog: Int32 = 4_096

    /// What was bound, such as "127.0.0.1".
    package let host: String
    /// What was bound; the kernel's choice, if 0 was asked for.
    package let port: Int
    package let descriptor: Int32
    /// What connections prove with who we are; nil if they are not to be encrypted.
    let certificates: CertificateStore?
    /// Whether connections are encrypted.
    package var isSecure: Bool { certificates != nil }
    /// The lanes that accept.
    private let doors = Mutex<[LaneDoor]>([])
    /// Sockets that another process has accepted and no lane was there to take.
    private let waiting = Mutex<[PassedSocket]>([])

    /// Binds and listens.
    /// - Parameters:
    ///   - host: an address or a name; "::" and "0.0.0.0" stand for all addresses.
    ///   - port: 0 for any that is free.
    ///   - certificates: For TLS; nil for plain HTTP.
    package init(host: String, port: Int, certificates: CertificateStore? = nil) throws(ListenerError) {
        guard (0...65_535).contains(port) else { throw ListenerError("\(port) is not a port number") }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let address = found else {
            throw ListenerError("cannot listen on \(host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(found) }
        descriptor = try Self.listen(on: address.pointee, host: host, port: port)
        self.host = host
        self.certificates = certificates
        self.port = Self.port(of: descriptor)
    }

    /// A listening socket that another process has bound.
    /// - Parameter host: what it was bound to, if that is known.
    package init(inherited descriptor: Int32, host: String = "", certificates: CertificateStore?) {
        self.descriptor = descriptor
        self.certificates = certificates
        self.host = host
        port = Self.port(of: descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// "http://HOST:PORT", or with "https".
    package var url: String {
        "http\(certificates == nil ? "" : "s")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Turns new connections away, for all lanes.
    package func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Forgets the connections of a lane that is lost and accepts no more. From any thread.
    package func forget(_ lane: EventLoop.Remote) {
        doors.withLock { $0.removeAll { $0.loop === lane } }
    }

    private static func listen(on address: addrinfo, host: String, port: Int) throws(ListenerError) -> Int32 {
        let type = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.ai_family, type, address.ai_protocol)
        guard descriptor >= 0 else { throw ListenerError(host: host, port: port, code: errno) }
        set(SO_REUSEADDR, at: SOL_SOCKET, of: descriptor)
        // Accepted sockets inherit it: an answer is written at once, so waiting for more would only delay it.
        set(TCP_NODELAY, at: Int32(IPPROTO_TCP), of: descriptor)
        guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let error = ListenerError(host: host, port: port, code: errno)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func set(_ option: Int32, at level: Int32, of descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func port(of descriptor: Int32) -> Int {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        // Both families have it in the same place.
        return Int(UInt16(bigEndian: address.sin6_port))
    }

    /// Whose connection to this listener a socket is, and its number; nil if it is none. Whoever passed it may have
    /// passed anything.
    func client(of socket: PassedSocket) -> (ClientAddress, cookie: UInt64)? {
        func option<Value: BitwiseCopyable>(_ name: Int32, _ initial: Value) -> Value? {
            var value = initial
            var length = socklen_t(MemoryLayout<Value>.size)
            return getsockopt(socket.descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
        }
        let cookieOption: Int32 = 57
        guard option(SO_PROTOCOL, Int32(0)) == Int32(IPPROTO_TCP), option(SO_ACCEPTCONN, Int32(1)) == 0,
            Self.port(of: socket.descriptor) == port, let cookie = option(cookieOption, UInt64(0))
        else { return nil }
        // One whose client has gone has no name: it is closed by whoever gets it.
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket.descriptor, $0, &length) }
        }
        return (ClientAddress(storage), cookie)
    }

    // MARK: Lanes

    func add(_ door: LaneDoor) {
        let sockets = doors.withLock { doors in
            doors.append(door)
            return waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
        for socket in sockets { take(socket) }
    }

    func remove(_ door: LaneDoor) {
        doors.withLock { $0.removeAll { $0 === door } }
    }

    /// Connections of all lanes, and those among them from one network.
    func count(from network: UInt64) -> (all: Int, ofNetwork: Int) {
        doors.withLock { doors in
            doors.reduce(into: (0, 0)) { sum, door in
                let count = door.count(from: network)
                sum.0 += count.all
                sum.1 += count.ofNetwork
            }
        }
    }

    /// Gives the lane with the fewest connections a socket that another process has accepted. From any thread.
    package func take(_ socket: PassedSocket) {
        let descriptor = socket.descriptor
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        // Else its client is gone.
        guard result == 0 else {
            close(descriptor)
            return
        }
        let door = doors.withLock { doors in
            let door = doors.min { $0.connectionCount < $1.connectionCount }
            // The lanes are about to come.
            if door == nil { waiting.withLock { $0.append(socket) } }
            return door
        }
        guard let door else { return }
        door.loop.acceptedSockets.adopt(descriptor)
        if !door.pass(socket, from: ClientAddress(storage)) { door.loop.acceptedSockets.close(descriptor) }
    }

    /// A lane with fewer connections that waits for something to do. The kernel wakes the same lane again and again
    /// as long as that one is idle; without this, it would get all the connections.
    func door(withLessThan own: LaneDoor) -> LaneDoor? {
        doors.withLock { doors in
            guard doors.count > 1, let least = doors.min(by: { $0.connectionCount < $1.connectionCount }),
                least.connectionCount + 1 < own.connectionCount, least.loop.heartbeat.busySince == nil
            else { return nil }
            return least
        }
    }
}

/// Why a listener could not be made: one line for people.
package struct ListenerError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    init(host: String, port: Int, code: Int32) {
        let place = "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        switch code {
        case EADDRINUSE: description = "cannot listen on \(place): the port is in use"
        case EACCES: description = "cannot listen on \(place): ports below 1024 need a privilege"
        case EADDRNOTAVAIL: description = "cannot listen on \(place): this machine does not have that address"
        default: description = "cannot listen on \(place): \(String(cString: strerror(code)))"
        }
    }
}
