package import Isolates
package import Model

/// KV namespaces that the worker is bound to.
package protocol KVHost: AnyObject {
    /// Begins an operation in the namespace that the binding of that place names.
    /// - Returns: the ticket of its result, whose form is that of the op.
    func begin(_ operation: KVOperation, inBinding binding: Int) throws(OpError) -> Int
}

package enum KVOperation: Sendable {
    case get(String)
    case getMany([String])
    case put(String, KVEntry)
    case delete(String)
    /// `after`: the key behind which the page begins.
    case list(prefix: String, after: String?, limit: Int)

    /// As errors name it.
    package var name: String {
        switch self {
        case .get, .list: "GET"
        case .getMany: "GET_BULK"
        case .put: "PUT"
        case .delete: "DELETE"
        }
    }

    func refused(_ status: Int, _ why: String) -> OpError { OpError("Error", "KV \(name) failed: \(status) \(why)") }
}

/// The host's half of KV: what may be asked for, with the words of Workers for what may not.
enum KVOps {
    /// Keys of one bulk read.
    private static let keysAtOnce = 100

    static let all: [Op] = [
        .web("kvGet") { host, call throws(OpError) in try begin(.get(call.string(1)), host, call) },
        .web("kvGetMany") { host, call throws(OpError) in
            let operation = KVOperation.getMany(call.strings(1))
            guard case .getMany(let keys) = operation, keys.count <= keysAtOnce else {
                throw operation.refused(400, "You can request a maximum of \(keysAtOnce) keys")
            }
            try begin(operation, host, call)
        },
        .web("kvPut") { host, call throws(OpError) in
            let value = call.bytes(2).map { Array($0) } ?? Array(call.string(2).utf8)
            let entry = KVEntry(value: value, metadata: call.text(5)?.string)
            var operation = KVOperation.put(call.string(1), entry)
            let expiration = try expiration(of: call, operation)
            try check(entry, operation)
            operation = .put(
                call.string(1), KVEntry(value: entry.value, metadata: entry.metadata, expiration: expiration))
            try begin(operation, host, call)
        },
        .web("kvDelete") { host, call throws(OpError) in try begin(.delete(call.string(1)), host, call) },
        .web("kvList") { host, call throws(OpError) in
            let cursor = call.string(3)
            let after = cursor.isEmpty ? nil : KVCursor.key(of: cursor)
            let operation = KVOperation.list(prefix: call.string(1), after: after, limit: call.integer(2))
            guard cursor.isEmpty || after != nil else { throw operation.refused(400, "Invalid cursor") }
            guard call.integer(2) <= KVLimits.pageKeys else {
                throw operation.refused(
                    400,
                    "Invalid key_count_limit of \(call.integer(2)). Please specify an integer less than "
                        + "\(KVLimits.pageKeys).")
            }
            try begin(operation, host, call)
        },
    ]

    private static func begin(_ operation: KVOperation, _ host: WebHost, _ call: OpCall) throws(OpError) {
        switch operation {
        case .get(let key), .put(let key, _), .delete(let key): try check(key, operation)
        case .getMany(let keys): for key in keys { try check(key, operation) }
        case .list(let prefix, _, _): try checkLength(of: prefix, operation)
        }
        call.returns(try host.kv.begin(operation, inBinding: call.integer(0)))
    }

    private static func check(_ key: String, _ operation: KVOperation) throws(OpError) {
        if key.isEmpty { throw .type("Key name cannot be empty.") }
        if key == "." || key == ".." { throw .type("\"\(key)\" is not allowed as a key name.") }
        try checkLength(of: key, operation)
    }

    private static func checkLength(of key: String, _ operation: KVOperation) throws(OpError) {
        guard key.utf8.count > KVLimits.keyBytes else { return }
        throw operation.refused(
            414, "UTF-8 encoded length of \(key.utf8.count) exceeds key length limit of \(KVLimits.keyBytes).")
    }

    private static func check(_ entry: KVEntry, _ operation: KVOperation) throws(OpError) {
        guard entry.value.count <= KVLimits.valueBytes else {
            throw operation.refused(
                413, "Value length of \(entry.value.count) exceeds limit of \(KVLimits.valueBytes).")
        }
        let length = entry.metadata?.utf8.count ?? 0
        guard length <= KVLimits.metadataBytes else {
            throw operation.refused(413, "Metadata length of \(length) exceeds limit of \(KVLimits.metadataBytes).")
        }
    }

    /// Arguments 3 and 4: a point in time, in seconds, and seconds from now, which win.
    private static func expiration(of call: OpCall, _ operation: KVOperation) throws(OpError) -> Int64? {
        let now = Timestamp.now.seconds
        let least = KVLimits.leastTimeToLive
        if call.isNumber(4) {
            let timeToLive = Int64(call.integer(4))
            guard timeToLive >= least else {
                throw operation.refused(
                    400, "Invalid expiration_ttl of \(timeToLive). Expiration TTL must be at least \(least).")
            }
            return now + timeToLive
        }
        guard call.isNumber(3) else { return nil }
        let expiration = Int64(call.integer(3))
        guard expiration >= now + least else {
            throw operation.refused(
                400,
                "Invalid expiration of \(expiration). Expiration times must be at least \(least) seconds in the future."
            )
        }
        return expiration
    }
}
