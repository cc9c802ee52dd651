internal import Foundation
internal import Model

/// KV namespaces, keys, values and metadata.
struct KVRoutes {
    let api: API
    let service: KVService

    /// A value with its metadata, and what a form adds.
    private static let valueBytes = KVLimits.valueBytes + (64 << 10)
    /// Bytes of one bulk write.
    private static let bulkBytes = 100 << 20

    func register() {
        registerNamespaces()
        let namespace = "/accounts/:account/storage/kv/namespaces/:namespace"
        api.on(.get, namespace + "/values/:key", .read) { [service] call in
            let entry = try service.entry(call["key"], call)
            let expiration = entry.expiration.map { [("expiration", String($0))] } ?? []
            return .bytes(entry.value, type: "application/octet-stream", fields: expiration)
        }
        api.on(.put, namespace + "/values/:key", .deploy, limit: Self.valueBytes) { [service] call in
            try service.put(call)
            return .result([:])
        }
        api.on(.delete, namespace + "/values/:key", .deploy) { [service] call in
            try service.delete([call["key"]], call)
            return .result([:])
        }
        api.on(.get, namespace + "/metadata/:key", .read) { [service] call in
            .result(try KVService.metadata(try service.entry(call["key"], call).metadata) ?? .null)
        }
        api.on(.get, namespace + "/keys", .read) { [service] in try service.list($0) }
        api.on(.put, namespace + "/bulk", .deploy, limit: Self.bulkBytes) { [service] in try service.putBulk($0) }
        api.on(.post, namespace + "/bulk/delete", .deploy) { [service] in try service.deleteBulk($0) }
        api.on(.delete, namespace + "/bulk", .deploy) { [service] in try service.deleteBulk($0) }
        api.on(.post, namespace + "/bulk/get", .read) { [service] in try service.getBulk($0) }
    }

    private func registerNamespaces() {
        let namespaces = "/accounts/:account/storage/kv/namespaces"
        api.on(.get, namespaces, .read) { [service] call in
            try .page(try service.store.namespaces(of: call.account).map(\.json), of: call)
        }
        api.on(.post, namespaces, .deploy) { [service] call in
            let namespace = KVNamespace(title: try KVService.title(call))
            try KVService.naming { try service.store.add(namespace, to: call.account) }
            return .result(namespace.json)
        }
        api.on(.get, namespaces + "/:namespace", .read) { [service] in .result(try service.require($0).json) }
        api.on(.put, namespaces + "/:namespace", .deploy) { [service] call in
            var namespace = try service.require(call)
            namespace.title = try KVService.title(call)
            try KVService.naming { [namespace] in try service.store.rename(namespace, of: call.account) }
            return .result(namespace.json)
        }
        api.on(.delete, namespaces + "/:namespace", .deploy) { [service] call in
            let namespace = try service.require(call)
            try service.store.deleteNamespace(namespace.id, of: call.account)
            return .result([:])
        }
    }
}

extension KVNamespace {
    fileprivate var json: JSONValue {
        ["id": .string(id), "title": .string(title), "supports_url_encoding": true]
    }
}
