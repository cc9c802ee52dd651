/// The encodings of the Encoding Standard, section 4.2, that JavaScript leaves to the host.
enum LegacyEncoding {
    case singleByte(LegacyIndex)
    case xUserDefined
    /// gb18030 and GBK share their decoder.
    case gb18030
    case big5
    case eucJP
    case iso2022JP
    case shiftJIS
    case eucKR

    /// By the standard's name in lower case; nil for any other.
    init?(name: String) {
        switch name {
        case "gb18030", "gbk": self = .gb18030
        case "big5": self = .big5
        case "euc-jp": self = .eucJP
        case "iso-2022-jp": self = .iso2022JP
        case "shift_jis": self = .shiftJIS
        case "euc-kr": self = .eucKR
        case "x-user-defined": self = .xUserDefined
        default:
            guard let index = LegacyIndex.singleByte[name] else { return nil }
            self = .singleByte(index)
        }
    }
}
