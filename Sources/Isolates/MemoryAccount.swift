internal import CV8
internal import Glibc

/// What the buffers of an isolate are charged to, those that wait outside of it included. Any thread; it may outlive
/// the isolate.
package final class MemoryAccount: @unchecked Sendable {
    // Sound because the bridge counts atomically, and the pointer never changes.
    fileprivate let pointer: OpaquePointer

    init(of isolate: Isolate) { pointer = cv8_isolate_account(isolate.pointer) }

    deinit { cv8_account_close(pointer) }
}

/// Bytes that lie elsewhere, charged to an account as long as this exists. One thread at a time.
package final class MemoryCharge {
    private let account: MemoryAccount
    package private(set) var bytes = 0

    package init(to account: MemoryAccount) { self.account = account }

    deinit { subtract(bytes) }

    /// False if they would go over the isolate's limit: then nothing changes.
    package func add(_ count: Int) -> Bool {
        guard cv8_account_charge(account.pointer, count) else { return false }
        bytes += count
        return true
    }

    package func subtract(_ count: Int) {
        let count = min(count, bytes)
        bytes -= count
        cv8_account_credit(account.pointer, count)
    }
}

/// Bytes gathered in memory charged to an isolate, on their way to become a Uint8Array without another copy.
package final class ChargedBuffer: @unchecked Sendable {
    // Sound because its owner hands it on and then forgets it.

    /// At least so much is added at a time.
    private static let leastGrowth = 4 << 10

    private let account: MemoryAccount
    private var start: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    package private(set) var count = 0

    package init(chargedTo account: MemoryAccount) { self.account = account }

    /// Takes memory of malloc's over. Nil, and the memory is still the caller's, if it would go over the limit.
    package init?(adopting bytes: UnsafeMutableRawBufferPointer, chargedTo account: MemoryAccount) {
        guard cv8_account_charge(account.pointer, bytes.count) else { return nil }
        self.account = account
        start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        capacity = bytes.count
        count = bytes.count
    }

    deinit { if let start { cv8_account_free(account.pointer, start, capacity) } }

    /// Makes room for that many bytes in all. False if they would go over the isolate's limit.
    package func reserve(_ total: Int) -> Bool {
        if total <= capacity, start != nil { return true }
        guard let larger = cv8_account_resize(account.pointer, start, capacity, total) else { return false }
        start = larger
        capacity = total
        return true
    }

    /// False if the bytes would go over the isolate's limit: then none is appended.
    package func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let total = count + bytes.count
        // Twice as much if there is room, else what is needed.
        guard reserve(total <= capacity ? total : max(total, 2 * capacity, Self.leastGrowth)) || reserve(total) else {
            return false
        }
        if let source = bytes.baseAddress { memcpy(start! + count, source, bytes.count) }
        count = total
        return true
    }

    /// Hands the bytes over; the buffer is empty then, and must not be used again.
    func take() -> (start: UnsafeMutablePointer<UInt8>, count: Int) {
        guard let start, let exact = cv8_account_resize(account.pointer, start, capacity, count) else {
            // Only memory that is made may be refused, and so little never is.
            precondition(count == 0, "A buffer that shrinks is never refused")
            return (cv8_account_resize(account.pointer, nil, 0, 0)!, 0)
        }
        self.start = nil
        capacity = 0
        defer { count = 0 }
        return (exact, count)
    }
}
