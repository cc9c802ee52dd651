internal import Model
internal import NIOCore
internal import NIOSSL

/// A certificate's key that another process has.
struct RemoteKey: NIOSSLCustomPrivateKey, Hashable {
    private struct Refused: Error {}

    let id: Int
    let signatureAlgorithms: [SignatureAlgorithm]
    private let signer: any CertificateSigner

    init(_ certificate: ServedCertificate, signer: any CertificateSigner) {
        id = certificate.id
        signatureAlgorithms = certificate.algorithms.map { SignatureAlgorithm(rawValue: $0) }
        self.signer = signer
    }

    func sign(channel: any Channel, algorithm: SignatureAlgorithm, data: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        let promise = channel.eventLoop.makePromise(of: ByteBuffer.self)
        let loop = channel.eventLoop
        signer.sign(Array(data.readableBytesView), certificate: id, algorithm: algorithm.rawValue) { signature in
            loop.execute {
                if let signature {
                    promise.succeed(ByteBuffer(bytes: signature))
                } else {
                    promise.fail(Refused())
                }
            }
        }
        return promise.futureResult
    }

    func decrypt(channel: any Channel, data: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        // Key exchange by RSA: not offered, for it has no forward secrecy.
        channel.eventLoop.makeFailedFuture(Refused())
    }

    static func == (left: RemoteKey, right: RemoteKey) -> Bool { left.id == right.id }
    func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
