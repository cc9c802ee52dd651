internal import Isolates
internal import Model
internal import WebAPI

// Workers that call each other, as far as it is the host's.

extension Instance: ServiceHost {
    func service(of exchange: Int) throws(OpError) -> (service: Service?, call: RPCCall?) {
        guard let exchange = requests[exchange]?.exchange else { throw .type("The request is over") }
        guard case .rpc(let call) = exchange.event else { return (exchange.service, nil) }
        return (exchange.service, call)
    }

    func answerCall(_ exchange: Int, _ bytes: UnsafeRawBufferPointer, failure: String?) {
        guard let context = requests[exchange] else { return }
        if let failure {
            logFailure(failure, after: "Uncaught ", for: context)
            if !context.isAnswered { context.outcome = .exception }
        }
        guard !context.isAnswered else { return }
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        context.status = failure == nil ? 200 : 500
        context.isFollowed = false
        worker.counts.addBytesOut(bytes.count)
        context.exchange.respond(
            ResponseHead(status: context.status, reason: empty, fields: empty), body: .bytes(bytes))
        answered(context)
    }

    func startCall(_ call: RPCCall, inBinding place: Int, _ arguments: [UInt8]) throws(OpError) -> Int {
        guard let context = current else { throw .type("A call needs a request to belong to") }
        let subrequests = context.subrequests ?? Subrequests(limits: worker.definition.limits, account: line.share)
        context.subrequests = subrequests
        try subrequests.require()
        worker.counts.addSubrequest()
        guard call.method.utf8.count <= Self.longestMethod else {
            throw .type("A method's name has at most \(Self.longestMethod) bytes")
        }
        let service = try service(place)
        let head = SubrequestHead.make(
            method: "rpc", url: call.method, fields: UnsafeRawBufferPointer(start: nil, count: 0),
            incoming: context.exchange.head, isToService: true)
        let id = openTicket(for: context)
        guard
            let subrequest = Subrequest(
                id, EgressRequest(head: head, body: .bytes(arguments)), to: .service(service, .rpc(call)), of: context,
                isFollowed: false)
        else {
            dropTicket(id)
            throw .range("The worker has no memory left for the call's arguments")
        }
        subrequests.add(subrequest)
        return id
    }

    /// Bytes.
    private static let longestMethod = 1_024

    /// What the binding of that place names. Counts the call.
    func service(_ place: Int) throws(OpError) -> Service {
        guard bindings.indices.contains(place), case .service(let service) = bindings[place].value else {
            throw .type("There is no such service")
        }
        guard let context = current, context.chain.take() else {
            throw OpError(
                "Error", "Too many calls between Workers for one request: \(CallChain.limit) at most.")
        }
        return service
    }
}
