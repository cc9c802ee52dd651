internal import Model
internal import Runtime

/// What a lane's ingress keeps for each accepted socket, whatever is spoken there.
protocol IngressMember: AnyObject {
    var socket: AcceptedSocket { get }
    /// The place in the ingress's list.
    var index: Int { get set }
    /// Monotonic nanoseconds by which something must have happened; `.max` for no haste.
    var deadline: UInt64 { get }
    /// The sweep has found the deadline passed.
    func timedOut()
    /// No further request after those under way.
    func drain()
    /// Ends it at once.
    func lost()
}

/// A client's socket, of which the loop's `acceptedSockets` know, and how it came.
struct AcceptedSocket {
    let descriptor: Int32
    var address: ClientAddress
    let door: LaneDoor
    let handler: any RequestHandler
    /// What another process has received of it.
    var received: [UInt8] = []
    /// Its first request is answered here, whatever it is.
    var staysForOne = false
    /// Somebody else has said whose it is.
    var isProxied = false
}
