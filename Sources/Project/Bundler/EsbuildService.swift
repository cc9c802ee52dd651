internal import Model

/// Talks to esbuild as its own JavaScript library does, so that files can be changed on their way into it: an esbuild
/// that does not know import attributes gets sources without them. Packets: length, number and kind of the message,
/// then one value.
struct EsbuildService {
    /// What a packet holds.
    private enum Value {
        case null
        case bool(Bool)
        case number(UInt32)
        case string(String)
        case bytes([UInt8])
        case array([Value])
        case object([String: Value])

        subscript(key: String) -> Value? { if case .object(let members) = self { members[key] } else { nil } }
        var string: String { if case .string(let text) = self { text } else { "" } }
        var number: Int { if case .number(let number) = self { Int(number) } else { 0 } }
        var array: [Value] { if case .array(let values) = self { values } else { [] } }
    }

    /// The number by which this side knows its one hook.
    private static let hook = Value.number(1)
    private static let sources = #"\.[cm]?[jt]sx?$"#
    /// Bytes of a message: more is no message.
    private static let largestPacket = 1 << 30

    private let process: ChildProcess
    private let root: String

    init(_ program: String, version: String, in root: String) throws(ProjectError) {
        process = try ChildProcess(program, ["--service=\(version)"], in: root)
        self.root = root
    }

    /// Bundles with sources that have no import attributes.
    /// - Returns: what was wrong, empty if all went well; and the list of inputs, as JSON, which it writes to no file.
    func build(
        _ entry: String, _ flags: [String]
    ) throws(ProjectError) -> (messages: [BundlerMessage], inputs: String) {
        // Its version, by which it greets.
        _ = try packet()
        let plugin: Value = .object([
            "name": .string("martlet"), "onStart": .bool(false), "onEnd": .bool(false), "onResolve": .array([]),
            "onLoad": .array([
                .object(["id": Self.hook, "filter": .string(Self.sources), "namespace": .string("file")])
            ]),
        ])
        try send(
            0, isRequest: true,
            .object([
                "command": .string("build"), "key": .number(0),
                "entries": .array([.array([.string(""), .string(entry)])]), "flags": .array(flags.map { .string($0) }),
                "write": .bool(true), "stdinContents": .null, "stdinResolveDir": .null,
                "absWorkingDir": .string(root), "nodePaths": .array([]), "context": .bool(false),
                "plugins": .array([plugin]),
            ]))
        while true {
            var reader = Reader(bytes: try packet())
            guard let head = reader.number(), let value = reader.value() else { throw Self.broken }
            guard head & 1 == 0 else {
                if let refusal = value["error"]?.string { throw ProjectError("esbuild: \(refusal)") }
                return ((value["errors"]?.array ?? []).map(Self.message), value["metafile"]?.string ?? "")
            }
            let answer = value["command"]?.string == "on-load" ? try load(value["path"]?.string ?? "") : .object([:])
            try send(head >> 1, isRequest: false, answer)
        }
    }

    private func load(_ path: String) throws(ProjectError) -> Value {
        let bytes = try File.read(path, limit: WorkerLoader.sizeLimit)
        let ending = String(path.split(separator: ".").last ?? "js")
        let loader = ["mjs": "js", "cjs": "js", "mts": "ts", "cts": "ts"][ending] ?? ending
        return .object([
            "id": Self.hook, "contents": .bytes(ImportAttributes.blanked(bytes)), "loader": .string(loader),
            "resolveDir": .string(path.contains("/") ? File.folder(of: path) : root),
        ])
    }

    private static func message(_ value: Value) -> BundlerMessage {
        var message = BundlerMessage(text: value["text"]?.string ?? "")
        guard let place = value["location"], let file = place["file"] else { return message }
        message.file = file.string
        message.line = place["line"]?.number ?? 0
        message.column = (place["column"]?.number ?? 0) + 1
        message.source = place["lineText"]?.string ?? ""
        return message
    }

    private static let broken = ProjectError(
        "esbuild did not answer as expected: use one that knows import attributes, with --esbuild PATH")

    // MARK: Packets

    private func packet() throws(ProjectError) -> [UInt8] {
        guard let head = process.read(4) else { throw Self.broken }
        var reader = Reader(bytes: head)
        guard let length = reader.number(), length <= Self.largestPacket, let bytes = process.read(Int(length)) else {
            throw Self.broken
        }
        return bytes
    }

    private func send(_ number: UInt32, isRequest: Bool, _ value: Value) throws(ProjectError) {
        var packet = Self.encoded(number << 1 | (isRequest ? 0 : 1))
        Self.append(value, to: &packet)
        guard process.write(Self.encoded(UInt32(packet.count)) + packet) else { throw Self.broken }
    }

    private static func encoded(_ number: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func append(_ value: Value, to packet: inout [UInt8]) {
        func append(text: some Collection<UInt8>) { packet += encoded(UInt32(text.count)) + text }
        switch value {
        case .null: packet.append(0)
        case .bool(let bool): packet += [1, bool ? 1 : 0]
        case .number(let number): packet += [2] + encoded(number)
        case .string(let string):
            packet.append(3)
            append(text: Array(string.utf8))
        case .bytes(let bytes):
            packet.append(4)
            append(text: bytes)
        case .array(let values):
            packet += [5] + encoded(UInt32(values.count))
            for value in values { Self.append(value, to: &packet) }
        case .object(let members):
            packet += [6] + encoded(UInt32(members.count))
            for (key, value) in members {
                append(text: Array(key.utf8))
                Self.append(value, to: &packet)
            }
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - index else { return nil }
            index += count
            return bytes[(index - count)..<index]
        }

        mutating func number() -> UInt32? {
            take(4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        }

        private mutating func text() -> ArraySlice<UInt8>? {
            guard let count = number() else { return nil }
            return take(Int(count))
        }

        mutating func value() -> Value? {
            switch take(1)?.first {
            case 0: return .null
            case 1: return take(1).map { .bool($0.first == 1) }
            case 2: return number().map { .number($0) }
            case 3: return text().map { .string(String(decoding: $0, as: UTF8.self)) }
            case 4: return text().map { .bytes(Array($0)) }
            case 5:
                guard let count = number() else { return nil }
                var values: [Value] = []
                for _ in 0..<count {
                    guard let value = value() else { return nil }
                    values.append(value)
                }
                return .array(values)
            case 6:
                guard let count = number() else { return nil }
                var members: [String: Value] = [:]
                for _ in 0..<count {
                    guard let key = text(), let value = value() else { return nil }
                    members[String(decoding: key, as: UTF8.self)] = value
                }
                return .object(members)
            default: return nil
            }
        }
    }
}
