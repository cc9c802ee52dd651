import Edge
import Glibc
import Model
import Runtime

/// A whole HTTP/1.1 connection over a socket, to a handler that echoes: sent at once and in two pieces, what comes back
/// is the same, and nothing of the connection stays.
enum ConnectionTarget {
    private final class Server {
        let loop: EventLoop
        let ingress: Ingress
        let listener: Listener

        init() throws {
            loop = try EventLoop()
            var limits = IngressLimits()
            limits.bodyBytes = 8_192
            limits.headerBytes = 2_048
            ingress = Ingress(loop: loop, settings: IngressSettings(limits: limits))
            listener = try Listener(host: "127.0.0.1", port: 0)
            try ingress.open(listener, handler: Echo())
        }

        /// One turn that waits for nothing.
        func turn() {
            loop.enqueue {}
            loop.turn()
        }
    }

    /// Made by the first input; the driver has one thread.
    nonisolated(unsafe) private static var server: Server?

    @Sendable static func run(_ bytes: [UInt8]) {
        do {
            let server = try self.server ?? Server()
            self.server = server
            var input = Input(bytes)
            let cut = input.number(below: bytes.count)
            let wire = input.all()
            let whole = answers(to: [wire], server)
            let pieces = answers(to: [Array(wire.prefix(cut)), Array(wire.dropFirst(cut))], server)
            require(whole.isEmpty || whole.starts(with: "HTTP/1.1 ".utf8), "no answer: \(text(whole))")
            // Whether somebody still waits to be told to go on depends on what has come so far.
            guard !text(wire).lowercased().contains("expect") else { return }
            // What is refused may be so before it is complete, or when it is, for another reason.
            let (served, servedInPieces) = (beforeRefusal(whole), beforeRefusal(pieces))
            require(served == servedInPieces, "cut at \(cut):\n\(text(whole))\n---\n\(text(pieces))")
        } catch {
            fatalError("\(error)")
        }
    }

    /// Each answer with success, up to the first that is none.
    private static func beforeRefusal(_ answers: [UInt8]) -> String {
        let answers = text(answers)
        let end = answers.ranges(of: "HTTP/1.1 ").first { !answers[$0.upperBound...].hasPrefix("200") }
        return String(answers[..<(end?.lowerBound ?? answers.endIndex)])
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// What comes back, without the lines that tell the date.
    private static func answers(to pieces: [[UInt8]], _ server: Server) -> [UInt8] {
        let client = connect(to: server.listener.port)
        server.turn()
        server.turn()
        var received: [UInt8] = []
        for piece in pieces where !piece.isEmpty {
            _ = piece.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            for _ in 0..<3 { server.turn() }
            receive(client, &received)
        }
        shutdown(client, Int32(SHUT_WR))
        for _ in 0..<4 { server.turn() }
        receive(client, &received)
        close(client)
        var turns = 0
        while server.ingress.connectionCount > 0 {
            server.turn()
            turns += 1
            require(turns < 100_000, "a connection stays whose client has gone")
        }
        return received.split(separator: 10, omittingEmptySubsequences: false)
            .filter { !$0.starts(with: "Date: ".utf8) }.joined(separator: [10]).map { $0 }
    }

    private static func receive(_ client: Int32, _ received: inout [UInt8]) {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(client, &block, block.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            received += block[..<count]
        }
    }

    private static func connect(to port: Int) -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // The driver's clock interrupts.
        var ready = pollfd(fd: client, events: Int16(POLLOUT), revents: 0)
        if result != 0, errno == EINTR { while poll(&ready, 1, 1_000) < 0 {} }
        require(client >= 0 && (result == 0 || errno == EINTR), "no connection: \(errno)")
        // Reset at its end: there are not ports enough for one each to be remembered for a minute.
        var gone = linger(l_onoff: 1, l_linger: 0)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &gone, socklen_t(MemoryLayout<linger>.size))
        var one: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return client
    }
}

/// Answers with the request's method, URL and body.
private final class Echo: RequestHandler {
    func handle(_ exchange: any Exchange) { Reader(exchange).read() }

    private final class Reader: ExchangeObserver {
        private let exchange: any Exchange
        private var body: [UInt8]

        init(_ exchange: any Exchange) {
            self.exchange = exchange
            body = Array("\(exchange.head.methodString) \(exchange.head.urlString)\n".utf8)
            exchange.observer = self
        }

        func read() {
            while true {
                switch exchange.readBody(limit: 1 << 16, { body += $0 }) {
                case .bytes: continue
                case .pending: return
                case .end:
                    exchange.observer = nil
                    let none = UnsafeRawBufferPointer(start: nil, count: 0)
                    return body.withUnsafeBytes {
                        exchange.respond(ResponseHead(status: 200, reason: none, fields: none), body: .bytes($0))
                    }
                case .failed:
                    exchange.observer = nil
                    return exchange.abort()
                }
            }
        }

        func exchangeBodyReady(_ exchange: any Exchange) { read() }
        func exchangeWritable(_ exchange: any Exchange) {}
        func exchangeDraining(_ exchange: any Exchange) {}
        func exchangeClosed(_ exchange: any Exchange) { exchange.observer = nil }
    }
}
