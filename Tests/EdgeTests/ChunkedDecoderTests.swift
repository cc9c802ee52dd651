import Edge
import Model
import Testing

/// The decoder against a table of bodies, whole, cut at every byte, and byte by byte.
@Suite struct ChunkedDecoderTests {
    static let accepted: [(String, String)] = [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("3\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n", "abc0123456789"),
        ("a;x=y\r\n0123456789\r\n1;\"q\" ;z\r\n!\r\n0;e\r\n\r\n", "0123456789!"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ("1\r\na\r\n0\r\nTrailer: b\r\nOther:\r\n\r\n", "a"),
    ]

    static let refused: [(String, Int)] = [
        ("\r\n", 400), ("g\r\n", 400), (" 1\r\na\r\n", 400), ("1 \r\na\r\n", 400), ("+1\r\na\r\n", 400),
        ("0x1\r\na\r\n", 400), ("-1\r\na\r\n", 400), ("1\na\n", 400), ("1\ra\r\n", 400), ("1\r\nab\r\n", 400),
        ("1\r\na\n0\r\n\r\n", 400), ("1\r\na\r0\r\n\r\n", 400), ("1;\n\r\na\r\n", 400), ("1;\u{0}\r\na\r\n", 400),
        ("1;a\rb\r\na\r\n", 400),
        ("00000000000000001\r\na\r\n", 400), ("FFFFFFFFFFFFFFFF\r\na\r\n", 413),
        ("ffffffffffffffff5\r\nhello\r\n", 413),
        ("6400001\r\n", 413), ("1;\(String(repeating: "x", count: 5_000))\r\n", 400),
        ("0\r\n\n", 400), ("0\r\n\ra", 400), ("0\r\n a: b\r\n\r\n", 400), ("0\r\na b: c\r\n\r\n", 400),
        ("0\r\na\r\n\r\n", 400), ("0\r\na: b\n\r\n", 400), ("0\r\na: b\rc\r\n", 400), ("0\r\na: \u{0}\r\n\r\n", 400),
        ("0\r\na: \(String(repeating: "x", count: 9_000))\r\n\r\n", 431),
    ]

    @Test(arguments: accepted.indices) func aBody(_ index: Int) {
        let (wire, text) = Self.accepted[index]
        let bytes = wire.latin1
        for cut in 0...bytes.count {
            let body = Body(in: [Array(bytes[..<cut]), Array(bytes[cut...]) + Array("GET".utf8)])
            #expect(body.progress == .complete, "cut at \(cut)")
            #expect(String(latin1: body.bytes) == text, "cut at \(cut)")
            #expect(String(latin1: body.rest) == "GET", "cut at \(cut)")
        }
        let body = Body(in: bytes.map { [$0] })
        #expect(body.progress == .complete)
        #expect(String(latin1: body.bytes) == text)
    }

    @Test(arguments: refused.indices) func aRefusedBody(_ index: Int) {
        let (wire, status) = Self.refused[index]
        let excerpt = String(wire.prefix(40)).debugDescription
        #expect(Body(in: [wire.latin1]).status == status, "\(excerpt)")
        #expect(Body(in: wire.latin1.map { [$0] }).status == status, "\(excerpt), byte by byte")
    }

    @Test func theSumOfTheChunksIsLimited() {
        var limits = IngressLimits()
        limits.bodyBytes = 10
        #expect(Body(in: ["6\r\nabcdef\r\n4\r\nabcd\r\n0\r\n\r\n".latin1], limits: limits).progress == .complete)
        #expect(Body(in: ["6\r\nabcdef\r\n5\r\n".latin1], limits: limits).status == 413)
    }

    /// A body decoded as a connection does it: pieces arrive behind what is there already.
    struct Body {
        var progress = ChunkedDecoder.Progress.needsMore
        var bytes: [UInt8] = []
        var rest: [UInt8] = []

        init(in pieces: [[UInt8]], limits: IngressLimits = IngressLimits()) {
            var decoder = ChunkedDecoder()
            var memory = pieces.flatMap { $0 }
            var raw = 0..<0
            var body = 0..<0
            memory.withUnsafeMutableBufferPointer { memory in
                for piece in pieces where progress == .needsMore {
                    raw = raw.lowerBound..<raw.upperBound + piece.count
                    progress = decoder.decode(memory.baseAddress!, raw: &raw, body: &body, limits: limits)
                }
            }
            bytes = Array(memory[body])
            rest = Array(memory[raw.lowerBound...])
        }

        var status: Int? {
            if case .rejected(let rejection) = progress { rejection.status } else { nil }
        }
    }
}
