internal import Model

/// One cache of one account, in the form of an egress: an operation on it is a subrequest, with the same bodies,
/// windows and limits.
final class CacheDoor: Egress {
    private let store: any CacheStore
    private let account: String
    private let name: String?
    private let response: CacheRequest.CachedResponse

    /// - Parameter details: as in `FetchRequest.cache`. Nil if they make no sense.
    init?(_ store: any CacheStore, account: String, _ details: [String]) {
        guard details.count >= 2, details.count % 2 == 0 else { return nil }
        self.store = store
        self.account = account
        name = details[0] == "named" ? details[1] : nil
        var vary: [CacheRequest.Field] = []
        for index in stride(from: 4, to: details.count, by: 2) {
            vary.append(CacheRequest.Field(name: details[index], value: details[index + 1]))
        }
        let isPut = details.count >= 4
        response = CacheRequest.CachedResponse(
            status: isPut ? Int(details[2]) ?? 0 : 0, reason: isPut ? details[3] : "", vary: vary)
    }

    func begin(
        _ request: EgressRequest, deliver: @escaping @Sendable (_ events: [EgressEvent]) -> Void
    ) -> any EgressExchange {
        let head = request.head
        let fields = (0..<head.fieldCount).map { field in
            CacheRequest.Field(
                name: String(decoding: head.bytes[head.name(field)], as: UTF8.self),
                value: String(decoding: head.bytes[head.value(field)], as: UTF8.self))
        }
        let operation: CacheRequest.Operation =
            switch head.methodString {
            case "PUT": .put(response, request.body)
            case "DELETE": .delete
            default: .match
            }
        return store.begin(
            CacheRequest(account: account, cache: name, url: head.urlString, fields: fields, operation: operation),
            deliver: deliver)
    }
}
