/// A call of a Worker that runs in another process, by a service binding.
package struct ServiceRequest: Sendable, Equatable {
    /// Whose binding it is.
    package var caller: ScriptKey
    package var service: Service
    /// `.fetch` or `.rpc`.
    package var event: WorkerEvent
    /// In the account of the one who calls.
    package var request: EgressRequest
    /// Of the request from outside that it comes of.
    package var properties: RequestProperties?
    package var chain: CallPosition

    package init(
        caller: ScriptKey, service: Service, event: WorkerEvent, request: EgressRequest,
        properties: RequestProperties?, chain: CallPosition
    ) {
        self.caller = caller
        self.service = service
        self.event = event
        self.request = request
        self.properties = properties
        self.chain = chain
    }
}

/// Where among the calls that come of one request from outside one is.
package struct CallPosition: Sendable, Equatable {
    /// By chance: the same for all of them.
    package var chain: UInt64
    /// How many there were before, as far as the one who calls knows.
    package var count: Int

    package init(chain: UInt64, count: Int) {
        self.chain = chain
        self.count = count
    }
}

/// Calls Workers in other processes.
package protocol ServiceCaller: AnyObject, Sendable {
    /// - Parameter deliver: as of an `Egress`.
    func begin(
        _ request: ServiceRequest, deliver: @escaping @Sendable (_ events: [EgressEvent]) -> Void
    ) -> any EgressExchange
}

/// How much of an answer from another process may be on its way.
package enum ServiceWindow {
    /// Bytes that the one who asks has not used up.
    package static let bytes = 1 << 20
    /// Bytes of all fields of an answer together.
    package static let headBytes = 1 << 20
}
