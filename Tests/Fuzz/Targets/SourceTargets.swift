import Model

/// What tenants upload as code, and what is read of it outside any isolate.
enum SourceTargets {
    @Sendable static func imports(_ bytes: [UInt8]) {
        let result = ImportScanner.scan(bytes)
        var end = 0
        for clause in result.attributes {
            require(clause.lowerBound >= end && clause.upperBound <= bytes.count, "clauses overlap")
            end = clause.upperBound
        }
        let blanked = ImportAttributes.blanked(bytes)
        require(blanked.count == bytes.count)
        require(zip(blanked, bytes).allSatisfy { $0 == $1 || $0 == 0x20 })
    }

    @Sendable static func sourceMaps(_ bytes: [UInt8]) {
        let maps = SourceMaps(["index.js": bytes], mostBytes: 1 << 20)
        for line in 1...4 {
            for column in [1, 7, 100, .max] { _ = maps.place(module: "index.js", line: line, column: column) }
        }
        let trace = String(decoding: bytes.suffix(512), as: UTF8.self) + "\n    at f (index.js:1:1)\n"
        _ = maps.resolved(trace)
        if let map = SourceMap(bytes) { require(map.size < 8 << 20 || map.size < bytes.count * 64) }
    }
}
