internal import Glibc
internal import Isolates

/// Randomness for `crypto` (Web Cryptography, section 10.1), from the kernel's generator.
enum RandomOps {
    static let all: [Op] = [
        .web("randomFill") { _, call throws(OpError) in
            guard let bytes = call.bytes(0) else { throw .type("The argument is no view on an ArrayBuffer") }
            fill(bytes)
        },
        .web("randomUUID") { _, call in call.returns(.string(randomUUID())) },
    ]

    static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { arc4random_buf(start, bytes.count) }
    }

    /// Version 4 (RFC 9562, section 5.4).
    static func randomUUID() -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes(fill)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
