internal import Model
package import NIOHPACK

/// A request's header in HTTP/1.1's form, so that both versions go through one parser, with one set of rules and
/// limits. The HTTP/2 handler has seen to it that the pseudo-header fields are there, once and in front, that names are
/// lower-case tokens, and that no field is the connection's.
package enum HTTP2RequestText {
    /// Writes the text in the place of what is in `text`.
    /// - Throws: `Rejection` if the parser would not see what is wrong.
    package static func write(_ headers: HPACKHeaders, to text: inout [UInt8]) throws(Rejection) {
        var pseudo = Pseudo()
        var cookies: [String] = []
        for (name, value, _) in headers {
            if name.utf8.first == ASCII.colon {
                pseudo.take(name, value)
            } else if name == "host" {
                try pseudo.take(host: value)
            } else if name == "cookie" {
                cookies.append(value)
            }
        }
        text.removeAll(keepingCapacity: true)
        try pseudo.write(to: &text)
        for (name, value, _) in headers where name.utf8.first != ASCII.colon && name != "host" && name != "cookie" {
            try write(name, value, to: &text)
        }
        // RFC 9113, section 8.2.3: they may have been split for compression's sake.
        if !cookies.isEmpty { try write("cookie", cookies.joined(separator: "; "), to: &text) }
        text += "\r\n".utf8
    }

    private static func write(_ name: String, _ value: String, to text: inout [UInt8]) throws(Rejection) {
        let bytes = value.utf8
        let blanks = [ASCII.space, ASCII.tab]
        if let first = bytes.first, let last = bytes.last, blanks.contains(first) || blanks.contains(last) {
            throw .malformedField
        }
        guard bytes.allSatisfy(ASCII.isFieldByte) else { throw .malformedField }
        text += name.utf8
        text += ": ".utf8
        text += bytes
        text += "\r\n".utf8
    }

    private struct Pseudo {
        private var method = ""
        private var scheme = ""
        private var path = ""
        private var authority: String?
        private var host: String?

        mutating func take(_ name: String, _ value: String) {
            switch name {
            case ":method": method = value
            case ":scheme": scheme = value
            case ":path": path = value
            case ":authority": authority = value
            default: break
            }
        }

        mutating func take(host value: String) throws(Rejection) {
            if host != nil { throw .repeatedHost }
            host = value
        }

        func write(to text: inout [UInt8]) throws(Rejection) {
            guard !method.isEmpty, method.utf8.allSatisfy({ ByteTable.token[$0] != 0 }) else { throw .malformedMethod }
            if method == "CONNECT" { throw .unsupportedMethod }
            guard scheme.lowercased() == "https" else { throw .wrongScheme }
            guard path.utf8.first == ASCII.slash || path == "*", path.utf8.allSatisfy({ $0 > ASCII.space }) else {
                throw .malformedTarget
            }
            if let authority, let host, authority.lowercased() != host.lowercased() { throw .malformedHost }
            text += method.utf8
            text.append(ASCII.space)
            text += path.utf8
            text += " HTTP/1.1\r\n".utf8
            guard let host = authority ?? host else { throw .missingHost }
            try HTTP2RequestText.write("host", host, to: &text)
        }
    }
}
