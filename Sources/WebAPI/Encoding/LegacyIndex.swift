import CICU

/// An index of the Encoding Standard, section 5: code points by pointer. When it is first used it is made from one of
/// ICU's converters, with what the standard has otherwise; then the whole process shares it.
struct LegacyIndex: Sendable {
    /// 0 stands for null.
    private var codePoints: [UInt32]

    private init(count: Int, _ codePoint: (Int) -> UInt32?) {
        codePoints = (0..<count).map { codePoint($0) ?? 0 }
    }

    /// The code point of a pointer; nil if there is none.
    subscript(pointer: Int) -> UInt32? {
        guard codePoints.indices.contains(pointer), codePoints[pointer] != 0 else { return nil }
        return codePoints[pointer]
    }

    /// Sets what differs from ICU: pointer, code point, pointer, code point; 0 takes a mapping away.
    private mutating func apply(_ differences: [UInt16]) {
        for i in stride(from: 0, to: differences.count, by: 2) {
            codePoints[Int(differences[i])] = UInt32(differences[i + 1])
        }
    }

    // MARK: Single-byte encodings, section 9

    /// Indexes by the encoding's name.
    static let singleByte: [String: LegacyIndex] = {
        let converters = [
            "ibm866": "ibm-866", "iso-8859-2": "iso-8859-2", "iso-8859-3": "iso-8859-3", "iso-8859-4": "iso-8859-4",
            "iso-8859-5": "iso-8859-5", "iso-8859-6": "iso-8859-6", "iso-8859-7": "iso-8859-7",
            "iso-8859-8": "iso-8859-8", "iso-8859-8-i": "iso-8859-8", "iso-8859-10": "iso-8859-10",
            "iso-8859-13": "iso-8859-13", "iso-8859-14": "iso-8859-14", "iso-8859-15": "iso-8859-15",
            "iso-8859-16": "iso-8859-15", "koi8-r": "koi8-r", "koi8-u": "koi8-u", "macintosh": "macintosh",
            "windows-874": "windows-874-2000", "windows-1250": "ibm-5346", "windows-1251": "ibm-5347",
            "windows-1252": "ibm-5348", "windows-1253": "ibm-5349", "windows-1254": "ibm-5350",
            "windows-1255": "ibm-9447", "windows-1256": "ibm-9448", "windows-1257": "ibm-9449",
            "windows-1258": "ibm-5354", "x-mac-cyrillic": "x-mac-cyrillic",
        ]
        // By pointer, which is the byte less 0x80. ICU has no ISO-8859-16: it is given by what ISO-8859-15 lacks.
        let differences: [String: [UInt16]] = [
            "iso-8859-16": [
                0x21, 0x0104, 0x22, 0x0105, 0x23, 0x0141, 0x25, 0x201E, 0x2A, 0x0218, 0x2C, 0x0179, 0x2E, 0x017A,
                0x2F, 0x017B, 0x32, 0x010C, 0x33, 0x0142, 0x35, 0x201D, 0x39, 0x010D, 0x3A, 0x0219, 0x3F, 0x017C,
                0x43, 0x0102, 0x45, 0x0106, 0x50, 0x0110, 0x51, 0x0143, 0x55, 0x0150, 0x57, 0x015A, 0x58, 0x0170,
                0x5D, 0x0118, 0x5E, 0x021A, 0x63, 0x0103, 0x65, 0x0107, 0x70, 0x0111, 0x71, 0x0144, 0x75, 0x0151,
                0x77, 0x015B, 0x78, 0x0171, 0x7D, 0x0119, 0x7E, 0x021B,
            ],
            "koi8-u": [0x2E, 0x045E, 0x3E, 0x040E],
            "windows-1253": [0x2A, 0],
            "windows-1255": [0x4A, 0x05BA],
        ]
        var indexes: [String: LegacyIndex] = [:]
        for (name, converter) in converters {
            // Apple's logo is a private use code point.
            let table = ByteTable(converter, mapsPrivateUse: name == "macintosh")
            var index = LegacyIndex(count: 0x80) { table[UInt8(0x80 + $0)] }
            index.apply(differences[name] ?? [])
            indexes[name] = index
        }
        return indexes
    }()

    // MARK: Multi-byte encodings, section 5

    static let jis0208: LegacyIndex = {
        let table = ByteTable("ibm-943_P15A-2003")
        return LegacyIndex(count: 11_280) { pointer in
            // Shift_JIS has no index for its user-defined rows, and none of its lead bytes reaches past 0xFC.
            if (8_836...10_715).contains(pointer) { return nil }
            let (lead, trail) = pointer.quotientAndRemainder(dividingBy: 188)
            return table[UInt8(lead + (lead < 0x1F ? 0x81 : 0xC1)), UInt8(trail + (trail < 0x3F ? 0x40 : 0x41))]
        }
    }()

    static let jis0212: LegacyIndex = {
        let table = ByteTable("euc-jp-2007")
        // From row 83 on, ICU has IBM's extensions.
        return LegacyIndex(count: 7_708) { table[0x8F, UInt8($0 / 94 + 0xA1), UInt8($0 % 94 + 0xA1)] }
    }()

    static let eucKR: LegacyIndex = {
        let table = ByteTable("windows-949-2000")
        return LegacyIndex(count: 23_940) { table[UInt8($0 / 190 + 0x81), UInt8($0 % 190 + 0x41)] }
    }()

    static let big5: LegacyIndex = {
        let table = ByteTable("ibm-1375_P100-2008")
        var index = LegacyIndex(count: 19_782) { pointer in
            // Pictures of control characters.
            if (5_432...5_463).contains(pointer) { return UInt32(0x2400 + pointer - 5_432) }
            let trail = pointer % 157
            return table[UInt8(pointer / 157 + 0x81), UInt8(trail + (trail < 0x3F ? 0x40 : 0x62))]
        }
        index.apply(big5Differences)
        return index
    }()

    // What was added to HKSCS after ICU's table of 2008, and second codes of some characters.
    private static let big5Differences: [UInt16] = [
        1008, 0x9F97, 1016, 0x9F96, 1099, 0x31C0, 1100, 0x31C1, 1101, 0x31C2, 1102, 0x31C3, 1103, 0x31C4,
        1105, 0x31C5, 1108, 0x31C6, 1109, 0x31C7, 1112, 0x31C8, 1114, 0x31C9, 1115, 0x31CA, 1116, 0x31CB,
        1117, 0x31CC, 1119, 0x31CD, 1120, 0x31CE, 1170, 0x23DA, 1171, 0x23DB, 1730, 0x9FA6, 1772, 0x9FA7,
        1779, 0x9FA8, 1812, 0x9FA9, 1814, 0x9FAA, 1816, 0x9FAB, 1821, 0x9FAC, 1844, 0x9FAD, 1845, 0x9FAE,
        1847, 0x9FAF, 1866, 0x9FB2, 1892, 0x9FB3, 2082, 0x7BB8, 2088, 0x7C06, 2103, 0x7CCE, 2114, 0x7DD2,
        2123, 0x7E1D, 2148, 0x8005, 2151, 0x8028, 2221, 0x83C1, 2239, 0x84A8, 2244, 0x840F, 2303, 0x89A6,
        2304, 0x89A9, 2354, 0x8D77, 2400, 0x90FD, 2413, 0x92B9, 2477, 0x975C, 2498, 0x97FF, 2605, 0x9F16,
        2673, 0x8503, 2746, 0x5159, 2747, 0x515B, 2748, 0x515D, 2749, 0x515E, 2771, 0x936E, 2780, 0x7479,
        2990, 0x6D67, 3087, 0x799B, 3259, 0x9097, 3301, 0x975D, 3436, 0x701E, 3451, 0x5B28, 4136, 0x7201,
        4138, 0x77D7, 4141, 0x7E87, 4182, 0x99D6, 4206, 0x91D4, 4220, 0x60DE, 4230, 0x6FB6, 4241, 0x8F36,
        4258, 0x4FBB, 4273, 0x71DF, 4279, 0x9104, 4282, 0x9DF0, 4294, 0x83CF, 4329, 0x5C10, 4330, 0x79E3,
        4349, 0x5A67, 4419, 0x8F0B, 4422, 0x7B51, 4494, 0x62D0, 4624, 0x6062, 4694, 0x75F9, 4708, 0x6C4A,
        4742, 0x9B2E, 4748, 0x9F17, 4815, 0x50ED, 4828, 0x5F0C, 4902, 0x880F, 4922, 0x62CE, 4982, 0x7468,
        4992, 0x7162, 4997, 0x7250, 5464, 0x2421, 10942, 0x5EF4, 10946, 0x65E0, 10948, 0x7676, 10950, 0x96B6,
        10957, 0x3003, 10958, 0x4EDD, 11204, 0x31CF, 11210, 0x9FB0, 11212, 0x9FB1, 19028, 0x5029, 19035, 0x507D,
        19088, 0x5305, 19096, 0x5344, 19112, 0x537F, 19162, 0x5605, 19240, 0x5A77, 19299, 0x5E75, 19305, 0x5ED0,
        19326, 0x5F58, 19355, 0x60A4, 19398, 0x6490, 19439, 0x6674, 19454, 0x675E, 19553, 0x6C9C, 19554, 0x6E1D,
        19557, 0x6E2F, 19611, 0x716E, 19643, 0x732A, 19672, 0x745C, 19697, 0x74E9, 19748, 0x7809,
    ]

    static let gb18030: LegacyIndex = {
        let table = ByteTable("gb18030", mapsPrivateUse: true)
        var index = LegacyIndex(count: 23_940) { pointer in
            let trail = pointer % 190
            return table[UInt8(pointer / 190 + 0x81), UInt8(trail + (trail < 0x3F ? 0x40 : 0x41))]
        }
        // An ideographic space, and what GB 18030-2022 moved out of the private use area.
        index.apply([
            6_555, 0x3000, 7_182, 0xFE10, 7_183, 0xFE12, 7_184, 0xFE11, 7_185, 0xFE13, 7_186, 0xFE14, 7_187, 0xFE15,
            7_188, 0xFE16, 7_201, 0xFE17, 7_202, 0xFE18, 7_208, 0xFE19, 23_775, 0x9FB4, 23_783, 0x9FB5,
            23_788, 0x9FB6, 23_789, 0x9FB7, 23_795, 0x9FB8, 23_812, 0x9FB9, 23_829, 0x9FBA, 23_845, 0x9FBB,
        ])
        return index
    }()
}

/// Index gb18030 ranges: the code points of four-byte sequences. Each range goes on to the next one's pointer.
struct LegacyRanges: Sendable {
    private var starts: [(pointer: Int, codePoint: UInt32)] = []

    /// The code point of a pointer; nil if there is none.
    subscript(pointer: Int) -> UInt32? {
        if pointer >= 189_000 { return pointer > 1_237_575 ? nil : UInt32(0x10000 + pointer - 189_000) }
        if pointer > 39_419 { return nil }
        // Where a two-byte sequence has taken the place of what would be here.
        if pointer == 7_457 { return 0xE7C7 }
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle].pointer <= pointer { low = middle } else { high = middle }
        }
        return starts[low].codePoint + UInt32(pointer - starts[low].pointer)
    }

    static let gb18030: LegacyRanges = {
        let table = ByteTable("gb18030", mapsPrivateUse: true)
        var ranges = LegacyRanges()
        var next: UInt32 = 0
        for pointer in 0...39_419 where pointer != 7_457 {
            let codePoint = table[
                UInt8(pointer / 12_600 + 0x81), UInt8(pointer / 1_260 % 10 + 0x30), UInt8(pointer / 10 % 126 + 0x81),
                UInt8(pointer % 10 + 0x30)]
            guard let codePoint else { preconditionFailure("ICU's gb18030 lacks pointer \(pointer)") }
            if codePoint != next || pointer == 7_458 { ranges.starts.append((pointer, codePoint)) }
            next = codePoint + 1
        }
        return ranges
    }()
}

/// What byte sequences stand for in one of ICU's converters.
private final class ByteTable {
    private let converter: OpaquePointer
    private let mapsPrivateUse: Bool

    /// ICU maps user-defined areas to private use code points, which few of the standard's indexes have.
    init(_ name: String, mapsPrivateUse: Bool = false) {
        guard let converter = cicu_converter_open(name) else { preconditionFailure("ICU has no converter \(name)") }
        self.converter = converter
        self.mapsPrivateUse = mapsPrivateUse
    }

    deinit { cicu_converter_close(converter) }

    subscript(bytes: UInt8...) -> UInt32? {
        let codePoint = cicu_converter_code_point(converter, bytes, bytes.count)
        if codePoint == CICU_UNMAPPED || (!mapsPrivateUse && (0xE000...0xF8FF).contains(codePoint)) { return nil }
        return codePoint
    }
}
