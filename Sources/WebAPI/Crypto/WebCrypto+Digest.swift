internal import CCrypto
internal import Crypto
internal import FoundationEssentials

/// Hashes (Web Cryptography API, section 36) and HMAC (section 31).
extension WebCrypto {
    static func digest(_ hash: Hash, _ data: Bytes) -> [UInt8] {
        func run<Function: HashFunction>(_ function: Function.Type) -> [UInt8] {
            [UInt8](copying: self.digest(function, data))
        }
        return run(hash.function)
    }

    static func digest<Function: HashFunction>(_ function: Function.Type, _ data: Bytes) -> Function.Digest {
        var hasher = function.init()
        hasher.update(bufferPointer: data)
        return hasher.finalize()
    }

    static func hmac(_ hash: Hash, key: Bytes, _ data: Bytes) -> [UInt8] {
        func run<Function: HashFunction>(_ function: Function.Type) -> [UInt8] {
            var code = HMAC<Function>(key: SymmetricKey(data: key))
            code.update(data: data)
            return [UInt8](copying: code.finalize())
        }
        return run(hash.function)
    }

    /// In a time that does not depend on where the signature differs.
    static func isValidHMAC(_ hash: Hash, key: Bytes, signature: Bytes, _ data: Bytes) -> Bool {
        hmac(hash, key: key, data).withUnsafeBytes { areEqual($0, signature) }
    }

    /// Compares in a time that depends on the lengths only.
    static func areEqual(_ a: Bytes, _ b: Bytes) -> Bool {
        guard a.count == b.count else { return false }
        return a.withMemoryRebound(to: UInt8.self) { a in
            b.withMemoryRebound(to: UInt8.self) { b in ccrypto_equal(a.baseAddress, b.baseAddress, a.count) }
        }
    }

    /// A hash under way, of a DigestStream.
    struct RunningDigest {
        private var hasher: any HashFunction

        init(_ hash: Hash) { hasher = hash.function.init() }

        mutating func update(_ data: Bytes) { hasher.update(bufferPointer: data) }

        /// The hash of all that was given; the value is used up.
        consuming func finish() -> [UInt8] {
            func run(_ hasher: some HashFunction) -> [UInt8] { [UInt8](copying: hasher.finalize()) }
            return run(hasher)
        }
    }
}
