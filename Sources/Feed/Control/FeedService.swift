internal import Foundation
package import Model

/// Answers the calls of locations. Every call may wait for the disk.
package struct FeedService: Sendable {
    /// The calls there are, with what each brings.
    package enum Name {
        /// A `LocationReport`.
        package static let report = "report"
        /// The name of a blob; the answer is its form for the way.
        package static let blob = "blob"
        /// The number of the orders that the location follows, and the latest minute whose schedules it has run.
        package static let orders = "orders"
        /// What happened at the location, in a form that is not this module's.
        package static let traces = "traces"
        /// A `UsageBatch`.
        package static let usage = "usage"
        /// `EndedRun`s.
        package static let runs = "runs"
        /// A namespace, and a key and an entry for each to write; the answer is a revision that has them.
        package static let put = "put"
        /// A namespace and keys; the answer is a revision that has them not.
        package static let delete = "delete"
    }

    package typealias Traces = @Sendable (_ location: Location, _ batch: [UInt8]) throws -> Void

    let store: any PlatformStore
    let registry: LocationRegistry
    let traces: Traces

    package func answer(_ name: String, _ body: [UInt8], of location: Location) throws -> [UInt8] {
        switch name {
        case Name.report:
            registry.take(try Self.value(body), of: location.id)
            return []
        case Name.orders:
            var reader = FeedReader(body)
            registry.hears(try reader.number(), ran: try reader.number(), location.id)
            return []
        case Name.traces:
            try traces(location, body)
            return []
        case Name.blob: return BlobForm.compressed(try store.feedBlob(String(decoding: body, as: UTF8.self)))
        case Name.usage:
            let batch: UsageBatch = try Self.value(body)
            for reading in batch.readings { try Self.require(reading.script.account, location) }
            try store.addUsage(batch.readings, of: "\(location.id)/\(batch.instance)", batch: batch.number)
            return []
        case Name.runs:
            let runs: [EndedRun] = try Self.value(body)
            for ended in runs { try Self.require(ended.run.script.account, location) }
            try store.add(runs)
            return []
        case Name.put: return try put(body, location)
        case Name.delete: return try delete(body, location)
        default: throw FeedError(.version, "the control node does not know the call '\(name)'")
        }
    }

    // MARK: KV

    private func put(_ body: [UInt8], _ location: Location) throws -> [UInt8] {
        var reader = FeedReader(body)
        let namespace = try reader.text()
        try requireNamespace(namespace, location)
        var entries: [(key: String, entry: KVEntry)] = []
        while !reader.isAtEnd {
            entries.append((key: try reader.text(), entry: try FedEntry.decoded(try reader.data())))
        }
        for (key, entry) in entries {
            guard KVLimits.complaint(aboutKey: key) == nil, entry.value.count <= KVLimits.valueBytes,
                entry.metadata?.utf8.count ?? 0 <= KVLimits.metadataBytes
            else { throw FeedError(.malformed, "an entry of KV that is beyond its limits") }
        }
        try store.put(entries, in: namespace)
        return try position()
    }

    private func delete(_ body: [UInt8], _ location: Location) throws -> [UInt8] {
        var reader = FeedReader(body)
        let namespace = try reader.text()
        try requireNamespace(namespace, location)
        var keys: [String] = []
        while !reader.isAtEnd { keys.append(try reader.text()) }
        try store.delete(keys, in: namespace)
        return try position()
    }

    private func position() throws -> [UInt8] {
        var writer = FeedWriter()
        writer.number(try store.feedPosition(of: nil).revision)
        return writer.bytes
    }

    private func requireNamespace(_ id: String, _ location: Location) throws {
        guard let accounts = location.accounts else { return }
        guard try accounts.contains(where: { try store.namespace(id, of: $0) != nil }) else {
            throw StoreError(.missing, "there is no namespace \(id)")
        }
    }

    private static func require(_ account: String, _ location: Location) throws {
        guard location.accounts?.contains(account) ?? true else {
            throw FeedError(.refused, "account \(account) is not served at '\(location.id)'")
        }
    }

    // MARK: Forms

    package static func json(_ value: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(value)) }

    package static func value<Value: Decodable>(_ body: [UInt8]) throws -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(body)) else {
            throw FeedError(.malformed, "a call's body is not of its form")
        }
        return value
    }

    /// What a location is told of a store's failure. It comes back as the same kind of error there.
    package static func refusal(_ error: StoreError) -> FeedError {
        switch error.kind {
        case .missing: FeedError(.missing, error.message)
        case .overQuota: FeedError(.refused, "over quota: " + error.message)
        default: FeedError(.failed, error.message)
        }
    }
}

extension FedScript {
    /// Nil if it is removed, or not of the form.
    package init?(_ record: FeedRecord) {
        guard case .value(let bytes) = record.body,
            let script = try? JSONDecoder().decode(FedScript.self, from: Data(bytes))
        else { return nil }
        self = script
    }
}
