import Glibc

/// A TCP connection to a port of this machine. It never blocks past a deadline.
final class Socket {
    enum Wait { case readable, writable, either }

    private(set) var descriptor: Int32

    /// - Parameter receiveBuffer: bytes the kernel keeps for us; few, to see that a sender is held back.
    init(port: Int, receiveBuffer: Int32? = nil, by deadline: Deadline = .soon) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket: \(Self.error)") }
        set(TCP_NODELAY, at: Int32(IPPROTO_TCP), 1)
        if let receiveBuffer { set(SO_RCVBUF, at: SOL_SOCKET, receiveBuffer) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 || errno == EINPROGRESS else { throw refusal() }
        guard wait(for: .writable, by: deadline) else { throw refusal("no connection in time") }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        errno = code
        guard code == 0 else { throw refusal() }
    }

    deinit { close() }

    private static var error: String { String(cString: strerror(errno)) }

    private func refusal(_ reason: String = Socket.error) -> Failure {
        close()
        return Failure("connect: \(reason)")
    }

    private func set(_ option: Int32, at level: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Sends the end of what we have to say; the other direction stays open.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// False if nothing happened in time.
    func wait(for wait: Wait, by deadline: Deadline) -> Bool {
        let readable = wait == .writable ? 0 : POLLIN
        let writable = wait == .readable ? 0 : POLLOUT
        var entry = pollfd(fd: descriptor, events: Int16(readable | writable), revents: 0)
        while true {
            let count = poll(&entry, 1, deadline.milliseconds)
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }

    /// Sends what fits at once. Returns how much that was; nil if the other side has gone.
    func sendSome(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    func sendAll(_ bytes: [UInt8], by deadline: Deadline = .soon) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = sendSome(rest) else { throw Failure("send: \(Self.error)") }
            rest = rest.dropFirst(count)
            if count == 0, !wait(for: .writable, by: deadline) { throw Failure("send: not in time") }
        }
    }

    enum Received {
        case bytes([UInt8])
        case end
        case reset
        case nothingYet
    }

    /// What has arrived.
    func receiveSome(atMost limit: Int = 64 << 10) -> Received {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, used in
            count = recv(descriptor, buffer.baseAddress, limit, 0)
            used = max(0, count)
        }
        if count > 0 { return .bytes(bytes) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EINTR ? .nothingYet : .reset
    }

    /// What arrives next; nil if the other side has closed or cut the connection.
    func receive(by deadline: Deadline = .soon) throws -> [UInt8]? {
        while true {
            switch receiveSome() {
            case .bytes(let bytes): return bytes
            case .end, .reset: return nil
            case .nothingYet:
                guard wait(for: .readable, by: deadline) else { throw Failure("receive: nothing in time") }
            }
        }
    }
}
