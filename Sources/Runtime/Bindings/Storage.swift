internal import Isolates
package import Model
internal import WebAPI

/// What workers' bindings store and read. Any thread; every call may wait for the disk.
package final class Storage: Sendable {
    private let kv: any ValueStore
    private let log: @Sendable (String) -> Void

    /// - Parameter log: takes what the operator should know.
    package init(kv: any ValueStore, log: @escaping @Sendable (String) -> Void) {
        self.kv = kv
        self.log = log
    }

    /// The result in the form of the operation's op, or the error that the worker gets.
    func perform(_ operation: KVOperation, _ namespace: String, chargedTo account: MemoryAccount) -> FlatValue {
        do {
            switch operation {
            case .get(let key):
                guard let entry = try kv.entry(key, in: namespace) else { return .null }
                guard let value = Self.value(of: entry.value, chargedTo: account) else { return Self.outOfMemory }
                return .list([value, Self.text(entry.metadata)])
            case .getMany(let keys): return try getMany(keys, namespace, account)
            case .put(let key, let entry): try kv.put([(key: key, entry: entry)], in: namespace)
            case .delete(let key): try kv.delete([key], in: namespace)
            case .list(let prefix, let after, let limit):
                let page = try kv.keys(in: namespace, prefix: prefix, after: after, limit: limit)
                return Self.value(of: Array(page.json.utf8), chargedTo: account) ?? Self.outOfMemory
            }
            return .undefined
        } catch {
            return failure(error, operation, namespace)
        }
    }

    private func getMany(_ keys: [String], _ namespace: String, _ account: MemoryAccount) throws -> FlatValue {
        var values: [FlatValue] = []
        var rest = keys[...]
        while !rest.isEmpty {
            let entries = try kv.entries(Array(rest), in: namespace)
            rest = rest.dropFirst(entries.count)
            for entry in entries {
                guard let entry else {
                    values += [.null, .null]
                    continue
                }
                guard let value = Self.value(of: entry.value, chargedTo: account) else { return Self.outOfMemory }
                values += [value, Self.text(entry.metadata)]
            }
        }
        return .list(values)
    }

    private static let outOfMemory = FlatValue.error(
        name: "RangeError", message: "The worker has no memory left for the value")

    private static func text(_ text: String?) -> FlatValue { text.map { .string($0) } ?? .null }

    private static func value(of bytes: [UInt8], chargedTo account: MemoryAccount) -> FlatValue? {
        let buffer = ChargedBuffer(chargedTo: account)
        let isTaken = bytes.withUnsafeBytes { buffer.reserve(bytes.count) && buffer.append($0) }
        return isTaken ? .owned(buffer) : nil
    }

    private func failure(_ error: any Error, _ operation: KVOperation, _ namespace: String) -> FlatValue {
        let kind = (error as? StoreError)?.kind
        if kind == .overQuota {
            return .error(name: "Error", message: "KV \(operation.name) failed: 403 The account's storage is full")
        }
        let isMissing = kind == .missing
        if !isMissing { log("KV \(operation.name) in namespace \(namespace): \(error)") }
        let why = isMissing ? "404 There is no such namespace" : "500 Internal Server Error"
        return .error(name: "Error", message: "KV \(operation.name) failed: \(why)")
    }
}

extension KVPage {
    /// What `list()` gives.
    fileprivate var json: String {
        let keys = keys.map { key in
            var members = ["\"name\":\(JSONValue.quoted(key.name))"]
            if let expiration = key.expiration { members.append("\"expiration\":\(expiration)") }
            if let metadata = key.metadata { members.append("\"metadata\":\(metadata)") }
            return "{" + members.joined(separator: ",") + "}"
        }
        let cursor = isLast ? "" : ",\"cursor\":\(JSONValue.quoted(KVCursor.of(self.keys.last?.name ?? "")))"
        return """
            {"keys":[\(keys.joined(separator: ","))],"list_complete":\(isLast)\(cursor),"cacheStatus":null}
            """
    }
}
