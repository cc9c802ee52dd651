internal import Model

// KV, as hosts ask for it. This is what crosses most often, so no JSON.

extension ValueCall {
    /// Keys of one call, and of one page.
    private static let mostKeys = 1_000

    private enum Kind: UInt8 {
        case entries = 1
        case put, delete, keys
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .entries(let keys, let namespace):
            writer.byte(Kind.entries.rawValue)
            writer.list(keys) { $0.text($1) }
            writer.text(namespace)
        case .put(let key, let entry, let namespace):
            writer.byte(Kind.put.rawValue)
            writer.text(key)
            entry.write(to: &writer)
            writer.text(namespace)
        case .delete(let key, let namespace):
            writer.byte(Kind.delete.rawValue)
            writer.text(key)
            writer.text(namespace)
        case .keys(let namespace, let prefix, let after, let limit):
            writer.byte(Kind.keys.rawValue)
            writer.text(namespace)
            writer.text(prefix)
            writer.optional(after) { $0.text($1) }
            writer.number(limit)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .entries:
            let keys = try reader.texts()
            guard keys.count <= Self.mostKeys else { throw WireError("too many keys") }
            self = .entries(keys, namespace: try reader.text())
        case .put:
            self = .put(key: try reader.text(), try KVEntry(from: &reader), namespace: try reader.text())
        case .delete: self = .delete(key: try reader.text(), namespace: try reader.text())
        case .keys:
            let (namespace, prefix) = (try reader.text(), try reader.text())
            let after = try reader.optional { (reader) throws(WireError) in try reader.text() }
            let limit = try reader.count()
            guard limit <= Self.mostKeys else { throw WireError("too many keys") }
            self = .keys(namespace: namespace, prefix: prefix, after: after, limit: limit)
        case nil: throw WireError("no such call")
        }
    }
}

extension ValueAnswer {
    private enum Kind: UInt8 {
        case done = 1
        case entries, page
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .done: writer.byte(Kind.done.rawValue)
        case .entries(let entries):
            writer.byte(Kind.entries.rawValue)
            writer.list(entries) { $0.optional($1) { $1.write(to: &$0) } }
        case .page(let page):
            writer.byte(Kind.page.rawValue)
            writer.flag(page.isLast)
            writer.list(page.keys) { writer, key in
                writer.text(key.name)
                writer.optional(key.metadata) { $0.text($1) }
                writer.optional(key.expiration) { $0.number(Int($1)) }
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .done: self = .done
        case .entries:
            self = .entries(
                try reader.list(least: 1) { (reader) throws(WireError) in
                    try reader.optional { (reader) throws(WireError) in try KVEntry(from: &reader) }
                })
        case .page:
            let isLast = try reader.flag()
            let keys = try reader.list(least: 10) { (reader) throws(WireError) in
                KVPage.Key(
                    name: try reader.text(),
                    metadata: try reader.optional { (reader) throws(WireError) in try reader.text() },
                    expiration: try reader.optional { (reader) throws(WireError) in Int64(try reader.number()) })
            }
            self = .page(KVPage(keys: keys, isLast: isLast))
        case nil: throw WireError("no such answer")
        }
    }
}

extension KVEntry {
    fileprivate func write(to writer: inout WireWriter) {
        writer.blob(value)
        writer.optional(metadata) { $0.text($1) }
        writer.optional(expiration) { $0.number(Int($1)) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            value: try reader.blob(), metadata: try reader.optional { (reader) throws(WireError) in try reader.text() },
            expiration: try reader.optional { (reader) throws(WireError) in Int64(try reader.number()) })
    }
}
