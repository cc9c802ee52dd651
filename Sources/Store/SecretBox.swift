internal import Crypto
internal import Foundation
internal import Model

/// Encrypts what is secret: AES-256-GCM with a random nonce. The context is authenticated with it, so that a secret
/// cannot be moved to another place.
struct SecretBox: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: 32 bytes.
    init(key: [UInt8]) {
        precondition(key.count == 32, "a key has 32 bytes")
        self.key = SymmetricKey(data: key)
    }

    /// A key for another purpose: 32 bytes that tell nothing of this one.
    func derivedKey(_ purpose: String) -> [UInt8] {
        let derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array(purpose.utf8), outputByteCount: 32)
        return derived.withUnsafeBytes { Array($0) }
    }

    /// Nonce, ciphertext and tag in one.
    func seal(_ bytes: [UInt8], context: String) throws -> [UInt8] {
        guard let sealed = try AES.GCM.seal(bytes, using: key, authenticating: Array(context.utf8)).combined else {
            preconditionFailure("a nonce of 12 bytes gives a combined form")
        }
        return Array(sealed)
    }

    func open(_ sealed: [UInt8], context: String) throws -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(combined: sealed)
            return Array(try AES.GCM.open(box, using: key, authenticating: Array(context.utf8)))
        } catch {
            throw StoreError(.damaged, "a secret of \(context) is damaged, or was encrypted with another key")
        }
    }

    /// A key from its text: 64 hexadecimal digits, with white space around them.
    static func key(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8).filter { $0 > 0x20 }
        guard digits.count == 64 else { return nil }
        let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard values.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// A key for a store's secrets that does not lie in its folder.
package enum StoreKey {
    /// - Returns: nil if the text is not 64 hexadecimal digits.
    package static func parse(_ text: String) -> [UInt8]? { SecretBox.key(text) }
}

/// SHA-256.
enum Checksum {
    static func hex(_ bytes: some DataProtocol) -> String { SecretBox.text(SHA256.hash(data: bytes)) }

    /// For a column: the first eight bytes.
    static func short(_ bytes: some DataProtocol) -> Int64 {
        SHA256.hash(data: bytes).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
