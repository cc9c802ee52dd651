import Foundation

/// A JSON value: what a test case expects, and what workers and the status page answer.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(_ bytes: some Sequence<UInt8>) throws {
        do {
            self = try JSONDecoder().decode(JSON.self, from: Data(bytes))
        } catch {
            throw Failure("not JSON: \(String(decoding: Array(bytes).prefix(300), as: UTF8.self))")
        }
    }

    subscript(key: String) -> JSON {
        if case .object(let object) = self { object[key] ?? .null } else { .null }
    }

    subscript(index: Int) -> JSON {
        if case .array(let array) = self, array.indices.contains(index) { array[index] } else { .null }
    }

    var array: [JSON]? { if case .array(let array) = self { array } else { nil } }
    var int: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
    var string: String? { if case .string(let string) = self { string } else { nil } }
    var keys: [String] { if case .object(let object) = self { object.keys.sorted() } else { [] } }
}

extension JSON: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }
}

extension JSON: CustomStringConvertible {
    var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
        case .string(let value): "\"\(value)\""
        case .array(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .object(let object):
            "{\(object.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", "))}"
        }
    }

    /// Where two values differ: a line for each place, so that one wrong figure among many is found.
    func differences(from expected: JSON, at path: String = "$") -> [String] {
        switch (self, expected) {
        case (.object(let mine), .object(let theirs)):
            Set(mine.keys).union(theirs.keys).sorted().flatMap { key -> [String] in
                guard let own = mine[key] else { return ["\(path).\(key) is missing, expected \(theirs[key]!)"] }
                guard let other = theirs[key] else { return ["\(path).\(key) is \(own), not expected"] }
                return own.differences(from: other, at: "\(path).\(key)")
            }
        case (.array(let mine), .array(let theirs)) where mine.count == theirs.count:
            zip(mine, theirs).enumerated().flatMap { index, pair in
                pair.0.differences(from: pair.1, at: "\(path)[\(index)]")
            }
        default: self == expected ? [] : ["\(path) is \(self), expected \(expected)"]
        }
    }
}
