/// Values of fields that are lists of names, such as Connection (RFC 9110, section 5.6.1).
package enum FieldList {
    /// The members, in lower case.
    package static func tokens(in value: ArraySlice<UInt8>?) -> [String] {
        guard let value else { return [] }
        return String(decoding: value, as: UTF8.self).lowercased().split(separator: ",").map { token in
            String(token.filter { $0 != " " && $0 != "\t" })
        }
    }
}
