/// What has arrived of a TLS client's first message (RFC 8446, section 4.1.2), looked at without consuming it: which
/// server does the client want?
enum ClientHello: Equatable {
    /// The message is not complete.
    case needsMore
    /// The name is in lower case, without a dot at its end; nil if the client gave none that can be used.
    case wants(String?)
    /// This is no TLS.
    case foreign

    /// A message with more bytes is refused: real ones have some thousand.
    static let longest = 16 << 10

    private static let handshakeRecord: UInt8 = 22
    private static let clientHello: UInt8 = 1

    /// The message that begins `bytes`.
    static func inspect(_ bytes: UnsafeRawBufferPointer) -> ClientHello {
        guard let first = bytes.first else { return .needsMore }
        guard first == handshakeRecord, bytes.count < 2 || bytes[1] == 3 else { return .foreign }
        var message: [UInt8] = []
        var records = Reader(bytes)
        while true {
            guard records.skip(3), let count = records.number(2), let fragment = records.take(count) else {
                return .needsMore
            }
            guard count > 0 else { return .wants(nil) }
            // A message may be spread over records; whatever else a client begins with, the TLS library judges.
            message += fragment
            guard message[0] == clientHello else { return .wants(nil) }
            if message.count >= 4 {
                let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
                if message.count >= 4 + length { return .wants(serverName(in: message[4..<4 + length])) }
            }
        }
    }

    private static func serverName(in hello: ArraySlice<UInt8>) -> String? {
        hello.withUnsafeBytes { hello in
            var reader = Reader(hello)
            // Version and random; session, cipher suites, compression methods.
            guard reader.skip(34), reader.skipVector(1), reader.skipVector(2), reader.skipVector(1),
                let length = reader.number(2), var extensions = reader.sub(length)
            else { return nil }
            while let type = extensions.number(2), let count = extensions.number(2) {
                guard var content = extensions.sub(count) else { return nil }
                guard type == 0 else { continue }
                // RFC 6066, section 3: a list, of which only the type host_name is defined.
                guard content.skip(2), content.number(1) == 0, let count = content.number(2),
                    let name = content.take(count)
                else { return nil }
                return normalized(name)
            }
            return nil
        }
    }

    private static func normalized(_ bytes: UnsafeRawBufferPointer) -> String? {
        var name = bytes.map { ByteTable.hostName[$0] }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        guard !name.isEmpty, name.count <= 255, !name.contains(0) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// Big-endian numbers and vectors, never past the end.
    private struct Reader {
        private var rest: Slice<UnsafeRawBufferPointer>

        init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

        mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        mutating func sub(_ count: Int) -> Reader? { take(count).map(Reader.init) }

        mutating func number(_ bytes: Int) -> Int? { take(bytes)?.reduce(0) { $0 << 8 | Int($1) } }

        /// A vector whose length stands in so many bytes.
        mutating func skipVector(_ bytes: Int) -> Bool { number(bytes).map { skip($0) } ?? false }
    }
}
