internal import CV8

/// An operation that JavaScript may call, by its name on the `ops` object.
///
/// `body` runs while JavaScript waits: it must not enter an isolate, and what it borrows from the call is gone when
/// it returns.
package struct Op: Sendable {
    package typealias Body = @Sendable (_ host: AnyObject, _ call: OpCall) throws(OpError) -> Void

    package let name: String
    package let body: Body

    package init(_ name: String, _ body: @escaping Body) {
        self.name = name
        self.body = body
    }
}

/// What an op throws into JavaScript: an ECMAScript error class or the name of a DOMException, and the message.
package struct OpError: Error, Sendable {
    package let name: String
    package let message: String

    package init(_ name: String, _ message: String) {
        self.name = name
        self.message = message
    }

    package static func type(_ message: String) -> OpError { OpError("TypeError", message) }
    package static func range(_ message: String) -> OpError { OpError("RangeError", message) }
}

/// Text as JavaScript handed it over; borrowed for the call.
package enum FlatText {
    case latin1(UnsafeBufferPointer<UInt8>)
    case utf16(UnsafeBufferPointer<UInt16>)

    /// As Swift's string; lone surrogates become U+FFFD.
    package var string: String {
        switch self {
        case .latin1(let units):
            // ASCII is UTF-8 already, and nearly all text is ASCII.
            if units.allSatisfy({ $0 < 0x80 }) { return String(decoding: units, as: UTF8.self) }
            return String(String.UnicodeScalarView(units.map { Unicode.Scalar($0) }))
        case .utf16(let units): return String(decoding: units, as: UTF16.self)
        }
    }

    /// The first `count` units.
    func prefix(_ count: Int) -> FlatText {
        switch self {
        case .latin1(let units): .latin1(UnsafeBufferPointer(rebasing: units.prefix(count)))
        case .utf16(let units): .utf16(UnsafeBufferPointer(rebasing: units.prefix(count)))
        }
    }

    package var count: Int {
        switch self {
        case .latin1(let units): units.count
        case .utf16(let units): units.count
        }
    }
}

/// One call of an op: its arguments, borrowed, and the place of its result (undefined unless set).
package struct OpCall {
    private let arguments: UnsafePointer<cv8_value>
    package let count: Int
    private let result: UnsafeMutablePointer<cv8_value>

    init(arguments: UnsafePointer<cv8_value>, count: Int, result: UnsafeMutablePointer<cv8_value>) {
        self.arguments = arguments
        self.count = count
        self.result = result
    }

    // MARK: Arguments

    private func kind(_ index: Int) -> Int { index < count ? Int(arguments[index].kind) : Int(CV8_UNDEFINED) }

    package func isUndefined(_ index: Int) -> Bool { kind(index) == Int(CV8_UNDEFINED) }
    package func isNull(_ index: Int) -> Bool { kind(index) == Int(CV8_NULL) }
    package func isNumber(_ index: Int) -> Bool { kind(index) == Int(CV8_NUMBER) }

    /// A number; NaN for anything else.
    package func number(_ index: Int) -> Double {
        kind(index) == Int(CV8_NUMBER) ? arguments[index].number : .nan
    }

    /// An integer; 0 for what is none or lies outside of 2^53.
    package func integer(_ index: Int) -> Int { Int(exactly: number(index).rounded(.towardZero)) ?? 0 }

    package func bool(_ index: Int) -> Bool { kind(index) == Int(CV8_TRUE) }

    package func text(_ index: Int) -> FlatText? { index < count ? Self.text(of: arguments[index]) : nil }

    /// A string, or "" for anything else.
    package func string(_ index: Int) -> String { text(index)?.string ?? "" }

    /// The same, cut after that many units, and then with a remark that says so.
    package func string(_ index: Int, atMost limit: Int) -> String {
        guard let text = text(index) else { return "" }
        guard text.count > limit else { return text.string }
        return text.prefix(limit).string + " ... (\(text.count - limit) characters more)"
    }

    package func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer? {
        index < count ? Self.bytes(of: arguments[index]) : nil
    }

    /// The elements of a list of strings.
    package func strings(_ index: Int) -> [String] {
        guard kind(index) == Int(CV8_LIST), let list = arguments[index].list else { return [] }
        return (0..<arguments[index].length).map { Self.text(of: list[$0])?.string ?? "" }
    }

    private static func text(of value: cv8_value) -> FlatText? {
        switch Int(value.kind) {
        case Int(CV8_LATIN1): .latin1(UnsafeBufferPointer(start: value.latin1, count: value.length))
        case Int(CV8_UTF16): .utf16(UnsafeBufferPointer(start: value.utf16, count: value.length))
        default: nil
        }
    }

    private static func bytes(of value: cv8_value) -> UnsafeMutableRawBufferPointer? {
        guard value.kind == UInt32(CV8_BYTES) else { return nil }
        return UnsafeMutableRawBufferPointer(start: value.bytes, count: value.length)
    }

    // MARK: Result

    package func returns(_ number: Double) {
        result.pointee.kind = UInt32(CV8_NUMBER)
        result.pointee.number = number
    }

    package func returns(_ number: Int) { returns(Double(number)) }

    package func returns(_ flag: Bool) { result.pointee.kind = UInt32(flag ? CV8_TRUE : CV8_FALSE) }

    package func returnsNull() { result.pointee.kind = UInt32(CV8_NULL) }

    package func returns(_ value: FlatValue) { value.write(to: result) }

    package func returns(latin1 bytes: UnsafeRawBufferPointer) { place(bytes, kind: UInt32(CV8_LATIN1)) }

    package func returns(utf16 units: [UInt16]) {
        units.withUnsafeBytes { place($0, kind: UInt32(CV8_UTF16)) }
        result.pointee.length = units.count
    }

    /// A flat list of names and values as they stand in a request's head. Names are internalised; values are ASCII,
    /// else UTF-8 if they can be, else Latin-1.
    package func returns(fieldsOf bytes: [UInt8], ends: [UInt32], from first: Int) {
        let pieces = max(0, ends.count - first)
        let list = cv8_arena_allocate(pieces * MemoryLayout<cv8_value>.stride + bytes.count)
            .bindMemory(to: cv8_value.self, capacity: pieces)
        let text = UnsafeMutableRawPointer(list + pieces).assumingMemoryBound(to: UInt8.self)
        bytes.withUnsafeBufferPointer { text.update(from: $0.baseAddress!, count: $0.count) }
        var start = first == 0 ? 0 : Int(ends[first - 1])
        for piece in 0..<pieces {
            let end = Int(ends[first + piece])
            list[piece] = cv8_value()
            list[piece].kind = UInt32(piece % 2 == 0 ? CV8_NAME : CV8_LATIN1)
            if piece % 2 == 1, bytes[start..<end].contains(where: { $0 >= 0x80 }),
                String(validating: bytes[start..<end], as: UTF8.self) != nil
            {
                list[piece].kind = UInt32(CV8_UTF8)
            }
            list[piece].length = end - start
            list[piece].latin1 = UnsafePointer(text + start)
            start = end
        }
        result.pointee.kind = UInt32(CV8_LIST)
        result.pointee.length = pieces
        result.pointee.list = UnsafePointer(list)
    }

    func fails(_ error: OpError) { FlatValue.error(name: error.name, message: error.message).write(to: result) }

    private func place(_ bytes: UnsafeRawBufferPointer, kind: UInt32) {
        let copy = cv8_arena_allocate(bytes.count)
        if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
        result.pointee.kind = kind
        result.pointee.length = bytes.count
        result.pointee.bytes = copy.assumingMemoryBound(to: UInt8.self)
    }
}
