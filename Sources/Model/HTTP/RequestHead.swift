/// The head of an HTTP request as one flat value: method, absolute URL and header fields in a single array.
///
/// Flat, because it is made for every request, must outlive the connection's buffers (`waitUntil` may read it after
/// the answer), and crosses process boundaries unchanged. Names are lower-case ASCII, values Latin-1 without
/// surrounding blanks (RFC 9110, section 5.5).
package struct RequestHead: Sendable, Equatable {
    /// Method, then URL, then name, value, name, value ... without separators.
    package private(set) var bytes: [UInt8] = []
    /// Where each piece ends in `bytes`: method, URL, name, value, name, value ...
    package private(set) var ends: [UInt32] = []

    package init(reservingBytes count: Int = 0, fields: Int = 0) {
        bytes.reserveCapacity(count)
        ends.reserveCapacity(2 + 2 * fields)
    }

    package init(method: String, url: String, headers: [(String, String)] = []) {
        append(method.utf8)
        append(url.utf8)
        for (name, value) in headers {
            append(name.lowercased().utf8)
            append(value.utf8)
        }
    }

    /// Appends the next piece: method, URL, then names (already in lower case) and values in turn.
    package mutating func append(_ piece: some Sequence<UInt8>) {
        bytes.append(contentsOf: piece)
        ends.append(UInt32(bytes.count))
    }

    /// Edits the storage in place: for a parser that writes pieces byte by byte and then marks their end.
    package mutating func edit(_ body: (inout [UInt8], inout [UInt32]) -> Void) {
        body(&bytes, &ends)
    }

    package var fieldCount: Int { max(0, ends.count / 2 - 1) }
    package var method: Range<Int> { 0..<Int(ends[0]) }
    package var url: Range<Int> { Int(ends[0])..<Int(ends[1]) }
    package func name(_ field: Int) -> Range<Int> { Int(ends[2 * field + 1])..<Int(ends[2 * field + 2]) }
    package func value(_ field: Int) -> Range<Int> { Int(ends[2 * field + 2])..<Int(ends[2 * field + 3]) }

    package var methodString: String { String(decoding: bytes[method], as: UTF8.self) }
    package var urlString: String { String(decoding: bytes[url], as: UTF8.self) }

    /// The value of the first field of that lower-case name.
    package func firstValue(of lowercaseName: StaticString) -> ArraySlice<UInt8>? {
        let wanted = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(lowercaseName.utf8Start), count: lowercaseName.utf8CodeUnitCount)
        for field in 0..<fieldCount where bytes[name(field)].elementsEqual(wanted) {
            return bytes[value(field)]
        }
        return nil
    }
}
