import NIOCore
import NIOHPACK

/// An HTTP/2 client that writes its frames itself, and so can break every rule.
final class HTTP2Client {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    struct Frame {
        var type: UInt8
        var flags: UInt8
        var stream: Int
        var payload: [UInt8]

        var kind: Kind? { Kind(rawValue: type) }
        var isEnd: Bool { flags & 1 != 0 }
        /// The first four bytes at that place as a number.
        func number(at offset: Int = 0) -> Int { payload[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let connection: SecureClient
    /// Lives as long as this client.
    private let server: SecureMartlet
    private var input: [UInt8] = []
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private var answers: [Int: Answer] = [:]
    private var complete: Set<Int> = []
    private(set) var resets: [Int: Int] = [:]
    /// The error code of the server's last GOAWAY.
    private(set) var goAway: Int?
    private(set) var settings: [Int: Int] = [:]
    private(set) var continues = 0
    /// What the server has let us send beyond the initial windows.
    private(set) var given: [Int: Int] = [:]
    private var nextStream = 1
    /// Whether a test sends so much that more than one answer may come.
    var floods = false
    /// Whether the server's settings are accepted.
    var acknowledges = true
    /// Whether the server is let send on as it likes.
    var opensWindows = true

    /// - Parameter settings: identifiers and values; nil to send neither preface nor settings.
    init(_ server: SecureMartlet, name: String? = "localhost", settings: [(Int, Int)]? = []) throws {
        self.server = server
        connection = try SecureClient(port: server.port, name: name, protocols: ["h2"])
        guard connection.negotiated == "h2" else { throw Failure("no HTTP/2 but \(connection.negotiated ?? "-")") }
        guard let settings else { return }
        connection.send(Self.preface + Self.frame(.settings, payload: settings.flatMap(Self.setting)))
    }

    // MARK: Frames

    static func frame(_ kind: Kind, flags: UInt8 = 0, on stream: Int = 0, payload: [UInt8] = []) -> [UInt8] {
        frame(type: kind.rawValue, flags: flags, on: stream, payload: payload)
    }

    static func frame(type: UInt8, flags: UInt8 = 0, on stream: Int = 0, payload: [UInt8] = []) -> [UInt8] {
        number(payload.count, bytes: 3) + [type, flags] + number(stream, bytes: 4) + payload
    }

    static func number(_ number: Int, bytes: Int = 4) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func setting(_ identifier: Int, _ value: Int) -> [UInt8] {
        number(identifier, bytes: 2) + number(value)
    }

    /// A header block without compression, as it is.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8)
            var rest = bytes.count - 127
            guard rest >= 0 else { return [UInt8(bytes.count)] + bytes }
            var length: [UInt8] = [127]
            while rest >= 128 {
                length.append(UInt8(rest & 127 | 128))
                rest >>= 7
            }
            return length + [UInt8(rest)] + bytes
        }
        return fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    static func fields(
        _ method: String = "GET", _ path: String = "/", host: String = "localhost", _ more: [(String, String)] = []
    ) -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":authority", host), (":path", path)] + more
    }

    func send(_ kind: Kind, flags: UInt8 = 0, on stream: Int = 0, payload: [UInt8] = []) {
        connection.send(Self.frame(kind, flags: flags, on: stream, payload: payload))
    }

    func send(_ fields: [(String, String)], on stream: Int, isEnd: Bool = true) {
        send(.headers, flags: isEnd ? 5 : 4, on: stream, payload: Self.block(fields))
    }

    /// Sends a request, or its beginning.
    /// - Returns: the stream's number.
    func request(
        _ method: String = "GET", _ path: String = "/", host: String = "localhost", fields: [(String, String)] = [],
        isEnd: Bool = true
    ) -> Int {
        let stream = nextStream
        nextStream += 2
        send(Self.fields(method, path, host: host, fields), on: stream, isEnd: isEnd)
        return stream
    }

    func send(_ body: some Collection<UInt8>, on stream: Int, isEnd: Bool) {
        var rest = Array(body)[...]
        repeat {
            let piece = rest.prefix(16_384)
            rest = rest.dropFirst(piece.count)
            send(.data, flags: isEnd && rest.isEmpty ? 1 : 0, on: stream, payload: Array(piece))
        } while !rest.isEmpty
    }

    // MARK: What comes back

    /// The next frame; nil at the connection's end.
    func frame(by deadline: Deadline = .soon) throws -> Frame? {
        while true {
            if input.count >= 9 {
                let length = input[..<3].reduce(0) { $0 << 8 | Int($1) }
                if input.count >= 9 + length {
                    let stream = input[5..<9].reduce(0) { $0 << 8 | Int($1) }
                    let frame = Frame(
                        type: input[3], flags: input[4], stream: stream, payload: Array(input[9..<9 + length]))
                    input.removeFirst(9 + length)
                    try note(frame)
                    return frame
                }
            }
            guard let bytes = try connection.receive(by: deadline) else { return nil }
            input += bytes
        }
    }

    private func note(_ frame: Frame) throws {
        switch frame.kind {
        case .settings where !frame.isEnd:
            for offset in stride(from: 0, to: frame.payload.count, by: 6) {
                let identifier = Int(frame.payload[offset]) << 8 | Int(frame.payload[offset + 1])
                settings[identifier] = frame.number(at: offset + 2)
            }
            if acknowledges { send(.settings, flags: 1) }
        case .headers:
            var block = ByteBuffer(bytes: frame.payload)
            let headers = try decoder.decodeHeaders(from: &block)
            let status = Int(headers.first(name: ":status") ?? "") ?? 0
            if status == 100 {
                continues += 1
            } else {
                let fields = headers.filter { $0.name != ":status" }.map { (name: $0.name, value: $0.value) }
                answers[frame.stream] = Answer(status: status, reason: "", fields: fields)
            }
        case .data:
            answers[frame.stream]?.body += frame.payload
            if opensWindows, !frame.payload.isEmpty {
                for stream in frame.isEnd ? [0] : [0, frame.stream] {
                    send(.windowUpdate, on: stream, payload: Self.number(frame.payload.count))
                }
            }
        case .reset: resets[frame.stream] = frame.number()
        case .windowUpdate: given[frame.stream, default: 0] += frame.number()
        case .goAway: goAway = frame.number(at: 4)
        default: break
        }
        if frame.isEnd, frame.kind == .data || frame.kind == .headers { complete.insert(frame.stream) }
    }

    /// Reads until that is so.
    func read(by deadline: Deadline = .soon, until isSo: () -> Bool) throws {
        while !isSo() {
            guard try frame(by: deadline) != nil else {
                throw Failure("the connection has ended, GOAWAY \(goAway ?? -1)")
            }
        }
    }

    /// The whole answer on a stream.
    func answer(on stream: Int, by deadline: Deadline = .soon) throws -> Answer {
        try read(by: deadline) { complete.contains(stream) || resets[stream] != nil }
        guard complete.contains(stream), let answer = answers[stream] else {
            throw Failure("RST \(resets[stream] ?? -1)")
        }
        return answer
    }

    /// What has come of an answer.
    func partialAnswer(on stream: Int) -> Answer? { answers[stream] }

    func get(_ path: String = "/", host: String = "localhost", by deadline: Deadline = .soon) throws -> Answer {
        try answer(on: request("GET", path, host: host), by: deadline)
    }

    /// Reads to the connection's end.
    func readAll(by deadline: Deadline = .soon) throws {
        while try frame(by: deadline) != nil {}
    }
}
