/// Where workers' caches keep what they put there. What crosses this protocol is values, and the answers are those of
/// an egress: those who ask and those who store may live in different processes.
package protocol CacheStore: AnyObject, Sendable {
    /// Begins an operation. The answer's head has one of `CacheAnswer`'s reasons.
    /// - Parameter deliver: as for `Egress.begin`.
    func begin(
        _ request: CacheRequest, deliver: @escaping @Sendable (_ events: [EgressEvent]) -> Void
    ) -> any EgressExchange
}

/// One operation on a cache.
package struct CacheRequest: Sendable, Equatable {
    package enum Operation: Sendable, Equatable {
        /// The fields are the request's.
        case match
        /// The fields are the response's.
        case put(CachedResponse, EgressRequest.Body)
        case delete
    }

    package struct Field: Sendable, Equatable, Codable {
        /// In lower case.
        package var name: String
        package var value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What is stored besides the body and the fields.
    package struct CachedResponse: Sendable, Equatable, Codable {
        package var status: Int
        package var reason: String
        /// The fields that `Vary` names, with the request's values; an absent field has an empty one.
        package var vary: [Field]
        package init(status: Int, reason: String, vary: [Field]) {
            self.status = status
            self.reason = reason
            self.vary = vary
        }
    }

    /// Whose caches: accounts share nothing.
    package var account: String
    /// The name that was opened; nil for the default cache.
    package var cache: String?
    /// Absolute, without a fragment.
    package var url: String
    package var fields: [Field]
    package var operation: Operation

    package init(account: String, cache: String?, url: String, fields: [Field], operation: Operation) {
        self.account = account
        self.cache = cache
        self.url = url
        self.fields = fields
        self.operation = operation
    }
}

/// The first word of the reason in an answer's head. After "hit" and a blank comes the stored reason.
package enum CacheAnswer: String, Sendable {
    case hit
    case miss
    case stored
    /// Nothing is wrong, but the response is none that may be stored, or too large.
    case refused
    case deleted
}
