import Foundation
import Synchronization

/// An origin of our own: a listening socket, whose connections a closure serves, each on a thread.
final class Origin: Sendable {
    typealias Handler = @Sendable (_ connection: OriginConnection) throws -> Void

    private struct State {
        var requests: [OriginRequest] = []
        var connections = 0
        var atOnce = 0
        var mostAtOnce = 0
        /// Connections whose handler is done.
        var ended = 0
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())

    /// - Parameter address: of this machine: 127.0.0.1, or another of 127/8.
    init(at address: String = "127.0.0.1", port: Int = 0, _ handler: @escaping Handler) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(port).bigEndian
        name.sin_addr.s_addr = inet_addr(address)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                Glibc.bind(listener, name, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, name, &length) == 0
            }
        }
        guard isListening else { throw Failure("an origin cannot listen: \(String(cString: strerror(errno)))") }
        self.listener = listener
        self.port = Int(in_port_t(bigEndian: name.sin_port))
        Thread.detachNewThread { [listener, weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0, let self else { return }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                let connection = OriginConnection(descriptor, number: opened(), of: self)
                Thread.detachNewThread {
                    try? handler(connection)
                    connection.close()
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func opened() -> Int {
        state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    fileprivate func closed() { state.withLock { $0.ended += 1 } }

    fileprivate func began(_ request: OriginRequest) {
        state.withLock { state in
            state.requests.append(request)
            state.atOnce += 1
            state.mostAtOnce = max(state.mostAtOnce, state.atOnce)
        }
    }

    fileprivate func ended() { state.withLock { $0.atOnce -= 1 } }

    var url: String { "http://127.0.0.1:\(port)" }
    var connections: Int { state.withLock { $0.connections } }
    var requests: [OriginRequest] { state.withLock { $0.requests } }
    /// Requests that are being answered.
    var atOnce: Int { state.withLock { $0.atOnce } }
    /// The most requests that were being answered at a time.
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
    var endedConnections: Int { state.withLock { $0.ended } }

    /// Answers every request on a connection with what the closure makes of it.
    static func answering(
        at address: String = "127.0.0.1", port: Int = 0,
        _ answer: @escaping @Sendable (OriginRequest) throws -> OriginAnswer
    ) throws -> Origin {
        try Origin(at: address, port: port) { connection in
            while let request = try connection.request() { try connection.send(answer(request)) }
        }
    }

    /// Answers what it was asked, as JSON.
    static func echoing(at address: String = "127.0.0.1", port: Int = 0) throws -> Origin {
        try answering(at: address, port: port) { try .json($0.description(at: address)) }
    }
}

struct OriginRequest: Sendable {
    var method: String
    var target: String
    var fields: [(name: String, value: String)]
    var body: [UInt8] = []

    func values(of name: String) -> [String] { fields.filter { $0.name.lowercased() == name }.map(\.value) }
    subscript(name: String) -> String? { values(of: name).first }

    fileprivate func description(at address: String) throws -> [String: Any] {
        var object: [String: Any] = [
            "method": method, "target": target, "body": String(decoding: body, as: UTF8.self), "address": address,
        ]
        object["headers"] = Dictionary(fields.map { ($0.name.lowercased(), $0.value) }) { "\($0)|\($1)" }
        return object
    }
}

struct OriginAnswer {
    var status = 200
    var fields: [(String, String)] = []
    var body: [UInt8] = []

    static func text(_ text: String, status: Int = 200, _ fields: [(String, String)] = []) -> OriginAnswer {
        OriginAnswer(status: status, fields: fields, body: Array(text.utf8))
    }

    static func json(_ object: Any) throws -> OriginAnswer {
        OriginAnswer(
            fields: [("Content-Type", "application/json")],
            body: Array(try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])))
    }

    static func redirect(_ status: Int, to location: String) -> OriginAnswer {
        OriginAnswer(status: status, fields: [("Location", location)])
    }
}

/// A connection as the origin has it. Reads and writes block, ten seconds at most.
final class OriginConnection: @unchecked Sendable {
    // Sound: one thread serves it.
    let number: Int
    fileprivate private(set) weak var origin: Origin?
    private let descriptor: Int32
    private var input: [UInt8] = []
    private var isAnswering = false

    fileprivate init(_ descriptor: Int32, number: Int, of origin: Origin) {
        self.descriptor = descriptor
        self.number = number
        self.origin = origin
        var time = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    fileprivate func close() {
        finishedAnswer()
        Glibc.close(descriptor)
        origin?.closed()
    }

    // MARK: In

    /// What arrives next; nil at the end.
    func receive() throws -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count >= 0 else { throw Failure("the origin received nothing: \(String(cString: strerror(errno)))") }
        return count == 0 ? nil : Array(piece[..<count])
    }

    private func fill() throws {
        guard let piece = try receive() else { throw Failure("the connection was closed within a request") }
        input += piece
    }

    private func line() throws -> String {
        while true {
            if let end = input.firstIndex(of: 10) {
                let line = input[..<end]
                input.removeFirst(end + 1)
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            try fill()
        }
    }

    /// The head of the next request; nil if there is none.
    func head() throws -> OriginRequest? {
        if input.isEmpty {
            guard let piece = try receive() else { return nil }
            input += piece
        }
        let start = try line().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard start.count == 3, start[2] == "HTTP/1.1" else { throw Failure("not a request line: \(start)") }
        var request = OriginRequest(method: String(start[0]), target: String(start[1]), fields: [])
        while case let line = try line(), !line.isEmpty {
            guard let match = line.wholeMatch(of: #/([^:\s]+):\s*(.*?)\s*/#) else {
                throw Failure("not a field: \(line)")
            }
            request.fields.append((String(match.1), String(match.2)))
        }
        return request
    }

    /// The next request with its body; nil if there is none.
    func request() throws -> OriginRequest? {
        guard var request = try head() else { return nil }
        while let piece = try piece(of: request, after: request.body.count) { request.body += piece }
        began(request)
        return request
    }

    /// Says that a request is being answered, for those who count.
    func began(_ request: OriginRequest) {
        isAnswering = true
        origin?.began(request)
    }

    /// The next piece of a request's body; nil at its end.
    func piece(of request: OriginRequest, after received: Int) throws -> [UInt8]? {
        if request["transfer-encoding"] == "chunked" {
            guard let size = Int(try line(), radix: 16) else { throw Failure("not a chunk") }
            while input.count < size { try fill() }
            let piece = Array(input.prefix(size))
            input.removeFirst(size)
            guard try line().isEmpty else { throw Failure("a chunk without its end") }
            return size == 0 ? nil : piece
        }
        let left = (request["content-length"].flatMap { Int($0) } ?? 0) - received
        guard left > 0 else { return nil }
        if input.isEmpty { try fill() }
        let piece = Array(input.prefix(left))
        input.removeFirst(piece.count)
        return piece
    }

    /// So many bytes; nil if the connection ends before.
    func bytes(_ count: Int) throws -> [UInt8]? {
        while input.count < count {
            guard let piece = try receive() else { return nil }
            input += piece
        }
        defer { input.removeFirst(count) }
        return Array(input[..<count])
    }

    /// Waits until the other side has closed, and throws away what it sends before.
    func waitForEnd() throws {
        while try receive() != nil {}
    }

    // MARK: Out

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure("the origin could not send: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ answer: OriginAnswer) throws {
        var head = "HTTP/1.1 \(answer.status) Status\r\n"
        for (name, value) in answer.fields { head += "\(name): \(value)\r\n" }
        if answer.status != 204 && answer.status != 304 { head += "Content-Length: \(answer.body.count)\r\n" }
        finishedAnswer()
        try send(Array("\(head)\r\n".utf8) + answer.body)
    }

    func finishedAnswer() {
        if isAnswering { origin?.ended() }
        isAnswering = false
    }

    func sendChunk(_ text: String) throws {
        try send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// Bytes of the kernel's for us, few, to see that a sender is held back.
    func limitBuffers(to bytes: Int32 = 16 << 10) {
        var size = bytes
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Cuts the connection by a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
}

/// A worker that may reach an origin: `env.ORIGIN` is its URL.
struct FetchingWorker {
    let martlet: Martlet
    private let folder: ScratchFolder
    private let origin: Origin?

    /// - Parameter code: the body of `async fetch(request, env, ctx)`, with `url` made of the request's.
    init(_ code: String, origin: Origin?, _ flags: [String] = []) throws {
        try self.init(
            module: """
                export default {
                    async fetch(request, env, ctx) {
                        const url = new URL(request.url);
                \(code)
                    },
                };
                """, origin: origin, flags)
    }

    init(module: String, origin: Origin?, _ flags: [String] = []) throws {
        self.origin = origin
        folder = try ScratchFolder()
        try folder.write("index.js", module)
        var flags = flags
        if let origin {
            flags += ["--egress-allow", "127.0.0.1:\(origin.port)", "--var", "ORIGIN=\(origin.url)"]
        }
        martlet = try Martlet.dev(folder.path, flags)
    }

    func get(_ path: String = "/", fields: [(String, String)] = [], by deadline: Deadline = .soon) throws -> Answer {
        try martlet.get(path, fields: fields, by: deadline)
    }

    func json(_ path: String = "/") throws -> JSON {
        let answer = try get(path, by: .patient)
        guard answer.status == 200 else { throw Failure("\(answer.summary) \(martlet.logSoFar())") }
        return try answer.json()
    }
}
