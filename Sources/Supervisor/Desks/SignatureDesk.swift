internal import Foundation
internal import Model
internal import Synchronization

/// Signs one host's handshakes, so many in a second: a host that was taken over cannot use a key as it likes.
final class SignatureDesk: Sendable {
    /// Handshakes of one host in a second, and such as may come at once. A core signs no more by a key of RSA.
    static let perSecond = 1_000.0
    static let atOnce = 2_000.0

    private struct Bucket {
        var tokens = atOnce
        var time = ContinuousClock.now

        mutating func take() -> Bool {
            let now = ContinuousClock.now
            let (seconds, attoseconds) = (now - time).components
            time = now
            tokens = min(atOnce, tokens + (Double(seconds) + Double(attoseconds) / 1e18) * perSecond)
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        }
    }

    private let keeper: (any CertificateKeeper)?
    private let threads: CallThreads
    private let bucket = Mutex(Bucket())

    init(_ keeper: (any CertificateKeeper)?, threads: CallThreads) {
        self.keeper = keeper
        self.threads = threads
    }

    /// - Parameter reply: nil if there is no signature.
    func sign(
        _ bytes: [UInt8], certificate: Int, algorithm: UInt16, reply: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        guard let keeper, bucket.withLock({ $0.take() }) else { return reply(nil) }
        threads.add { reply(keeper.sign(bytes, certificate: certificate, algorithm: algorithm)) }
    }
}
