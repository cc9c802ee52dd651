internal import Foundation
package import Model
internal import Synchronization

/// Signs one host's handshakes, so many in a second and by the keys of the certificates that it has: a host that was
/// taken over cannot use a key as it likes.
package final class SignatureDesk: Sendable {
    /// How long a certificate that a host has no more is still good for handshakes that began with it.
    static let grace = Duration.seconds(30)
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
    /// Those that the host has, and had until when; nil: it has them.
    private let certificates = Mutex<[Int: ContinuousClock.Instant?]>([:])

    package init(_ keeper: (any CertificateKeeper)?, threads: CallThreads) {
        self.keeper = keeper
        self.threads = threads
    }

    /// The host has those from now on, and no others.
    package func set(_ served: [ServedCertificate], now: ContinuousClock.Instant = .now) {
        certificates.withLock { certificates in
            certificates = certificates.mapValues { $0 ?? now.advanced(by: Self.grace) }.filter { $0.value! > now }
            for certificate in served { certificates[certificate.id] = .some(nil) }
        }
    }

    private func has(_ certificate: Int, _ now: ContinuousClock.Instant) -> Bool {
        certificates.withLock { certificates in
            guard let end = certificates[certificate] else { return false }
            return end.map { $0 > now } ?? true
        }
    }

    /// - Parameter reply: nil if there is no signature.
    package func sign(
        _ bytes: [UInt8], certificate: Int, algorithm: UInt16, now: ContinuousClock.Instant = .now,
        reply: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        guard let keeper, has(certificate, now), bucket.withLock({ $0.take() }) else { return reply(nil) }
        threads.add { reply(keeper.sign(bytes, certificate: certificate, algorithm: algorithm)) }
    }
}
