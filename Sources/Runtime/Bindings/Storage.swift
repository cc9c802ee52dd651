internal import Isolates
package import Model
internal import WebAPI

/// What workers' bindings store and read. Any thread.
package final class Storage: Sendable {
    /// Calls under way at a time in another process.
    private static let mostCalls = 64
    /// Threads that wait for the disk in this one, or for an asset in another.
    private static let threadCount = 4

    private enum Way {
        case here(any ValueStore)
        case elsewhere(any ValueService, Turns)
    }

    private let way: Way
    /// Those who wait.
    let work = NativeWork("storage", threads: threadCount)
    private let log: @Sendable (String) -> Void

    /// - Parameter log: takes what the operator should know.
    package init(kv: any ValueStore, log: @escaping @Sendable (String) -> Void) {
        way = .here(kv)
        self.log = log
    }

    /// The same where another process has what is stored.
    package init(kv: any ValueService, log: @escaping @Sendable (String) -> Void) {
        way = .elsewhere(kv, Turns(most: Self.mostCalls))
        self.log = log
    }

    /// Operations that have not begun.
    var waitingCount: Int {
        switch way {
        case .here: work.waitingCount
        case .elsewhere(_, let turns): work.waitingCount + turns.waitingCount
        }
    }

    /// Does an operation when it is the isolate's turn.
    /// - Parameters:
    ///   - isWanted: asked before it begins.
    ///   - completion: gets the result in the form of the operation's op, or the error that the worker gets; called
    ///     once, on any thread.
    func perform(
        _ operation: KVOperation, _ namespace: String, chargedTo account: MemoryAccount, of isolate: ObjectIdentifier,
        isWanted: @escaping @Sendable () -> Bool, completion: @escaping @Sendable (FlatValue) -> Void
    ) {
        let call = operation.call(namespace)
        switch way {
        case .here(let store):
            work.add(
                { [self] in
                    guard isWanted() else { return completion(.undefined) }
                    let result = Result { try store.answer(to: call) }
                    take(result, operation, call, account, [], completion) { rest, next in
                        next(Result { try store.answer(to: rest) })
                    }
                }, of: isolate)
        case .elsewhere(let service, let turns):
            turns.add(
                { [self] ended in
                    guard isWanted() else {
                        ended()
                        return completion(.undefined)
                    }
                    let completion = { @Sendable (value: FlatValue) in
                        ended()
                        completion(value)
                    }
                    service.ask(call) { [self] result in
                        take(result, operation, call, account, [], completion) { rest, next in
                            service.ask(rest, completion: next)
                        }
                    }
                }, of: isolate)
        }
    }

    /// Asks for what is left of a call.
    private typealias Ask =
        @Sendable (
            _ rest: ValueCall, _ next: @escaping @Sendable (Result<ValueAnswer, any Error>) -> Void
        ) -> Void

    /// - Parameter values: those of the keys before.
    private func take(
        _ result: Result<ValueAnswer, any Error>, _ operation: KVOperation, _ call: ValueCall,
        _ account: MemoryAccount, _ values: [FlatValue], _ completion: @escaping @Sendable (FlatValue) -> Void,
        ask: @escaping Ask
    ) {
        switch result {
        case .failure(let error): completion(failure(error, operation, call))
        case .success(.done): completion(.undefined)
        case .success(.page(let page)):
            completion(Self.value(of: Array(page.json.utf8), chargedTo: account) ?? Self.outOfMemory)
        case .success(.entries(let entries)):
            var values = values
            for entry in entries {
                guard let entry else {
                    values += [.null, .null]
                    continue
                }
                guard let value = Self.value(of: entry.value, chargedTo: account) else {
                    return completion(Self.outOfMemory)
                }
                values += [value, Self.text(entry.metadata)]
            }
            guard case .entries(let keys, let namespace) = call else { return completion(.undefined) }
            if entries.count < keys.count {
                let rest = ValueCall.entries(Array(keys.dropFirst(entries.count)), namespace: namespace)
                let soFar = values
                return ask(rest) { [self] result in
                    take(result, operation, rest, account, soFar, completion, ask: ask)
                }
            }
            if case .get = operation, case .null = values[0] { return completion(.null) }
            completion(.list(values))
        }
    }

    private static let outOfMemory = FlatValue.error(
        name: "RangeError", message: "The worker has no memory left for the value")

    private static func text(_ text: String?) -> FlatValue { text.map { .string($0) } ?? .null }

    private static func value(of bytes: [UInt8], chargedTo account: MemoryAccount) -> FlatValue? {
        let buffer = ChargedBuffer(chargedTo: account)
        let isTaken = bytes.withUnsafeBytes { buffer.reserve(bytes.count) && buffer.append($0) }
        return isTaken ? .owned(buffer) : nil
    }

    private func failure(_ error: any Error, _ operation: KVOperation, _ call: ValueCall) -> FlatValue {
        let kind = (error as? StoreError)?.kind
        if kind == .overQuota {
            return .error(name: "Error", message: "KV \(operation.name) failed: 403 The account's storage is full")
        }
        let isMissing = kind == .missing
        if !isMissing { log("KV \(operation.name) in namespace \(call.namespace): \(error)") }
        let why = isMissing ? "404 There is no such namespace" : "500 Internal Server Error"
        return .error(name: "Error", message: "KV \(operation.name) failed: \(why)")
    }
}

extension KVOperation {
    fileprivate func call(_ namespace: String) -> ValueCall {
        switch self {
        case .get(let key): .entries([key], namespace: namespace)
        case .getMany(let keys): .entries(keys, namespace: namespace)
        case .put(let key, let entry): .put(key: key, entry, namespace: namespace)
        case .delete(let key): .delete(key: key, namespace: namespace)
        case .list(let prefix, let after, let limit):
            .keys(namespace: namespace, prefix: prefix, after: after, limit: limit)
        }
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
