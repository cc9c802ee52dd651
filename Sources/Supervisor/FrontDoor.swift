package import Model

/// Accepts connections in the hosts' place, while there are several, and finds out whom each is for.
package protocol FrontDoor: AnyObject, Sendable {
    /// What there is to be found.
    func take(_ routes: RoutingSnapshot, isWhole: Bool)
    /// Accepts from now on, or no more.
    func setOpen(_ isOpen: Bool)
    /// Whom the next request of a connection is for that a host gives back, with what it has received of it; nil if it
    /// is no connection that a host can give back.
    func destination(of connection: PassedConnection) -> Destination?
}

/// Whom a connection is for.
package struct Destination: Sendable {
    package var script: ScriptKey?
    package var account: String?
    /// A number of the connection that no other ever gets.
    package var cookie: UInt64

    package init(script: ScriptKey?, account: String?, cookie: UInt64) {
        self.script = script
        self.account = account
        self.cookie = cookie
    }
}

/// A client's connection on its way to a host.
package struct PassedConnection: Sendable {
    /// Bytes of requests that come along at most.
    package static let mostReceived = 128 << 10

    package var descriptor: Int32
    package var listener: Int
    /// What a host before had received of it and not answered.
    package var received: [UInt8] = []
    /// Its next request is answered by the host that gets it, whatever it is.
    package var staysForOne = false
    /// Whoever has it is written down, if it has been given back once.
    var book: (entries: HandBacks, cookie: UInt64)?

    package init(_ descriptor: Int32, listener: Int) {
        self.descriptor = descriptor
        self.listener = listener
    }
}
