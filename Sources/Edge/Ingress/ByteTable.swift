/// A property of each of the 256 bytes, where the parser's inner loops find it with one load.
struct ByteTable: @unchecked Sendable {
    // Sound to share: never written after `init`, never freed.
    private let entries: UnsafePointer<UInt8>

    private init(_ entry: (UInt8) -> UInt8) {
        let entries = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for byte in UInt8.min...UInt8.max { entries[Int(byte)] = entry(byte) }
        self.entries = UnsafePointer(entries)
    }

    @inline(__always)
    subscript(byte: UInt8) -> UInt8 { entries[Int(byte)] }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Bytes of a token (RFC 9110, section 5.6.2) in lower case; 0 for others.
    static let token = ByteTable { byte in
        isLetterOrDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte) ? lowered(byte) : 0
    }

    /// 1 for the bytes a request target may have. Browsers send some that RFC 3986 would have encoded; a fragment, a
    /// backslash (which browsers only leave alone behind the question mark), blanks, controls and non-ASCII have no
    /// place.
    static let target = ByteTable { byte in
        (0x21...0x7e).contains(byte) && !"#\\".utf8.contains(byte) ? 1 : 0
    }

    /// Bytes of a host's name in lower case; 0 for others. Narrower than RFC 3986, which allows what no name has.
    static let hostName = ByteTable { byte in
        isLetterOrDigit(byte) || "-._".utf8.contains(byte) ? lowered(byte) : 0
    }

    /// Bytes between the brackets of an IPv6 address in lower case; 0 for others.
    static let addressLiteral = ByteTable { byte in
        "0123456789abcdefABCDEF:.".utf8.contains(byte) ? lowered(byte) : 0
    }

    /// The value of a hexadecimal digit; 255 for others.
    static let hexadecimal = ByteTable { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: 255
        }
    }
}

/// The bytes HTTP's grammar is made of.
enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let delete: UInt8 = 0x7f
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let slash = UInt8(ascii: "/")
    static let question = UInt8(ascii: "?")
    static let zero = UInt8(ascii: "0")

    /// Whether a field's value may have the byte (RFC 9110, section 5.5): no control but the tab.
    @inline(__always)
    static func isFieldByte(_ byte: UInt8) -> Bool {
        byte >= space ? byte != delete : byte == tab
    }

    /// Whether none of eight bytes is a control, not even a tab: the common case, decided at once.
    @inline(__always)
    static func areVisible(_ eight: UInt64) -> Bool {
        let low: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let belowSpace = (eight &- low &* 0x20) & ~eight
        let difference = eight ^ (low &* 0x7f)
        let isDelete = (difference &- low) & ~difference
        return (belowSpace | isDelete) & high == 0
    }
}
