internal import CCrypto
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

/// AES (Web Cryptography API, sections 27 to 30), with keys of 16, 24 or 32 bytes.
extension WebCrypto {
    private static let blockSize = 16

    private static func aesKey(_ key: Bytes) throws(Failure) -> SymmetricKey {
        guard key.count == 16 || key.count == 24 || key.count == 32 else { throw Failure("The key's length is wrong.") }
        return SymmetricKey(data: key)
    }

    // MARK: CBC

    /// With the padding of PKCS #7.
    static func encryptCBC(key: Bytes, iv: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        let key = try aesKey(key)
        return try attempt("Encryption failed.") {
            [UInt8](copying: try AES._CBC.encrypt(data, using: key, iv: try AES._CBC.IV(ivBytes: iv)))
        }
    }

    static func decryptCBC(key: Bytes, iv: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        let key = try aesKey(key)
        return try attempt("Decryption failed.") {
            [UInt8](copying: try AES._CBC.decrypt(data, using: key, iv: try AES._CBC.IV(ivBytes: iv)))
        }
    }

    // MARK: CTR

    /// Encrypts or decrypts. The last `length` bits of the counter count up, and wrap without a carry into the rest.
    static func applyCTR(key: Bytes, counter: Bytes, length: Int, _ data: Bytes) throws(Failure) -> [UInt8] {
        let key = try aesKey(key)
        guard counter.count == blockSize, (1...128).contains(length) else { throw Failure("The counter is invalid.") }
        let start = counter.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        let mask = length == 128 ? UInt128.max : (1 << UInt128(length)) - 1
        // Counts of blocks less one, so that 2^128 fits.
        let untilWrap = mask - (start & mask)
        let blocks = UInt128((data.count + blockSize - 1) / blockSize)
        guard data.count > 0 else { return [] }
        guard blocks - 1 <= mask else { throw Failure("The counter would repeat.") }
        if blocks - 1 <= untilWrap { return try applyCTR(key, start, data) }
        let split = (Int(untilWrap) + 1) * blockSize
        let before = try applyCTR(key, start, Bytes(rebasing: data[..<split]))
        return before + (try applyCTR(key, start & ~mask, Bytes(rebasing: data[split...])))
    }

    private static func applyCTR(_ key: SymmetricKey, _ counter: UInt128, _ data: Bytes) throws(Failure) -> [UInt8] {
        try withUnsafeBytes(of: counter.bigEndian) { (nonce) throws(Failure) in
            try attempt("The operation failed.") {
                [UInt8](
                    copying: try AES._CTR.encrypt(data, using: key, nonce: try AES._CTR.Nonce(nonceBytes: nonce)))
            }
        }
    }

    // MARK: GCM

    // All of GCM is libcrypto's: swift-crypto knows whole tags and long nonces only, and copies the data three times.

    /// The ciphertext and after it the tag, of 4 to 16 bytes. The `iv` has 1 to 128 bytes.
    static func sealGCM(
        key: Bytes, iv: Bytes, additionalData: Bytes, tagLength: Int, _ data: Bytes
    ) throws(Failure) -> WorkBytes {
        guard (4...16).contains(tagLength) else { throw Failure("The tag's length is wrong.") }
        let result = try room(data.count + tagLength)
        let isDone = withPointers(key, iv, additionalData, data) { key, iv, additionalData, data in
            guard let start = key.baseAddress, let output = result.octets.baseAddress else { return false }
            return ccrypto_gcm_seal(
                start, key.count, iv.baseAddress, iv.count, additionalData.baseAddress, additionalData.count,
                data.baseAddress, data.count, output, output + data.count, tagLength)
        }
        guard isDone else { throw Failure("Encryption failed.") }
        return result
    }

    /// `data` is the ciphertext and after it the tag, of 4 to 16 bytes. The `iv` has 1 to 128 bytes.
    static func openGCM(
        key: Bytes, iv: Bytes, additionalData: Bytes, tagLength: Int, _ data: Bytes
    ) throws(Failure) -> WorkBytes {
        guard (4...16).contains(tagLength), data.count >= tagLength else { throw Failure("The data has no tag.") }
        let length = data.count - tagLength
        let result = try room(length)
        let isDone = withPointers(key, iv, additionalData, data) { key, iv, additionalData, data in
            guard let start = key.baseAddress, let input = data.baseAddress, let output = result.octets.baseAddress
            else { return false }
            return ccrypto_gcm_open(
                start, key.count, iv.baseAddress, iv.count, additionalData.baseAddress, additionalData.count,
                input, length, output, input + length, tagLength)
        }
        guard isDone else { throw Failure("Decryption failed.") }
        return result
    }

    private static func room(_ count: Int) throws(Failure) -> WorkBytes {
        guard let bytes = WorkBytes(count: count) else { throw Failure("There is not enough memory.") }
        return bytes
    }

    private typealias Octets = UnsafeBufferPointer<UInt8>

    private static func withPointers<Result>(
        _ a: Bytes, _ b: Bytes, _ c: Bytes, _ d: Bytes, _ body: (Octets, Octets, Octets, Octets) -> Result
    ) -> Result {
        a.withMemoryRebound(to: UInt8.self) { a in
            b.withMemoryRebound(to: UInt8.self) { b in
                c.withMemoryRebound(to: UInt8.self) { c in
                    d.withMemoryRebound(to: UInt8.self) { d in body(a, b, c, d) }
                }
            }
        }
    }

    // MARK: Key wrap (RFC 3394)

    static func wrapKey(key: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        let key = try aesKey(key)
        guard data.count >= 16, data.count % 8 == 0 else {
            throw Failure("AES-KW wraps keys of 16 bytes or more, in multiples of 8.")
        }
        return try attempt("Wrapping failed.") {
            [UInt8](copying: try AES.KeyWrap.wrap(SymmetricKey(data: data), using: key))
        }
    }

    static func unwrapKey(key: Bytes, _ data: Bytes) throws(Failure) -> [UInt8] {
        let key = try aesKey(key)
        guard data.count >= 24, data.count % 8 == 0 else { throw Failure("Unwrapping failed.") }
        return try attempt("Unwrapping failed.") {
            [UInt8](copying: try AES.KeyWrap.unwrap(data, using: key))
        }
    }
}

extension WorkBytes {
    fileprivate var octets: UnsafeMutableBufferPointer<UInt8> { bytes.assumingMemoryBound(to: UInt8.self) }
}
