/// A large body on its way to the server, made as it is sent: printable ASCII of a period that no buffer has.
struct Upload {
    /// The byte at each offset of a body, over and over.
    enum Pattern {
        private static let period = 95
        private static let bytes = (0..<period * 1_024).map { UInt8(32 + $0 % period) }
        static let longestSlice = bytes.count - period

        static func slice(from offset: Int, _ count: Int) -> ArraySlice<UInt8> {
            bytes[(offset % period)..<(offset % period + count)]
        }

        static func matches(_ received: [UInt8], from offset: Int) -> Bool {
            var rest = received[...]
            var offset = offset
            while !rest.isEmpty {
                let piece = rest.prefix(longestSlice)
                guard piece.elementsEqual(slice(from: offset, piece.count)) else { return false }
                rest = rest.dropFirst(piece.count)
                offset += piece.count
            }
            return true
        }
    }

    let total: Int
    let isChunked: Bool
    /// Bytes of the body handed to the kernel, or about to be.
    private(set) var sent = 0
    private var pending: ArraySlice<UInt8> = []
    private(set) var isComplete = false

    init(total: Int, isChunked: Bool = false) {
        self.total = total
        self.isChunked = isChunked
    }

    /// The field that announces the body.
    var framing: (String, String) {
        isChunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", "\(total)")
    }

    private mutating func makePiece() {
        let count = min(Pattern.longestSlice, total - sent)
        let piece = Pattern.slice(from: sent, count)
        sent += count
        guard isChunked else {
            pending = piece
            isComplete = sent == total
            return
        }
        isComplete = count == 0
        pending = ArraySlice(Array("\(String(count, radix: 16))\r\n".utf8) + piece + [13, 10])
    }

    /// Sends as much as goes at once.
    mutating func sendSome(on socket: Socket) throws {
        if pending.isEmpty { makePiece() }
        guard let count = socket.sendSome(pending) else { throw Failure("cut after \(sent) bytes of the body") }
        pending = pending.dropFirst(count)
    }

    var hasMore: Bool { !isComplete || !pending.isEmpty }

    /// What came back.
    struct Echo {
        var answer: Answer
        var received = 0
        /// Whether it was the body that was sent.
        var isSame = true
    }

    /// Sends the rest and reads the answer at the same time, which is what bodies that pass through need.
    mutating func exchange(on socket: Socket, by deadline: Deadline = .patient) throws -> Echo {
        var reader = try AnswerReader(method: "POST")
        var echo = Echo(answer: Answer(status: 0, reason: "", fields: []))
        while !reader.isComplete {
            guard socket.wait(for: hasMore ? .either : .readable, by: deadline) else {
                throw Failure("\(sent) bytes sent, \(echo.received) received in time")
            }
            if hasMore { try sendSome(on: socket) }
            switch socket.receiveSome() {
            case .bytes(let bytes):
                try reader.take(bytes)
                let piece = reader.takeBody()
                echo.isSame = echo.isSame && Pattern.matches(piece, from: echo.received)
                echo.received += piece.count
                if echo.received < 1_000 { echo.answer.body += piece }
            case .nothingYet: break
            case .end, .reset: throw Failure("cut after \(echo.received) bytes of the answer")
            }
        }
        let body = echo.answer.body
        echo.answer = reader.answer!
        echo.answer.body = body
        return echo
    }
}
