internal import Runtime
internal import Synchronization

/// One lane's door to a listener, as all its lanes see it: how many connections came through.
final class LaneDoor: Sendable {
    let loop: EventLoop.Remote
    let listener: Listener
    private let count = Atomic<Int>(0)
    private let networks = Mutex<[UInt64: Int]>([:])
    private let acceptor: LoopBound<Acceptor>

    init(_ acceptor: Acceptor, on loop: EventLoop, of listener: Listener) {
        self.listener = listener
        self.loop = loop.remote
        self.acceptor = LoopBound(acceptor, to: loop)
    }

    var connectionCount: Int { count.load(ordering: .relaxed) }

    func count(from network: UInt64) -> (all: Int, ofNetwork: Int) {
        (connectionCount, networks.withLock { $0[network, default: 0] })
    }

    func entered(from network: UInt64) {
        count.add(1, ordering: .relaxed)
        networks.withLock { $0[network, default: 0] += 1 }
    }

    func left(from network: UInt64) {
        count.subtract(1, ordering: .relaxed)
        networks.withLock { networks in
            guard let count = networks[network] else { return }
            networks[network] = count > 1 ? count - 1 : nil
        }
    }

    /// Gives the lane a socket that another has accepted; false if the lane has ended.
    func pass(_ socket: PassedSocket, from address: ClientAddress) -> Bool {
        loop.execute { [acceptor] loop in acceptor.value(on: loop).receive(socket, from: address) }
    }
}
