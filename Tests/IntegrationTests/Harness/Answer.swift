/// An HTTP response as it came.
struct Answer {
    var status: Int
    var reason: String
    /// As they were sent, in order; values are Latin-1.
    var fields: [(name: String, value: String)]
    var body: [UInt8] = []

    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    subscript(name: String) -> String? { values(of: name).first }

    var text: String { String(decoding: body, as: UTF8.self) }
    var outcome: String? { self["Martlet-Outcome"] }

    func json() throws -> JSON { try JSON(body) }

    /// Workers' number in an error page.
    var errorNumber: Int? {
        guard let match = text.firstMatch(of: #/Error (\d+): /#) else { return nil }
        return Int(match.1)
    }

    var summary: String { "\(status) \(outcome ?? "-") \(errorNumber.map(String.init) ?? "-") \(text.prefix(300))" }
}

/// Reads one response off a stream of bytes, piece by piece.
struct AnswerReader {
    private enum Framing {
        case none
        case length(Int)
        /// Bytes left of a chunk's data, with the line end behind it.
        case chunked(left: Int)
        case untilClose
    }

    private(set) var answer: Answer?
    private(set) var isComplete = false
    /// What has arrived of the body and was not taken yet.
    private var body: [UInt8] = []
    private var framing = Framing.none
    private var input: [UInt8]
    private var position = 0
    private let hasBody: Bool

    /// - Parameters:
    ///   - method: of the request; an answer to HEAD has no body.
    ///   - excess: what has arrived already.
    init(method: String, excess: [UInt8] = []) throws {
        hasBody = method != "HEAD"
        input = excess
        try parse()
    }

    /// What arrived behind the answer's end.
    var excess: [UInt8] { Array(input[position...]) }

    /// Reads what has arrived.
    mutating func take(_ bytes: [UInt8]) throws {
        input.removeFirst(position)
        position = 0
        input += bytes
        try parse()
    }

    private mutating func parse() throws {
        if answer == nil, try !takeHead() { return }
        while !isComplete, let piece = try nextPiece() { body += piece }
    }

    /// Hands over what has arrived of the body since the last time.
    mutating func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }

    /// The other side has closed: that ends an answer without a length, and breaks any other.
    mutating func takeEnd() throws {
        guard !isComplete else { return }
        guard answer != nil, case .untilClose = framing else {
            throw Failure("the connection was cut inside an answer")
        }
        isComplete = true
    }

    private mutating func line() throws -> String? {
        guard let end = input[position...].firstIndex(of: 10) else { return nil }
        guard end > position, input[end - 1] == 13 else { throw Failure("a line without CR in an answer") }
        defer { position = end + 1 }
        return String(String.UnicodeScalarView(input[position..<(end - 1)].map { Unicode.Scalar($0) }))
    }

    private mutating func takeHead() throws -> Bool {
        guard var end = input.indices.first(where: { input[$0...].starts(with: [13, 10, 13, 10]) }) else {
            return false
        }
        end += 4
        guard let first = try line(), let match = first.wholeMatch(of: #/HTTP/1\.1 (\d{3}) (.*)/#) else {
            throw Failure("not an HTTP answer")
        }
        var answer = Answer(status: Int(match.1)!, reason: String(match.2), fields: [])
        while position < end - 2, let line = try line() {
            guard let match = line.wholeMatch(of: #/([^:\s]+):\s*(.*?)\s*/#) else {
                throw Failure("not a field: \(line)")
            }
            answer.fields.append((String(match.1), String(match.2)))
        }
        position = end
        if answer.status == 100 { return try takeHead() }
        self.answer = answer
        try frame(answer)
        return true
    }

    private mutating func frame(_ answer: Answer) throws {
        let lengths = answer.values(of: "Content-Length")
        let codings = answer.values(of: "Transfer-Encoding")
        guard lengths.count + codings.count <= 1 else { throw Failure("an answer framed twice") }
        if !hasBody || answer.status == 204 || answer.status == 304 {
            isComplete = true
        } else if let length = lengths.first.flatMap({ Int($0) }) {
            framing = .length(length)
            isComplete = length == 0
        } else {
            framing = codings.isEmpty ? .untilClose : .chunked(left: 0)
        }
    }

    private mutating func nextPiece() throws -> [UInt8]? {
        switch framing {
        case .none: return nil
        case .length(let left): return takeSome(of: left) { .length($0) }
        case .untilClose: return position == input.count ? nil : takeSome(of: .max) { _ in .untilClose }
        case .chunked(let left) where left > 2: return takeSome(of: left - 2) { .chunked(left: $0 + 2) }
        case .chunked(let left): return try takeChunkLine(left)
        }
    }

    private mutating func takeSome(of left: Int, _ rest: (Int) -> Framing) -> [UInt8]? {
        let count = min(left, input.count - position)
        guard count > 0 else { return nil }
        defer { position += count }
        framing = rest(left - count)
        if case .length(0) = framing { isComplete = true }
        return Array(input[position..<(position + count)])
    }

    /// The end of a chunk's data, or the size of the next one.
    private mutating func takeChunkLine(_ left: Int) throws -> [UInt8]? {
        guard let line = try line() else { return nil }
        if left == 2 {
            guard line.isEmpty else { throw Failure("a chunk longer than it says") }
            framing = .chunked(left: 0)
            return []
        }
        guard let size = Int(line, radix: 16) else { throw Failure("not a chunk's size: \(line)") }
        guard size == 0 else {
            framing = .chunked(left: size + 2)
            return []
        }
        guard try self.line() == "" else { throw Failure("trailers, or an end in pieces") }
        isComplete = true
        return nil
    }
}
