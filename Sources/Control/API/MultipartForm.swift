/// A body of type multipart/form-data (RFC 7578).
package struct MultipartForm: Sendable {
    package struct Part: Sendable {
        package var name: String
        package var filename: String?
        /// Without parameters, in lower case; nil if the part has none.
        package var contentType: String?
        package var body: [UInt8]
    }

    package var parts: [Part]

    /// The most parts of one form.
    package static let partsAtMost = 10_000
    /// The most bytes of a part's header.
    static let headerBytes = 16 << 10

    init(parts: [Part]) { self.parts = parts }

    /// - Throws: `APIError` that says what is wrong with the body.
    package init(_ body: [UInt8], contentType: String) throws(APIError) {
        let fields = HeaderParameters(contentType)
        guard fields.value == "multipart/form-data" else {
            throw .wrongContentType("the body must be multipart/form-data, not '\(fields.value)'")
        }
        guard let boundary = fields["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw .malformed("multipart/form-data without a boundary")
        }
        parts = try Self.parts(of: body, boundary: Array("--\(boundary)".utf8))
    }

    /// The parts stand between lines that begin with the boundary; the last such line ends with "--".
    private static func parts(of body: [UInt8], boundary: [UInt8]) throws(APIError) -> [Part] {
        guard var position = find(boundary, in: body, from: 0), position == 0 || body[position - 1] == 10 else {
            throw .malformed("the boundary does not occur in the form")
        }
        let delimiter = [13, 10] + boundary
        var parts: [Part] = []
        position += boundary.count
        while true {
            if body[position...].starts(with: [45, 45]) { return parts }
            // Blanks may follow a boundary.
            while position < body.count, body[position] == 32 || body[position] == 9 { position += 1 }
            guard body[position...].starts(with: [13, 10]) else { throw .malformed("a boundary without a line end") }
            position += 2
            guard let end = find(delimiter, in: body, from: max(0, position - 2)) else {
                throw .malformed("the form breaks off inside a part")
            }
            guard parts.count < partsAtMost else { throw .malformed("more than \(partsAtMost) parts") }
            parts.append(try part(body[position..<max(position, end)]))
            position = end + delimiter.count
        }
    }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(APIError) -> Part {
        var name: String?
        var filename: String?
        var contentType: String?
        var rest = bytes
        while true {
            guard let end = find([13, 10], in: rest, from: rest.startIndex), end - bytes.startIndex <= headerBytes
            else {
                throw .malformed("a part without the empty line behind its header")
            }
            let line = rest[rest.startIndex..<end]
            rest = rest[(end + 2)...]
            if line.isEmpty { break }
            guard let text = String(validating: line, as: UTF8.self), let colon = text.firstIndex(of: ":") else {
                throw .malformed("a part's header is not a field")
            }
            let fields = HeaderParameters(String(text[text.index(after: colon)...]))
            switch text[..<colon].lowercased() {
            case "content-disposition":
                guard fields.value == "form-data" else { throw .malformed("a part that is not form-data") }
                name = fields["name"]
                filename = fields["filename"]
            case "content-type": contentType = fields.value
            case "content-transfer-encoding" where fields.value != "binary" && fields.value != "8bit":
                throw .malformed("a part in the encoding '\(fields.value)'")
            default: break
            }
        }
        guard let name else { throw .malformed("a part without a name") }
        return Part(name: name, filename: filename, contentType: contentType, body: Array(rest))
    }

    /// Where `pattern` begins in `bytes` at or after an index.
    private static func find(_ pattern: [UInt8], in bytes: some Collection<UInt8>, from start: Int) -> Int? {
        bytes.withContiguousStorageIfAvailable { all in
            let offset = bytes.startIndex as? Int ?? 0
            var index = start - offset
            while index + pattern.count <= all.count {
                guard let next = all[index...].firstIndex(of: pattern[0]) else { return nil }
                if next + pattern.count > all.count { return nil }
                if all[next..<(next + pattern.count)].elementsEqual(pattern) { return next + offset }
                index = next + 1
            }
            return nil
        } ?? nil
    }

    /// The first part of that name.
    subscript(name: String) -> Part? { parts.first { $0.name == name } }
}

/// A field's value with parameters: `form-data; name="a"; filename="b"`.
struct HeaderParameters {
    /// In lower case.
    let value: String
    private var parameters: [String: String] = [:]

    init(_ text: String) {
        var rest = text[...]
        value = String(rest.prefix { $0 != ";" }).trimmed.lowercased()
        rest = rest.drop { $0 != ";" }.dropFirst()
        while !rest.isEmpty {
            let name = String(rest.prefix { $0 != "=" && $0 != ";" }).trimmed.lowercased()
            rest = rest.dropFirst(rest.prefix { $0 != "=" && $0 != ";" }.count)
            guard rest.first == "=" else {
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            let content = rest.first == "\"" ? Self.quoted(&rest) : String(rest.prefix { $0 != ";" }).trimmed
            rest = rest.drop { $0 != ";" }.dropFirst()
            if parameters[name] == nil { parameters[name] = content }
        }
    }

    /// Browsers and clients write `%22` for a quotation mark, others a backslash before it.
    private static func quoted(_ rest: inout Substring) -> String {
        var content = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                content.append(next)
                rest = rest.dropFirst()
            } else {
                content.append(character)
            }
        }
        return content.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
    }

    subscript(name: String) -> String? { parameters[name] }
}

extension String {
    fileprivate var trimmed: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
