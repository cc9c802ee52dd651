/// Dates as header fields have them (RFC 9110, section 5.6.7), in all three forms.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil for what is no date.
    static func seconds(_ text: String) -> Double? {
        // "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
        let parts = text.split { $0 == " " || $0 == "-" }.map(String.init)
        if parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT" {
            return seconds(day: parts[1], month: parts[2], year: parts[3], time: parts[4])
        }
        guard parts.count == 5 else { return nil }
        return seconds(day: parts[2], month: parts[1], year: parts[4], time: parts[3])
    }

    private static func seconds(day: String, month: String, year: String, time: String) -> Double? {
        let clock = time.split(separator: ":").compactMap { Int($0) }
        guard let day = Int(day), (1...31).contains(day), let month = months.firstIndex(of: month),
            var year = Int(year), (0...9_999).contains(year), clock.count == 3, (0..<24).contains(clock[0]),
            (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        // Two digits: the nearest year that ends so, of those that matter here.
        if year < 100 { year += year < 70 ? 2_000 : 1_900 }
        let days = daysSince1970(year, month + 1, day)
        return Double(((days * 24 + clock[0]) * 60 + clock[1]) * 60 + clock[2])
    }

    /// Of the proleptic Gregorian calendar, by counting years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
