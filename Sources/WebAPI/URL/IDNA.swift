import CICU

/// Internationalized domain names as the URL Standard uses them, section 3.3. Ops hand in a string's code units.
enum IDNA {
    /// ICU is not interrupted; no domain name in use comes near this many code units.
    static let maximumLength = 8_192

    /// Domain to ASCII, without the standard's check for forbidden code points. Gives nil for failure.
    static func toASCII(_ domain: UnsafeBufferPointer<UInt16>, beStrict: Bool) -> [UInt8]? {
        let (name, hasError) = mapped(domain).withUnsafeBufferPointer { process($0, beStrict, cicu_idna_to_ascii) }
        guard !hasError, !hasInvalidPunycode(name) else { return nil }
        var ascii: [UInt8] = []
        ascii.reserveCapacity(name.count)
        for unit in name {
            guard unit < 0x80 else { return nil }
            ascii.append(UInt8(unit))
        }
        return ascii
    }

    /// Domain to Unicode: labels in error stay as they are, or have U+FFFD in them.
    static func toUnicode(_ domain: UnsafeBufferPointer<UInt16>, beStrict: Bool) -> [UInt16] {
        let (name, _) = mapped(domain).withUnsafeBufferPointer { process($0, beStrict, cicu_idna_to_unicode) }
        return name.isEmpty ? Array(domain) : name
    }

    private typealias Function = (
        UnsafePointer<UInt16>?, Int32, Bool, UnsafeMutablePointer<UInt16>?, Int32, UnsafeMutablePointer<Bool>
    ) -> Int32

    private static func process(
        _ domain: UnsafeBufferPointer<UInt16>, _ beStrict: Bool, _ function: Function
    ) -> (name: [UInt16], hasError: Bool) {
        guard domain.count <= maximumLength else { return ([], true) }
        var capacity = domain.count * 2 + 64
        while true {
            var hasError = false
            var needed: Int32 = 0
            let name = [UInt16](unsafeUninitializedCapacity: capacity) { buffer, count in
                needed = function(
                    domain.baseAddress, Int32(domain.count), beStrict, buffer.baseAddress, Int32(capacity), &hasError)
                count = min(max(0, Int(needed)), capacity)
            }
            if needed < 0 { return ([], true) }
            if Int(needed) <= capacity { return (name, hasError) }
            capacity = Int(needed)
        }
    }
}

// MARK: UTS #46 since Unicode 15.1, of which Debian 12's ICU has the version before

extension IDNA {
    /// Code points that are mapped today and were disallowed, or mapped to something else.
    private static let mappings: [UInt32: UInt32] = [
        0x04C0: 0x04CF, 0x1E9E: 0x00DF, 0x2132: 0x214E, 0x2183: 0x2184, 0x2F868: 0x36FC, 0x2F874: 0x5F53,
        0x2F91F: 0x243AB, 0x2F95F: 0x7AEE, 0x2F9BF: 0x45D7,
    ]
    /// Default ignorable code points that are ignored today and were disallowed.
    private static let ignored: [ClosedRange<UInt32>] = [
        0x115F...0x1160, 0x17B4...0x17B5, 0x180E...0x180E, 0x206A...0x206F, 0x3164...0x3164, 0xFFA0...0xFFA0,
        0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
    ]
    /// Georgian capital letters, which lie in the order of their small letters.
    private static let georgianCapitals: ClosedRange<UInt32> = 0x10A0...0x10C5
    private static let georgianSmall: UInt32 = 0x2D00

    private static func mapped(_ domain: UnsafeBufferPointer<UInt16>) -> [UInt16] {
        var result: [UInt16] = []
        result.reserveCapacity(domain.count)
        for scalar in String(decoding: domain, as: UTF16.self).unicodeScalars {
            let value = scalar.value
            if value < 0x04C0 {
                result.append(UInt16(value))
                continue
            }
            if ignored.contains(where: { $0.contains(value) }) { continue }
            let isGeorgian = georgianCapitals.contains(value)
            let target = isGeorgian ? georgianSmall + value - georgianCapitals.lowerBound : mappings[value] ?? value
            result.append(contentsOf: UTF16.encode(Unicode.Scalar(target) ?? scalar) ?? .init())
        }
        return result
    }

    /// Whether a Punycode label decodes to nothing or to ASCII alone, or again to what begins with "xn--".
    private static func hasInvalidPunycode(_ name: [UInt16]) -> Bool {
        let prefix = Array("xn--".utf16)
        let hyphen = prefix[2]
        for label in name.split(separator: UInt16(UInt8(ascii: "."))) where label.starts(with: prefix) {
            // The delimiter after what is ASCII comes last where nothing follows it.
            if label.last == hyphen { return true }
            guard label.dropFirst(prefix.count).starts(with: prefix) else { continue }
            let (unicode, _) = Array(label).withUnsafeBufferPointer { process($0, false, cicu_idna_to_unicode) }
            if unicode.starts(with: prefix) { return true }
        }
        return false
    }
}
