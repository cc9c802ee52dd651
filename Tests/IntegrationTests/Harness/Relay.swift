import Glibc
import Synchronization

/// A TCP port whose bytes go on to another one, until the line is cut: then nothing comes through, and nobody is told.
final class Relay: Sendable {
    let port: Int
    private let target: Int
    private let listener: Int32
    private let isCut = Mutex(false)
    private let hasEnded = Mutex(false)

    init(to target: Int) throws {
        self.target = target
        port = try EdgeTests.freePort()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw Failure("the relay cannot listen: \(String(cString: strerror(errno)))")
        }
        Self.thread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                guard client >= 0, let self, !self.hasEnded.withLock({ $0 }) else { break }
                self.join(client)
            }
            close(listener)
        }
    }

    deinit {
        hasEnded.withLock { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// From now on what is sent is lost; connections stay open.
    func cut() { isCut.withLock { $0 = true } }

    /// New connections come through; those that have lost bytes end.
    func mend() { isCut.withLock { $0 = false } }

    private func join(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let isOpen = Self.withAddress(target, { connect(server, $0, $1) }) == 0
        for (from, to) in isOpen ? [(client, server), (server, client)] : [] {
            Self.thread { [weak self] in
                Self.pass(from, to) { self?.isCut.withLock { $0 } ?? true }
                shutdown(from, Int32(SHUT_RDWR))
                shutdown(to, Int32(SHUT_RDWR))
            }
        }
        if !isOpen {
            close(client)
            close(server)
        }
    }

    /// Until one side ends, or the line is mended after it has swallowed something.
    private static func pass(_ from: Int32, _ to: Int32, isCut: @escaping () -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var hasLost = false
        while true {
            var entry = pollfd(fd: from, events: Int16(POLLIN), revents: 0)
            let isReady = poll(&entry, 1, 50) > 0
            let cut = isCut()
            if hasLost, !cut { return }
            guard isReady else {
                hasLost = hasLost || cut
                continue
            }
            let count = read(from, &buffer, buffer.count)
            guard count > 0 else { return }
            if cut {
                hasLost = true
                continue
            }
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { return }
                sent += more
            }
        }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        var id = pthread_t()
        let box = Unmanaged.passRetained(Body(body))
        pthread_create(
            &id, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_detach(id)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
