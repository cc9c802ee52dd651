internal import Model

/// What of a Worker's events a tail shows.
package enum TailFilter: Sendable, Equatable {
    /// The part of all, by chance.
    case sampling(Double)
    case outcomes([String])
    case methods([String])
    case header(name: String, value: String?)
    /// Addresses of clients; "self" is the one who looks on.
    case clients([String])
    /// A text in a log line or an exception.
    case text(String)
    case version(String)

    init(_ value: JSONValue) throws(APIError) {
        guard let members = value.object, members.count == 1, let (key, value) = members.first else {
            throw .badBody("a filter is an object with one member")
        }
        switch key {
        case "sampling_rate":
            guard let rate = value.number, rate > 0, rate <= 1 else {
                throw .badBody("sampling_rate must be above 0 and at most 1")
            }
            self = .sampling(rate)
        case "outcome": self = .outcomes(try Self.texts(value, key))
        case "method": self = .methods(try Self.texts(value, key).map { $0.uppercased() })
        case "header":
            guard let name = value["key"]?.string, !name.isEmpty else { throw .badBody("header needs a 'key'") }
            self = .header(name: name.lowercased(), value: value["query"]?.string.flatMap { $0.isEmpty ? nil : $0 })
        case "client_ip": self = .clients(try Self.texts(value, key))
        case "query":
            guard let text = value.string else { throw .badBody("query must be a string") }
            self = .text(text)
        case "scriptVersion":
            guard let id = value.string else { throw .badBody("scriptVersion must be a string") }
            self = .version(id)
        default: throw .badBody("there is no filter '\(key)'")
        }
    }

    private static func texts(_ value: JSONValue, _ key: String) throws(APIError) -> [String] {
        guard let texts = value.strings, !texts.isEmpty else { throw .badBody("\(key) must be a list of strings") }
        return texts
    }

    /// - Parameter client: the address of the one who looks on.
    func lets(_ trace: Trace, for client: String) -> Bool {
        switch self {
        case .sampling(let rate): Double.random(in: 0..<1) < rate
        case .outcomes(let outcomes): outcomes.contains(trace.outcomeName)
        case .methods(let methods): trace.event == .fetch && methods.contains(trace.head.methodString)
        case .header(let name, let value): trace.fields.contains { $0.0 == name && (value.map($0.1.contains) ?? true) }
        case .clients(let addresses):
            trace.fields.contains { name, value in
                name == "cf-connecting-ip" && addresses.contains { ($0 == "self" ? client : $0) == value }
            }
        case .text(let text):
            trace.logs.contains { $0.text.contains(text) }
                || trace.failures.contains { $0.message.contains(text) || $0.stack.contains(text) }
        case .version(let id): trace.version == id
        }
    }
}

extension Trace {
    /// Names and values of a request's fields.
    var fields: [(String, String)] {
        guard event == .fetch else { return [] }
        return (0..<head.fieldCount).map { field in
            (
                String(decoding: head.bytes[head.name(field)], as: UTF8.self),
                String(decoding: head.bytes[head.value(field)], as: UTF8.self)
            )
        }
    }

    /// The outcome in the words of tails.
    var outcomeName: String {
        switch outcome {
        case .ok, .canceled, .exception, .exceededCpu, .exceededMemory: outcome.rawValue
        case .hang: "exception"
        default: "unknown"
        }
    }
}
