import Glibc

/// A client that sends bytes as they are, and reads what comes. Blocking, with a limit of five seconds for each step.
final class RawClient {
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // `deinit` closes the socket, since all that there is to the client is there already.
        guard result == 0 else { throw Failure(call: "connect", code: errno) }
    }

    deinit {
        Glibc.close(descriptor)
    }

    func send(_ text: String) throws { try send(text.latin1) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(call: "send", code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends what the kernel takes at once; how much that was.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        max(
            0,
            bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            })
    }

    func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes with a reset.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        // The number stays ours until `deinit`: connecting to nowhere drops the connection.
        var address = sockaddr()
        address.sa_family = sa_family_t(AF_UNSPEC)
        Glibc.connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr>.size))
    }

    // MARK: Receiving

    /// False at the end.
    private func fill() throws -> Bool {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &block, block.count, 0)
        guard count >= 0 else { throw Failure(call: "recv", code: errno) }
        buffer.append(contentsOf: block[..<count])
        return count > 0
    }

    /// Everything up to the end.
    func receiveAll() throws -> String {
        while try fill() {}
        defer { buffer = [] }
        return String(latin1: buffer)
    }

    /// Whether the connection ends, or is reset, before another byte comes.
    func isEnded() -> Bool {
        guard buffer.isEmpty else { return false }
        do { return try !fill() } catch { return (error as? Failure)?.code == ECONNRESET }
    }

    /// Whether something comes, be it the end, in that many milliseconds.
    func hasInput(within milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) > 0
    }

    /// Reads what is there; false if the connection has ended.
    func receiveWithoutWaiting() -> Bool {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &block, block.count, Int32(MSG_DONTWAIT))
        if count > 0 { buffer.append(contentsOf: block[..<count]) }
        return count > 0 || count < 0 && errno == EAGAIN
    }

    func receive(atLeast count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard try fill() else { break }
        }
        defer { buffer.removeFirst(min(count, buffer.count)) }
        return Array(buffer.prefix(count))
    }

    func receive(upTo end: String) throws -> String {
        let end = end.latin1
        while true {
            if let index = buffer.firstIndex(of: end) {
                defer { buffer.removeFirst(index + end.count) }
                return String(latin1: buffer[..<(index + end.count)])
            }
            guard try fill() else { throw Failure(call: "recv: the end came first", code: 0) }
        }
    }

    struct Answer {
        let status: Int
        let head: String
        let fields: [String: String]
        let body: [UInt8]
        var text: String { String(latin1: body) }
    }

    /// The next answer, by its framing; `isBodiless` for one to HEAD.
    func receiveAnswer(isBodiless: Bool = false) throws -> Answer {
        let head = try receive(upTo: "\r\n\r\n")
        let lines = head.split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1])!
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        var body: [UInt8] = []
        if isBodiless || status == 204 || status == 304 || status < 200 {
            body = []
        } else if fields["transfer-encoding"] == "chunked" {
            while true {
                let size = Int(try receive(upTo: "\r\n").dropLast(1), radix: 16)!
                body += try receive(atLeast: size)
                _ = try receive(upTo: "\r\n")
                if size == 0 { break }
            }
        } else if let length = fields["content-length"] {
            body = try receive(atLeast: Int(length)!)
        } else {
            body = try receiveAll().latin1
        }
        return Answer(status: status, head: head, fields: fields, body: body)
    }
}

extension [UInt8] {
    fileprivate func firstIndex(of other: [UInt8]) -> Int? {
        guard count >= other.count else { return nil }
        return (0...(count - other.count)).first { self[$0] == other[0] && Array(self[$0..<$0 + other.count]) == other }
    }
}
