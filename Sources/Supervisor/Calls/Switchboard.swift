internal import Model
internal import Synchronization

/// Connects hosts: a call by a service binding goes to the host of the cordon that the called script is in.
final class Switchboard: ServiceCaller {
    /// Gives what is there to answer a script's calls, once, as soon as there is one, or says why there is none.
    typealias Directory = @Sendable (ScriptKey, _ found: @escaping Found) -> Void
    typealias Found = @Sendable (Result<ServiceDesk, EgressFailure>) -> Void

    private let counts = Mutex(CallCounts())
    private let directory: Directory

    init(directory: @escaping Directory) { self.directory = directory }

    func begin(
        _ request: ServiceRequest, deliver: @escaping @Sendable ([EgressEvent]) -> Void
    ) -> any EgressExchange {
        let call = SwitchedCall()
        guard counts.withLock({ $0.take(request.chain.chain) }) else {
            deliver([.failed(.invalidRequest("Too many calls between Workers for one request."))])
            return call
        }
        directory(request.service.script) { found in
            switch found {
            case .success(let desk): call.connect { desk.begin(request, deliver: deliver) }
            case .failure(let failure): deliver([.failed(failure)])
            }
        }
        return call
    }
}

/// A call that may wait for its host.
private final class SwitchedCall: OrderedExchange {
    private struct State {
        var exchange: (any EgressExchange)?
        /// What was ordered before there was an exchange.
        var orders: [ExchangeOrder] = []
        var isCancelled = false
    }

    private let state = Mutex(State())

    func connect(_ begin: () -> any EgressExchange) {
        state.withLock { state in
            guard !state.isCancelled else { return }
            let exchange = begin()
            for order in state.orders { exchange.obey(order) }
            state.orders = []
            state.exchange = exchange
        }
    }

    func order(_ order: ExchangeOrder) {
        let exchange = state.withLock { state in
            if order == .cancel { state.isCancelled = true }
            if state.exchange == nil, !state.isCancelled { state.orders.append(order) }
            return state.exchange
        }
        exchange?.obey(order)
    }
}

/// How many calls between hosts came of each request from outside. Hosts count the calls within them; a circle of
/// calls through several of them ends here.
package struct CallCounts {
    /// Calls between hosts that one request may bring about.
    package static let limit = 1_000
    /// Requests that are remembered: twice as many at most.
    package static let remembered = 32_768

    private var recent: [UInt64: Int] = [:]
    private var older: [UInt64: Int] = [:]

    package init() {}

    /// Counts one more. False if there were too many.
    package mutating func take(_ chain: UInt64) -> Bool {
        let count = recent[chain] ?? older[chain] ?? 0
        guard count < Self.limit else { return false }
        if recent.count >= Self.remembered, recent[chain] == nil {
            older = recent
            recent = [:]
        }
        recent[chain] = count + 1
        return true
    }
}
