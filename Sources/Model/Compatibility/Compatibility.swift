/// Which of Workers' behaviours over the years a worker asked for: by a date, and by flags that add to it or take from
/// it. A value; what follows from it is worked out once.
package struct Compatibility: Sendable, Equatable, Codable {
    /// What all else follows from.
    private enum CodingKeys: String, CodingKey {
        case date, flags
    }

    /// "2026-08-01". The last day before Node.js's modules came with the date: who wants them says so.
    package static let defaultDate = "2026-08-01"
    package static let standard = Compatibility(unchecked: defaultDate, flags: [])

    package let date: String
    /// As they were given.
    package let flags: [String]
    /// The flags in force that change what the runtime does, by the names that switch them on.
    package let enabled: Set<String>
    /// What was asked for and will not happen; each is a sentence that names its flag.
    package let warnings: [String]

    /// Whether the worker meets the runtime as the snapshot has it.
    package var isStandard: Bool { enabled == Self.standard.enabled }

    /// - Throws: `CompatibilityError` for a date that is none, and for flags that contradict each other.
    package init(date: String = defaultDate, flags: [String] = []) throws(CompatibilityError) {
        guard Self.isDate(date) else {
            throw CompatibilityError("A compatibility date looks like \(Self.defaultDate), not '\(date)'.")
        }
        for flag in CompatibilityFlag.all where flags.contains(flag.name) {
            guard let opposite = flag.opposite, flags.contains(opposite) else { continue }
            throw CompatibilityError("The compatibility flags \(flag.name) and \(opposite) contradict each other.")
        }
        self.init(unchecked: date, flags: flags)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            date: try container.decode(String.self, forKey: .date),
            flags: try container.decode([String].self, forKey: .flags))
    }

    private init(unchecked date: String, flags: [String]) {
        self.date = date
        self.flags = flags
        let given = Set(flags)
        enabled = Set(
            CompatibilityFlag.all.filter { $0.isObserved && $0.isEnabled(on: date, given: given) }.map(\.name))
        warnings = Self.warnings(date: date, flags: flags)
    }

    private static func warnings(date: String, flags: [String]) -> [String] {
        var warnings = flags.compactMap { name -> String? in
            guard let flag = CompatibilityFlag.all.first(where: { $0.name == name || $0.opposite == name }) else {
                return "There is no compatibility flag '\(name)'; it is ignored."
            }
            guard !flag.isObserved, name == flag.opposite else { return nil }
            return "The compatibility flag '\(name)' has no effect: Martlet always behaves as with '\(flag.name)'."
        }
        if date > CompatibilityFlag.newestDate {
            let newest = CompatibilityFlag.newestDate
            warnings.append(
                "The compatibility date \(date) is newer than what this Martlet knows; it acts as \(newest).")
        }
        return warnings
    }

    /// YYYY-MM-DD, a day that there is.
    private static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return false }
        func number(_ range: Range<Int>) -> Int? {
            let digits = bytes[range]
            guard digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
            return digits.reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return year >= 2017 && days.indices.contains(month - 1) && (1...days[month - 1]).contains(day)
    }
}

/// A date or flags that cannot be meant, in one sentence.
package struct CompatibilityError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
