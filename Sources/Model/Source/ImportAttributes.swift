/// `import data from "./data.json" with { type: "json" }`: what a module is, its type in the upload or its file's name
/// says already, and V8 10.2 does not know the clause.
package enum ImportAttributes {
    /// The source with blanks for the clauses: no place of anything else changes, so that source maps and error
    /// messages stay right.
    package static func blanked(_ source: [UInt8]) -> [UInt8] {
        guard mayHaveClause(source) else { return source }
        let clauses = ImportScanner.scan(source).attributes
        guard !clauses.isEmpty else { return source }
        var result = source
        for clause in clauses {
            for place in clause where result[place] != 10 && result[place] != 13 { result[place] = 0x20 }
        }
        return result
    }

    /// Whether `with` stands behind a quote anywhere: to look for that costs far less than to read the source.
    private static func mayHaveClause(_ source: [UInt8]) -> Bool {
        source.withUnsafeBufferPointer { source in
            for index in source.indices
            where source[index] == UInt8(ascii: "\"") || source[index] == UInt8(ascii: "'") {
                var next = index + 1
                while next < source.count, [9, 10, 13, 32].contains(source[next]) { next += 1 }
                if source[next...].starts(with: "with".utf8) { return true }
            }
            return false
        }
    }
}
