internal import Glibc

/// When something is due: five fields, minute, hour, day of the month, month and day of the week, in UTC.
///
/// Each takes `*`, numbers, ranges and steps, in a list with commas; months and days of the week also names. Days of
/// the week count from 1, which is Sunday. `L` is the month's last day, `5L` its last Thursday, `15W` the working day
/// next to the 15th, `2#1` its first Monday. If both days are restricted, either will do. (Cloudflare, Cron Triggers.)
package struct CronExpression: Sendable, Equatable {
    /// What is wrong with an expression.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private enum Day: Sendable, Equatable {
        case number(Int)
        case last
        case lastWorkday
        /// The working day next to a day.
        case workday(Int)
        case lastOfWeekday(Int)
        /// The nth of a weekday.
        case weekday(Int, nth: Int)
    }

    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let months: Set<Int>
    private let days: [Day]
    private let weekdays: [Day]
    private let restrictsDays: Bool
    private let restrictsWeekdays: Bool

    package init(_ text: String) throws(Invalid) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: true).map { $0.uppercased() }
        guard fields.count == 5 else { throw Invalid(description: "'\(text)' has \(fields.count) fields instead of 5") }
        minutes = try Field(fields[0], "minute", 0...59).numbers()
        hours = try Field(fields[1], "hour", 0...23).numbers()
        let monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        months = try Field(fields[3], "month", 1...12, names: monthNames).numbers()
        let weekdayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        days = try Self.days(Field(fields[2], "day of the month", 1...31))
        weekdays = try Self.weekdays(Field(fields[4], "day of the week", 1...7, names: weekdayNames))
        restrictsDays = !fields[2].hasPrefix("*")
        restrictsWeekdays = !fields[4].hasPrefix("*")
    }

    private static func days(_ field: Field) throws(Invalid) -> [Day] {
        var days: [Day] = []
        for item in field.items {
            if item == "L" {
                days.append(.last)
            } else if item == "LW" {
                days.append(.lastWorkday)
            } else if item.hasSuffix("W") {
                days.append(.workday(try field.number(item.dropLast())))
            } else {
                days += try field.numbers(of: item).map { .number($0) }
            }
        }
        return days
    }

    private static func weekdays(_ field: Field) throws(Invalid) -> [Day] {
        var days: [Day] = []
        for item in field.items {
            if item == "L" {
                days.append(.number(7))
            } else if item.hasSuffix("L") {
                days.append(.lastOfWeekday(try field.number(item.dropLast())))
            } else if let sign = item.firstIndex(of: "#") {
                guard let nth = Int(item[item.index(after: sign)...]), (1...5).contains(nth) else {
                    throw field.invalid(item)
                }
                days.append(.weekday(try field.number(item[..<sign]), nth: nth))
            } else {
                days += try field.numbers(of: item).map { .number($0) }
            }
        }
        return days
    }

    /// Whether it is due in the minute of that time.
    package func isDue(at time: Timestamp) -> Bool {
        var seconds = time_t(time.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        guard minutes.contains(Int(parts.tm_min)), hours.contains(Int(parts.tm_hour)),
            months.contains(Int(parts.tm_mon) + 1)
        else { return false }
        let date = Date(
            day: Int(parts.tm_mday), weekday: Int(parts.tm_wday) + 1, month: Int(parts.tm_mon) + 1,
            year: Int(parts.tm_year) + 1_900)
        let isDay = days.contains { date.isDayOfMonth($0) }
        let isWeekday = weekdays.contains { date.isDayOfWeek($0) }
        return restrictsDays && restrictsWeekdays ? isDay || isWeekday : isDay && isWeekday
    }

    private struct Date {
        let day: Int
        /// 1 is Sunday.
        let weekday: Int
        let month: Int
        let year: Int

        private var length: Int {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        }

        private func weekday(of other: Int) -> Int { ((weekday - 1 + other - day) % 7 + 7) % 7 + 1 }

        /// The working day next to a day, in the same month.
        private func workday(nextTo other: Int) -> Int {
            switch weekday(of: other) {
            case 7: other > 1 ? other - 1 : other + 2
            case 1: other < length ? other + 1 : other - 2
            default: other
            }
        }

        func isDayOfMonth(_ rule: Day) -> Bool {
            switch rule {
            case .number(let number): day == number
            case .last: day == length
            case .lastWorkday: day == workday(nextTo: length)
            case .workday(let number): number <= length && day == workday(nextTo: number)
            case .lastOfWeekday, .weekday: false
            }
        }

        func isDayOfWeek(_ rule: Day) -> Bool {
            switch rule {
            case .number(let number): weekday == number
            case .lastOfWeekday(let number): weekday == number && day + 7 > length
            case .weekday(let number, let nth): weekday == number && (day - 1) / 7 + 1 == nth
            case .last, .lastWorkday, .workday: false
            }
        }
    }

    private struct Field {
        let text: String
        let name: String
        let range: ClosedRange<Int>
        let names: [String]

        init(_ text: String, _ name: String, _ range: ClosedRange<Int>, names: [String] = []) {
            self.text = text
            self.name = name
            self.range = range
            self.names = names
        }

        var items: [Substring] { text.split(separator: ",", omittingEmptySubsequences: false) }

        func invalid(_ item: some StringProtocol) -> Invalid {
            Invalid(description: "'\(item)' is not a \(name) (\(range.lowerBound)-\(range.upperBound))")
        }

        func numbers() throws(Invalid) -> Set<Int> {
            var numbers: Set<Int> = []
            for item in items { numbers.formUnion(try self.numbers(of: item)) }
            return numbers
        }

        func number(_ text: some StringProtocol) throws(Invalid) -> Int {
            if let index = names.firstIndex(of: String(text)) { return range.lowerBound + index }
            guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text), range.contains(number)
            else {
                throw invalid(text)
            }
            return number
        }

        /// `*`, `5`, `1-5`, each with `/step` or without.
        func numbers(of item: Substring) throws(Invalid) -> [Int] {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count) else { throw invalid(item) }
            var bounds = range
            let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
            if parts[0] != "*" {
                let first = try number(ends[0])
                let last = try ends.count == 2 ? number(ends[1]) : parts.count == 2 ? range.upperBound : first
                guard ends.count <= 2, first <= last else { throw invalid(item) }
                bounds = first...last
            }
            guard parts.count == 2 else { return Array(bounds) }
            guard let step = Int(parts[1]), step > 0, step <= range.upperBound else { throw invalid(item) }
            return Array(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
        }
    }
}
