internal import CCrypto
internal import Crypto
internal import FoundationEssentials

/// The operations of the Web Cryptography API on bytes: by swift-crypto, and by libcrypto where that lacks something.
///
/// All of them may run on any thread. Arguments are borrowed for the call. What JavaScript has checked already, such as
/// the length of a key, is checked again: an error must never become a trap.
enum WebCrypto {
    typealias Bytes = UnsafeRawBufferPointer

    /// Why an operation failed: JavaScript sees an OperationError.
    struct Failure: Error, Equatable {
        let message: String

        init(_ message: String) { self.message = message }
    }

    /// Hash functions, by the names of the Web Cryptography API; MD5 is Workers' addition.
    enum Hash: String, Sendable, CaseIterable {
        case md5 = "MD5"
        case sha1 = "SHA-1"
        case sha256 = "SHA-256"
        case sha384 = "SHA-384"
        case sha512 = "SHA-512"

        var function: any HashFunction.Type {
            switch self {
            case .md5: Insecure.MD5.self
            case .sha1: Insecure.SHA1.self
            case .sha256: SHA256.self
            case .sha384: SHA384.self
            case .sha512: SHA512.self
            }
        }

        /// In bytes.
        var digestLength: Int {
            switch self {
            case .md5: 16
            case .sha1: 20
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    static func libcryptoHash(_ hash: Hash) throws(Failure) -> ccrypto_hash {
        switch hash {
        case .md5: throw Failure("The hash is not supported.")
        case .sha1: CCRYPTO_SHA1
        case .sha256: CCRYPTO_SHA256
        case .sha384: CCRYPTO_SHA384
        case .sha512: CCRYPTO_SHA512
        }
    }

    /// `goesOn` in the form in which libcrypto's operations take it: a function, and what it is called with.
    static func whileAsked<Result>(
        _ goesOn: () -> Bool,
        _ body: (@convention(c) (UnsafeMutableRawPointer?) -> Bool, UnsafeMutableRawPointer) -> Result
    ) -> Result {
        withoutActuallyEscaping(goesOn) { goesOn in
            withUnsafePointer(to: goesOn) { pointer in
                body(
                    { $0!.assumingMemoryBound(to: (() -> Bool).self).pointee() },
                    UnsafeMutableRawPointer(mutating: pointer))
            }
        }
    }

    /// Runs an operation of swift-crypto, whose errors say nothing that a worker could use.
    static func attempt<Result>(_ message: String, _ operation: () throws -> Result) throws(Failure) -> Result {
        do { return try operation() } catch { throw Failure(message) }
    }
}

extension UnsafeRawBufferPointer {
    /// The same bytes, with an address even if there are none, where swift-crypto takes one for granted.
    func withAddress<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if baseAddress != nil { return try body(self) }
        var nothing: UInt8 = 0
        return try withUnsafePointer(to: &nothing) { (pointer) throws(Failure) in
            try body(UnsafeRawBufferPointer(start: pointer, count: 0))
        }
    }
}

extension [UInt8] {
    init(copying bytes: some ContiguousBytes) {
        self = bytes.withUnsafeBytes { [UInt8]($0) }
    }
}
