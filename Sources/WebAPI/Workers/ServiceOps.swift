package import Isolates
package import Model

/// Calls between workers: of methods of this one's entrypoints, and by its service bindings.
package protocol ServiceHost: AnyObject {
    /// By which binding a request or a call came, nil for none; and what it calls, nil for a request.
    func service(of exchange: Int) throws(OpError) -> (service: Service?, call: RPCCall?)
    /// Answers a call with what the bundle has made of the result, or of what was thrown.
    /// - Parameter failure: what was thrown, for the log; nil for nothing.
    func answerCall(_ exchange: Int, _ bytes: UnsafeRawBufferPointer, failure: String?)
    /// Calls a member of what the binding of that place names.
    /// - Returns: the ticket of the answer's head. It is known by the same number as a subrequest of fetch().
    func startCall(_ call: RPCCall, inBinding binding: Int, _ arguments: [UInt8]) throws(OpError) -> Int
}

/// The host's half of calls between workers.
enum ServiceOps {
    static let all: [Op] = [
        .web("serviceCall") { host, call throws(OpError) in
            let (service, member) = try host.services.service(of: call.integer(0))
            call.returns(
                .list([
                    text(service?.entrypoint), text(service?.props), text(member?.method),
                    .bool(member?.isCall ?? false),
                ]))
        },
        .web("rpcRespond") { host, call throws(OpError) in
            guard let bytes = call.bytes(1) else { throw .type("A result is made of bytes") }
            host.services.answerCall(
                call.integer(0), UnsafeRawBufferPointer(bytes), failure: call.text(2)?.string)
        },
        .web("rpcStart") { host, call throws(OpError) in
            guard let bytes = call.bytes(3) else { throw .type("Arguments are made of bytes") }
            let member = RPCCall(method: call.string(1), isCall: call.bool(2))
            call.returns(try host.services.startCall(member, inBinding: call.integer(0), Array(bytes)))
        },
    ]

    private static func text(_ text: String?) -> FlatValue { text.map { .string($0) } ?? .null }
}
