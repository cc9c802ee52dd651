/// The part of KV that Workers see, asked without waiting.
package protocol ValueService: Sendable {
    /// - Parameter completion: called once, on any thread; it must not wait. Errors are those of `ValueStore`.
    func ask(_ call: ValueCall, completion: @escaping @Sendable (Result<ValueAnswer, any Error>) -> Void)
}

/// A call of a `ValueStore`.
package enum ValueCall: Sendable, Equatable {
    case entries([String], namespace: String)
    case put(key: String, KVEntry, namespace: String)
    case delete(key: String, namespace: String)
    case keys(namespace: String, prefix: String, after: String?, limit: Int)

    package var namespace: String {
        switch self {
        case .entries(_, let namespace), .put(_, _, let namespace), .delete(_, let namespace),
            .keys(let namespace, _, _, _):
            namespace
        }
    }
}

package enum ValueAnswer: Sendable {
    case done
    case entries([KVEntry?])
    case page(KVPage)
}

extension ValueStore {
    /// The same, waiting.
    package func answer(to call: ValueCall) throws -> ValueAnswer {
        switch call {
        case .entries(let keys, let namespace): return .entries(try entries(keys, in: namespace))
        case .put(let key, let entry, let namespace): try put([(key: key, entry: entry)], in: namespace)
        case .delete(let key, let namespace): try delete([key], in: namespace)
        case .keys(let namespace, let prefix, let after, let limit):
            return .page(try keys(in: namespace, prefix: prefix, after: after, limit: limit))
        }
        return .done
    }
}
