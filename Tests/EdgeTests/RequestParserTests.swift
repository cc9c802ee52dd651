import Edge
import Model
import Testing

/// The parser against a table of headers, whole and cut at every byte.
@Suite struct RequestParserTests {
    /// A header that is understood, and what it says.
    struct Accepted: Sendable, CustomTestStringConvertible {
        let text: String
        var method = "GET"
        var url = "http://a/"
        var fields = ["host: a"]
        var framing = RequestFraming()
        var testDescription: String { text.debugDescription }
    }

    /// A header that is refused, and with which status.
    struct Refused: Sendable, CustomTestStringConvertible {
        let text: String
        let status: Int
        var testDescription: String { text.debugDescription }

        init(_ status: Int, _ text: String) {
            self.text = text
            self.status = status
        }
    }

    static let accepted: [Accepted] = [
        Accepted(text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Accepted(
            text: "GET /p/q?r=s&t=%20 HTTP/1.1\r\nHost: Example.COM:8080\r\n\r\n",
            url: "http://example.com:8080/p/q?r=s&t=%20", fields: ["host: Example.COM:8080"]),
        Accepted(
            text: "GET /x HTTP/1.1\r\nAccept:*/*\r\nX-Y:\t a\tb \t\r\nhOST: a\r\nEmpty:\r\n\r\n",
            url: "http://a/x", fields: ["accept: */*", "x-y: a\tb", "host: a", "empty: "]),
        Accepted(
            text: "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=\u{e4}\r\n\r\n",
            fields: ["host: a", "cookie: a=1", "cookie: b=\u{e4}"]),
        Accepted(
            text: "GET /{a}|\"b\"?c\\d HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n",
            url: "http://[2001:db8::1]:80/{a}|\"b\"?c\\d", fields: ["host: [2001:DB8::1]:80"]),
        Accepted(text: "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Accepted(text: "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", method: "M-SEARCH"),
        Accepted(text: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", method: "HEAD", framing: framing { $0.isHead = true }),
        Accepted(text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", method: "OPTIONS"),
        Accepted(
            text: "GET http://B:81/c?d HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n", url: "http://b:81/c?d",
            fields: ["x: y", "host: b:81"]),
        Accepted(text: "GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n", url: "http://b/", fields: ["host: b"]),
        Accepted(text: "GET http://b?c HTTP/1.1\r\nHost: longer\r\n\r\n", url: "http://b/?c", fields: ["host: b"]),
        Accepted(
            text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", method: "POST",
            fields: ["host: a", "content-length: 5"], framing: framing { $0.body = .length(5) }),
        Accepted(
            text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", method: "POST",
            fields: ["host: a", "content-length: 0"]),
        Accepted(
            text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\nTE: trailers\r\n\r\n",
            method: "POST", framing: framing { $0.body = .chunked }),
        Accepted(
            text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n", method: "POST",
            fields: ["host: a", "content-length: 1"],
            framing: framing {
                $0.body = .length(1)
                $0.expectsContinue = true
            }),
        Accepted(
            text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n", framing: framing { $0.keepsAlive = false }),
        Accepted(
            text: "GET / HTTP/1.1\r\nConnection: x-y , keep-alive,host\r\nX-Y: 1\r\nHost: a\r\nZ: 2\r\nX-y: 3\r\n\r\n",
            fields: ["host: a", "z: 2"]),
        Accepted(
            text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nKeep-Alive: 5\r\n\r\n",
            fields: ["host: a", "upgrade: websocket"], framing: framing { $0.namesUpgrade = true }),
        Accepted(
            text: "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
            framing: framing {
                $0.isVersion10 = true
                $0.keepsAlive = false
            }),
        Accepted(
            text: "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
            framing: framing { $0.isVersion10 = true }),
    ]

    static let refused: [Refused] = [
        // The request line.
        Refused(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n"),
        Refused(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        Refused(400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
        Refused(400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\\b HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(400, "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(421, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(501, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused(505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        Refused(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        Refused(505, "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        // Fields.
        Refused(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: z\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789abcde\u{0}f\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n"),
        // The host.
        Refused(400, "GET / HTTP/1.1\r\n\r\n"),
        Refused(400, "GET / HTTP/1.0\r\nX: y\r\n\r\n"),
        Refused(400, "GET http://a/ HTTP/1.1\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Refused(400, "GET http://b/ HTTP/1.1\r\nHost: a/c\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a/\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a?\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a#\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a%2e\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"),
        Refused(400, "GET / HTTP/1.1\r\nHost: \(String(repeating: "a", count: 263))\r\n\r\n"),
        // Framing.
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"),
        Refused(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 104857601\r\n\r\n"),
        Refused(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"),
        Refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Refused(400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Refused(417, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\n"),
    ]

    @Test(arguments: accepted) func aHeader(_ header: Accepted) {
        var reader = HeaderReader()
        let bytes = header.text.latin1
        // What follows, be it the next request, is left alone.
        let result = reader.feed(bytes + Array("GET /next".utf8))
        expect(result, reader.head, says: header)
    }

    @Test(arguments: accepted) func aHeaderInTwoPieces(_ header: Accepted) {
        let bytes = header.text.latin1
        for cut in 1..<bytes.count {
            var reader = HeaderReader()
            #expect(reader.feed(Array(bytes[..<cut])) == .needsMore, "cut at \(cut)")
            expect(reader.feed(bytes), reader.head, says: header)
        }
    }

    @Test(arguments: accepted) func aHeaderByteByByte(_ header: Accepted) {
        let bytes = header.text.latin1
        var reader = HeaderReader()
        for count in 1..<bytes.count { #expect(reader.feed(Array(bytes[..<count])) == .needsMore) }
        expect(reader.feed(bytes), reader.head, says: header)
    }

    @Test(arguments: refused) func aRefusedHeader(_ header: Refused) {
        var reader = HeaderReader()
        #expect(reader.feed(header.text.latin1).status == header.status)
    }

    @Test(arguments: refused) func aRefusedHeaderByteByByte(_ header: Refused) {
        let bytes = header.text.latin1
        for step in [1, 2, 7] {
            var reader = HeaderReader()
            var result = RequestParser.Result.needsMore
            for count in stride(from: step, to: bytes.count + step, by: step) where result == .needsMore {
                result = reader.feed(Array(bytes.prefix(count)))
            }
            #expect(result.status == header.status, "\(step) at a time")
        }
    }

    @Test func theLimits() {
        var limits = IngressLimits()
        limits.urlBytes = 100
        limits.headerBytes = 1_000
        limits.headerFields = 10
        func status(_ target: Int, fields: Int, of size: Int) -> Int? {
            var reader = HeaderReader(limits: limits)
            let field = "X: \(String(repeating: "x", count: size - 5))\r\n"
            let text =
                "GET /\(String(repeating: "a", count: target - 1)) HTTP/1.1\r\nHost: a\r\n"
                + String(repeating: field, count: fields) + "\r\n"
            return reader.feed(text.latin1).status
        }
        #expect(status(100, fields: 0, of: 5) == nil)
        #expect(status(101, fields: 0, of: 5) == 414)
        #expect(status(1, fields: 9, of: 5) == nil)
        #expect(status(1, fields: 10, of: 5) == 431)
        #expect(status(1, fields: 1, of: 991) == nil)
        #expect(status(1, fields: 1, of: 992) == 431)
    }

    /// Limits hold before the end is in sight.
    @Test(arguments: [
        ("GET /", 414), ("GET / HTTP/1.1\r\nHost: a\r\nX: ", 431), ("GET / HTTP/1.1\r\n", 431), ("", 501),
    ]) func anEndlessHeader(prefix: String, status: Int) {
        var limits = IngressLimits()
        limits.urlBytes = 100
        limits.headerBytes = 1_000
        var reader = HeaderReader(limits: limits)
        var bytes = prefix.latin1
        while reader.feed(bytes) == .needsMore, bytes.count < 10_000 { bytes.append(UInt8(ascii: "a")) }
        #expect(reader.feed(bytes).status == status)
    }

    /// Sent byte by byte, a header costs no more than a few passes.
    @Test func aSlowHeaderCostsLittle() {
        let field = "X: \(String(repeating: "x", count: 60_000))\r\n"
        let bytes = "GET / HTTP/1.1\r\nHost: a\r\n\(field)\(field)\r\n".latin1
        var reader = HeaderReader()
        let duration = ContinuousClock().measure {
            bytes.withUnsafeBytes { bytes in
                for count in 1..<bytes.count {
                    guard reader.feed(UnsafeRawBufferPointer(rebasing: bytes[..<count])) == .needsMore else { return }
                }
            }
        }
        // Quadratic, it would take some seconds.
        #expect(duration < .milliseconds(500))
    }

    private static func framing(_ change: (inout RequestFraming) -> Void) -> RequestFraming {
        var framing = RequestFraming()
        change(&framing)
        return framing
    }

    private func expect(
        _ result: RequestParser.Result, _ head: RequestHead, says header: Accepted,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var framing = header.framing
        framing.headerBytes = header.text.latin1.count
        #expect(result == .request(framing), sourceLocation: sourceLocation)
        guard case .request = result else { return }
        #expect(head.methodString == header.method, sourceLocation: sourceLocation)
        #expect(head.urlString == header.url, sourceLocation: sourceLocation)
        #expect(head.fieldTexts == header.fields, sourceLocation: sourceLocation)
    }
}

/// A parser with what it needs for one header.
struct HeaderReader {
    private let parser: RequestParser
    private var progress = RequestParser.Progress()
    private(set) var head = RequestHead()

    init(limits: IngressLimits = IngressLimits()) {
        parser = RequestParser(limits: limits)
    }

    mutating func feed(_ bytes: [UInt8]) -> RequestParser.Result {
        bytes.withUnsafeBytes { feed($0) }
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) -> RequestParser.Result {
        parser.parse(bytes, progress: &progress, into: &head)
    }
}

extension RequestParser.Result {
    /// The status of a refusal.
    var status: Int? {
        if case .rejected(let rejection) = self { rejection.status } else { nil }
    }
}

extension RequestHead {
    /// The fields as "name: value".
    var fieldTexts: [String] {
        (0..<fieldCount).map { field in
            String(latin1: bytes[name(field)]) + ": " + String(latin1: bytes[value(field)])
        }
    }
}

extension String {
    /// The text in Latin-1; it must have no other characters.
    var latin1: [UInt8] { unicodeScalars.map { UInt8($0.value) } }

    init(latin1 bytes: some Sequence<UInt8>) {
        self.init(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
