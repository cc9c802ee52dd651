internal import Foundation
internal import Model

/// What KV's endpoints do: bodies in their several forms, limits, expirations.
struct KVService: Sendable {
    let store: any PlatformStore

    /// Keys of one bulk call.
    private static let bulkKeys = 10_000
    /// Keys of one bulk read.
    private static let bulkReads = 100

    func require(_ call: Call) throws -> KVNamespace {
        guard let namespace = try store.namespace(call["namespace"], of: call.account) else {
            throw APIError.noNamespace(call["namespace"])
        }
        return namespace
    }

    static func title(_ call: Call) throws -> String {
        guard let title = try call.object()["title"]?.string, (1...512).contains(title.utf8.count) else {
            throw APIError.badBody("a namespace needs a 'title' of 1 to 512 bytes")
        }
        return title
    }

    /// Gives a title that is taken its code.
    static func naming(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StoreError where error.kind == .conflict {
            throw APIError(400, 10014, error.message)
        }
    }

    /// A metadata's JSON text as a value.
    static func metadata(_ text: String?) throws -> JSONValue? {
        try text.map { try Call.json(Array($0.utf8)) }
    }

    func entry(_ key: String, _ call: Call) throws -> KVEntry {
        let namespace = try require(call)
        guard let entry = try store.entry(key, in: namespace.id) else { throw APIError.noKey }
        return entry
    }

    // MARK: Writing

    /// A raw body, or a form of `value` and `metadata`.
    func put(_ call: Call) throws {
        let namespace = try require(call)
        var value = call.body
        var metadata: String?
        if call.contentType.lowercased().hasPrefix("multipart/form-data") {
            let form = try MultipartForm(call.body, contentType: call.contentType)
            guard let part = form["value"] else { throw APIError.badBody("the form has no part 'value'") }
            value = part.body
            metadata = try form["metadata"].flatMap { try Self.metadataText($0.body) }
        }
        let expiration = try Self.expiration(
            at: call.number("expiration", in: 0...Int(Int32.max) << 8),
            after: call.number("expiration_ttl", in: 0...Int(Int32.max)))
        let entry = KVEntry(value: value, metadata: metadata, expiration: expiration)
        try Self.check(call["key"], entry)
        try store.put([(call["key"], entry)], in: namespace.id)
    }

    private static func metadataText(_ bytes: [UInt8]) throws -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.isEmpty || text == "null" { return nil }
        guard (try? Call.json(bytes)) != nil else { throw APIError.badBody("the metadata is not JSON") }
        return text
    }

    private static func check(_ key: String, _ entry: KVEntry) throws(APIError) {
        if let complaint = KVLimits.complaint(aboutKey: key) { throw APIError(400, 10026, complaint) }
        guard entry.value.count <= KVLimits.valueBytes else {
            throw .tooLarge("a value has at most \(KVLimits.valueBytes) bytes; this one has \(entry.value.count)")
        }
        guard (entry.metadata?.utf8.count ?? 0) <= KVLimits.metadataBytes else {
            throw .tooLarge("metadata has at most \(KVLimits.metadataBytes) bytes of JSON")
        }
    }

    /// The time to live wins, as at Cloudflare.
    private static func expiration(at time: Int?, after ttl: Int?) throws(APIError) -> Int64? {
        let now = Timestamp.now.seconds
        guard let expiration = ttl.map({ now + Int64($0) }) ?? time.map(Int64.init) else { return nil }
        guard expiration >= now + KVLimits.leastTimeToLive else {
            throw APIError(400, 10034, "an expiration must lie at least \(KVLimits.leastTimeToLive) seconds ahead")
        }
        return expiration
    }

    func delete(_ keys: [String], _ call: Call) throws {
        let namespace = try require(call)
        try store.delete(keys, in: namespace.id)
    }

    // MARK: Lists

    func list(_ call: Call) throws -> Reply {
        let namespace = try require(call)
        let limit = try call.number("limit", in: 1...KVLimits.pageKeys) ?? KVLimits.pageKeys
        var after: String?
        if let cursor = call.query["cursor"], !cursor.isEmpty {
            after = KVCursor.key(of: cursor)
            guard after != nil else { throw APIError.badBody("that cursor was not given out here") }
        }
        let page = try store.keys(in: namespace.id, prefix: call.query["prefix"] ?? "", after: after, limit: limit)
        let keys = try page.keys.map { key -> JSONValue in
            var shape: [String: JSONValue] = ["name": .string(key.name)]
            if let expiration = key.expiration { shape["expiration"] = .number(Double(expiration)) }
            shape["metadata"] = try Self.metadata(key.metadata)
            return .object(shape)
        }
        let cursor = page.isLast ? "" : KVCursor.of(page.keys.last?.name ?? "")
        return .result(.array(keys), info: ["count": .number(Double(keys.count)), "cursor": .string(cursor)])
    }

    // MARK: Bulk

    func putBulk(_ call: Call) throws -> Reply {
        let namespace = try require(call)
        guard let list = try call.json().array, list.count <= Self.bulkKeys else {
            throw APIError.badBody("the body must be a list of at most \(Self.bulkKeys) keys and values")
        }
        let entries = try list.map { try Self.entry($0) }
        try store.put(entries, in: namespace.id)
        return Self.written(entries.count)
    }

    private static func written(_ count: Int) -> Reply {
        .result(["successful_key_count": .number(Double(count)), "unsuccessful_keys": []])
    }

    private static func entry(_ item: JSONValue) throws -> (key: String, entry: KVEntry) {
        guard let key = item["key"]?.string, let text = item["value"]?.string else {
            throw APIError.badBody("each entry needs a 'key' and a 'value', both strings")
        }
        var value = Array(text.utf8)
        if item["base64"]?.bool == true {
            guard let data = Data(base64Encoded: text) else {
                throw APIError.badBody("the value of '\(key)' is not base64")
            }
            value = Array(data)
        }
        var metadata: String?
        if let given = item["metadata"], !given.isNull {
            metadata = given.text
        }
        let expiration = try expiration(at: item["expiration"]?.int, after: item["expiration_ttl"]?.int)
        let entry = KVEntry(value: value, metadata: metadata, expiration: expiration)
        try check(key, entry)
        return (key, entry)
    }

    func deleteBulk(_ call: Call) throws -> Reply {
        let namespace = try require(call)
        guard let list = try call.json().array, list.count <= Self.bulkKeys else {
            throw APIError.badBody("the body must be a list of at most \(Self.bulkKeys) keys")
        }
        let keys = list.compactMap { $0.string ?? $0["name"]?.string }
        guard keys.count == list.count else { throw APIError.badBody("every key must be a string") }
        try store.delete(keys, in: namespace.id)
        return Self.written(keys.count)
    }

    func getBulk(_ call: Call) throws -> Reply {
        let namespace = try require(call)
        let body = try call.object()
        guard let keys = body["keys"]?.strings, keys.count <= Self.bulkReads else {
            throw APIError.badBody("'keys' must be a list of at most \(Self.bulkReads) strings")
        }
        let isJSON = body["type"]?.string == "json"
        let hasMetadata = body["withMetadata"]?.bool == true
        var values: [String: JSONValue] = [:]
        for key in keys {
            guard let entry = try store.entry(key, in: namespace.id) else {
                values[key] = .null
                continue
            }
            guard let text = String(validating: entry.value, as: UTF8.self) else {
                throw APIError.badBody("the value of '\(key)' is not text")
            }
            let value = isJSON ? try Call.json(entry.value) : .string(text)
            guard hasMetadata else {
                values[key] = value
                continue
            }
            values[key] = ["value": value, "metadata": try Self.metadata(entry.metadata) ?? .null]
        }
        return .result(["values": .object(values)])
    }
}
