internal import Model
internal import Synchronization

/// The keys of certificates as a host has them: it asks the supervisor.
package final class RemoteSigner: CertificateSigner {
    private struct State {
        var waits: [Int: @Sendable ([UInt8]?) -> Void] = [:]
        var lastID = 0
    }

    private let send: @Sendable (FromHost) -> Void
    private let state = Mutex(State())

    package init(send: @escaping @Sendable (FromHost) -> Void) { self.send = send }

    package func sign(
        _ bytes: [UInt8], certificate id: Int, algorithm: UInt16, completion: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        let number = state.withLock { state in
            state.lastID += 1
            state.waits[state.lastID] = completion
            return state.lastID
        }
        send(.sign(id: number, certificate: id, algorithm: algorithm, bytes))
    }

    /// What the supervisor says.
    package func take(_ signature: [UInt8]?, of id: Int) {
        state.withLock { $0.waits.removeValue(forKey: id) }?(signature)
    }
}
