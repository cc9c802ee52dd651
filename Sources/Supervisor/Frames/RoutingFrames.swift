internal import Model

// Routes, as hosts are told of them. Scripts change most often and are the most, so no JSON for them.

extension RoutingSnapshot {
    func write(to writer: inout WireWriter) {
        writer.number(Int(revision))
        writer.list(items) { $1.write(to: &$0) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            revision: Int64(try reader.number()),
            items: try reader.list(least: 2) { (reader) throws(WireError) in try RoutingItem(from: &reader) })
    }
}

extension RoutingItem {
    private enum Kind: UInt8 {
        case script = 1
        case other
    }

    fileprivate func write(to writer: inout WireWriter) {
        guard case .script(let script) = self else {
            writer.byte(Kind.other.rawValue)
            return writer.value(self)
        }
        writer.byte(Kind.script.rawValue)
        script.write(to: &writer)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .script: self = .script(try RoutedScript(from: &reader))
        case .other: self = try reader.value(RoutingItem.self)
        case nil: throw WireError("no such route")
        }
    }
}

extension RoutedScript {
    fileprivate func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.flag(isOnSubdomain)
        writer.list(shares) { writer, share in
            writer.text(share.version)
            writer.number(share.percentage.bitPattern)
        }
        writer.optional(cordon) { $0.text($1) }
        writer.optional(isPaused) { $0.flag($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            key: try ScriptKey(from: &reader), isOnSubdomain: try reader.flag(),
            shares: try reader.list(least: 16) { (reader) throws(WireError) in
                Deployment.Share(
                    version: try reader.text(), percentage: Double(bitPattern: try reader.unsigned()))
            }, cordon: try reader.optional { (reader) throws(WireError) in try reader.text() })
        isPaused = try reader.optional { (reader) throws(WireError) in try reader.flag() }
    }
}
