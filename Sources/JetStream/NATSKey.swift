internal import Crypto
internal import Foundation
package import Model

/// An nkey: a pair of keys (Ed25519) of a user of NATS. The server's configuration has the public one.
package struct NATSKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// The first letters of the texts: bytes in base 32 that begin with these bits.
    private static let seedPrefix: UInt8 = 18 << 3
    private static let userPrefix: UInt8 = 20 << 3
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// A new one.
    package init() { key = Curve25519.Signing.PrivateKey() }

    /// - Parameter seed: as it stands in a file, with any white space around it.
    /// - Throws: `refused` if it is none of a user.
    package init(seed: String) throws(FeedError) {
        let text = seed.trimmingCharacters(in: .whitespacesAndNewlines)
        // Two bytes of prefix, 32 of the key, two of check sum.
        guard let bytes = Self.bytes(text), bytes.count == 36, bytes[0] & 0xf8 == Self.seedPrefix,
            bytes[0] << 5 | bytes[1] >> 3 == Self.userPrefix,
            Self.checkSum(bytes.dropLast(2)) == UInt16(bytes[34]) | UInt16(bytes[35]) << 8,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes[2..<34])
        else { throw FeedError(.refused, "it does not hold the seed of an nkey of a user: 'SU' and 56 more letters") }
        self.key = key
    }

    /// Reads a file.
    package init(file path: String) throws(FeedError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FeedError(.refused, "\(path): the nkey's seed cannot be read")
        }
        do {
            try self.init(seed: String(decoding: data, as: UTF8.self))
        } catch {
            throw FeedError(.refused, "\(path): \(error)")
        }
    }

    /// 'SU' and 56 more letters and digits. Secret.
    package var seed: String {
        let prefix = [Self.seedPrefix | Self.userPrefix >> 5, Self.userPrefix << 3]
        return Self.text(prefix + Array(key.rawRepresentation))
    }

    /// 'U' and 55 more letters and digits.
    package var publicKey: String { Self.text([Self.userPrefix] + Array(key.publicKey.rawRepresentation)) }

    // MARK: Base 32 with a check sum

    private static func text(_ bytes: [UInt8]) -> String {
        let sum = checkSum(bytes[...])
        let all = bytes + [UInt8(truncatingIfNeeded: sum), UInt8(sum >> 8)]
        var digits: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in all {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                digits.append(alphabet[Int(bits >> UInt32(count) & 31)])
            }
        }
        if count > 0 { digits.append(alphabet[Int(bits << UInt32(5 - count) & 31)]) }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Nil if it is none.
    private static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for digit in text.utf8 {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            bits = bits << 5 | UInt32(value)
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    /// CRC-16 of XMODEM.
    private static func checkSum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.reduce(0) { sum, byte in
            (0..<8).reduce(sum ^ UInt16(byte) << 8) { sum, _ in
                sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021
            }
        }
    }
}
