internal import CV8

/// A value on its way into JavaScript: an argument of an entry, or the result of a ticket.
package enum FlatValue: Sendable {
    case undefined
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    /// Becomes a Uint8Array (copied once, into memory charged to the isolate).
    case bytes([UInt8])
    /// Becomes a Uint8Array without a copy, once: then the buffer is empty.
    case owned(ChargedBuffer)
    case list([FlatValue])
    /// Becomes an exception: the class (an ECMAScript error or the name of a DOMException) and the message.
    case error(name: String, message: String)

    /// Lays the value out for the bridge, in the calling thread's arena.
    func write(to target: UnsafeMutablePointer<cv8_value>) {
        target.pointee = cv8_value()
        switch self {
        case .undefined: target.pointee.kind = UInt32(CV8_UNDEFINED)
        case .null: target.pointee.kind = UInt32(CV8_NULL)
        case .bool(let value): target.pointee.kind = UInt32(value ? CV8_TRUE : CV8_FALSE)
        case .number(let value):
            target.pointee.kind = UInt32(CV8_NUMBER)
            target.pointee.number = value
        case .string(var value):
            value.withUTF8 { Self.place(UnsafeRawBufferPointer($0), kind: UInt32(CV8_UTF8), at: target) }
        case .bytes(let value):
            value.withUnsafeBytes { Self.place($0, kind: UInt32(CV8_BYTES), at: target) }
        case .owned(let buffer):
            let bytes = buffer.take()
            target.pointee.kind = UInt32(CV8_OWNED_BYTES)
            target.pointee.length = bytes.count
            target.pointee.bytes = bytes.start
        case .list(let values):
            Self.place(values, kind: UInt32(CV8_LIST), at: target)
        case .error(let name, let message):
            Self.place([.string(name), .string(message)], kind: UInt32(CV8_THROW), at: target)
        }
    }

    private static func place(_ bytes: UnsafeRawBufferPointer, kind: UInt32, at target: UnsafeMutablePointer<cv8_value>)
    {
        let copy = cv8_arena_allocate(bytes.count)
        if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
        target.pointee.kind = kind
        target.pointee.length = bytes.count
        target.pointee.bytes = copy.assumingMemoryBound(to: UInt8.self)
    }

    private static func place(_ values: [FlatValue], kind: UInt32, at target: UnsafeMutablePointer<cv8_value>) {
        let list = cv8_arena_allocate(values.count * MemoryLayout<cv8_value>.stride)
            .bindMemory(to: cv8_value.self, capacity: values.count)
        for (index, value) in values.enumerated() { value.write(to: list + index) }
        target.pointee.kind = kind
        target.pointee.length = values.count
        target.pointee.list = UnsafePointer(list)
    }
}
