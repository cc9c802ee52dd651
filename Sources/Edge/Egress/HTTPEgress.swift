package import Model
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The egress over HTTP/1.1 and HTTP/2. Each thread has connections of its own; a host's requests all go by one of
/// them.
package final class HTTPEgress: Egress {
    private let threads: MultiThreadedEventLoopGroup
    private let shards: [EgressShard]
    private let underWay: Atomic<Int>
    private let limit: Int
    private let held: HeldBytes

    package init(_ settings: EgressSettings) throws(EgressSetupError) {
        let trust = try TrustStore(additionalFiles: settings.trustedCertificateFiles)
        let names = NameService(scripted: settings.scriptedNames)
        threads = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        let held = HeldBytes(limit: settings.limits.heldBytes)
        shards = threads.makeIterator().map { loop in
            EgressShard(loop: loop, settings: settings, names: names, trust: trust, held: held)
        }
        self.held = held
        underWay = Atomic(0)
        limit = settings.limits.exchanges
    }

    package func begin(
        _ request: EgressRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        let target: OriginTarget
        do throws(EgressFailure) {
            target = try OriginTarget(request)
        } catch {
            deliver([.failed(error)])
            return RefusedExchange()
        }
        if case .bytes = request.body, held.isFull {
            deliver([.failed(.overloaded)])
            return RefusedExchange()
        }
        guard underWay.add(1, ordering: .relaxed).newValue <= limit else {
            underWay.subtract(1, ordering: .relaxed)
            deliver([.failed(.overloaded)])
            return RefusedExchange()
        }
        let shard = shards[Int(truncatingIfNeeded: UInt(bitPattern: target.host.hashValue) % UInt(shards.count))]
        let ended: @Sendable () -> Void = { [self] in underWay.subtract(1, ordering: .relaxed) }
        if case .upgrade = request.body {
            let exchange = UpgradeExchange(request, to: target, on: shard, deliver: deliver, ended: ended)
            shard.loop.execute { exchange.begin() }
            return exchange
        }
        let exchange = OriginExchange(request, to: target, on: shard, deliver: deliver, ended: ended)
        shard.loop.execute { exchange.begin() }
        return exchange
    }
}

/// What never came to be.
private final class RefusedExchange: EgressExchange {
    func send(_ bytes: [UInt8]) {}
    func finishSending() {}
    func consumed(_ bytes: Int) {}
    func cancel() {}
}
