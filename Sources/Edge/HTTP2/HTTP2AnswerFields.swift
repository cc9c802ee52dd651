internal import NIOHPACK

/// The header of an answer, made from HTTP/1.1's form, which is rid of what concerns a connection.
enum HTTP2AnswerFields {
    /// - Parameter text: status line and fields, each with its line end, and the empty line.
    static func make(status: Int, from text: UnsafeBufferPointer<UInt8>) -> HPACKHeaders {
        var headers = HPACKHeaders()
        headers.reserveCapacity(12)
        headers.add(name: ":status", value: String(status))
        var lines = text.split(separator: ASCII.lineFeed).makeIterator()
        _ = lines.next()
        while let line = lines.next() {
            guard let colon = line.firstIndex(of: ASCII.colon) else { continue }
            let name = String(decoding: line[..<colon].lazy.map { ByteTable.token[$0] }, as: UTF8.self)
            headers.add(name: name, value: value(line[(colon + 1)...]), indexing: indexing(of: name))
        }
        return headers
    }

    /// Without the blanks around it, which HTTP/2 does not have, and the CR.
    private static func value(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        var bytes = bytes
        while let first = bytes.first, first <= ASCII.space { bytes = bytes.dropFirst() }
        while let last = bytes.last, last <= ASCII.space { bytes = bytes.dropLast() }
        // HPACK's implementation takes text: what is not UTF-8 is Latin-1.
        return String(validating: bytes, as: UTF8.self)
            ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// What is different each time would only push useful entries out of the client's table; what is secret should not
    /// be there to be guessed at (RFC 7541, section 7.1).
    private static func indexing(of name: String) -> HPACKIndexing {
        switch name {
        case "content-length", "etag", "location": .nonIndexable
        case "set-cookie": .neverIndexed
        default: .indexable
        }
    }
}
