package import Model

/// What happened in Workers elsewhere, on its way to those who follow them.
package struct TraceBatch: Sendable, Equatable {
    /// The largest there is, in bytes. It passes through what takes a mebibyte at once.
    package static let mostBytes = 768 << 10
    /// Kinds of Workers that one tells of.
    private static let mostWorkers = 1_024

    package var traces: [Trace]
    /// How many found no room, by Worker.
    package var dropped: [String: Int]

    package init(traces: [Trace], dropped: [String: Int]) {
        self.traces = traces
        self.dropped = dropped
    }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        writer.list(traces) { $1.write(to: &$0) }
        writer.list(dropped.prefix(Self.mostWorkers)) { writer, item in
            writer.text(item.key)
            writer.number(item.value)
        }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes[...])
        traces = try reader.list(least: 64) { (reader) throws(WireError) in try Trace(from: &reader) }
        let counts = try reader.list(least: 16) { (reader) throws(WireError) in
            (try reader.text(), try reader.count())
        }
        dropped = Dictionary(counts) { first, _ in first }
        try reader.end()
    }
}
