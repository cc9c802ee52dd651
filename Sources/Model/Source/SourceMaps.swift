internal import Synchronization

/// The source maps of a Worker's modules: gives its stack traces the places that its author knows.
package final class SourceMaps: Sendable {
    /// As they came, by module; each is read when it is first needed.
    private let unread: [String: [UInt8]]
    private let read = Mutex<[String: SourceMap?]>([:])

    package init(_ maps: [String: [UInt8]]) { unread = maps }

    private func map(of module: String) -> SourceMap? {
        guard let bytes = unread[module] else { return nil }
        if let known = read.withLock({ $0[module] }) { return known }
        let map = SourceMap(bytes)
        read.withLock { $0[module] = map }
        return map
    }

    /// A place in a module, counted from 1.
    /// - Returns: nil if no map knows it.
    package func place(module: String, line: Int, column: Int) -> SourceMap.Place? {
        map(of: module)?.place(line: line, column: column)
    }

    /// A text in which lines that begin with `at` and name a place of a module name its source's instead.
    package func resolved(_ text: String) -> String {
        guard !unread.isEmpty, text.utf8.contains(where: { $0 == 10 }), text.contains("    at ") else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let start = line.drop { $0 == " " }
            return start.hasPrefix("at ") ? resolvedFrame(String(line)) : String(line)
        }.joined(separator: "\n")
    }

    private func resolvedFrame(_ line: String) -> String {
        for module in unread.keys {
            for range in line.ranges(of: module + ":") {
                let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
                guard before == " " || before == "(" else { continue }
                let numbers = line[range.upperBound...].prefix { $0.isNumber || $0 == ":" }
                let parts = numbers.split(separator: ":").compactMap { Int($0) }
                guard parts.count == 2, let place = place(module: module, line: parts[0], column: parts[1]) else {
                    continue
                }
                return line[..<range.lowerBound] + "\(place.source):\(place.line):\(place.column)"
                    + line[numbers.endIndex...]
            }
        }
        return line
    }
}
