internal import Model

/// A location's connection to where its feed comes from. Calls wait: never on a lane or an event loop.
package protocol FeedConnection: AnyObject, Sendable {
    /// The next thing that came, in order.
    /// - Parameter seconds: how long it is waited for; 0 for what lies ready.
    /// - Returns: nil if nothing came in time.
    /// - Throws: `away` when the connection has ended; what the other side refused.
    func next(within seconds: Double) throws -> FeedFrame?
    /// Asks the control node.
    /// - Throws: `away`, or what it answers.
    func call(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8]
    /// The same without waiting for an answer.
    func tell(_ name: String, _ body: [UInt8])
    /// A blob's form for the way.
    func blob(_ hash: String) throws -> [UInt8]
    /// Where the feed goes on behind what `next` gave last; nil if the control node knows that by the position.
    var mark: String? { get }
    /// What is newer may already have taken the place of what a head speaks of: a copy that differs from it may still
    /// become right.
    var isCompacted: Bool { get }
    /// Without a word for so long, in seconds, the connection is given up; nil if it ends by itself.
    var silence: Double? { get }
    func close()
}

/// Makes connections, one after the other.
package protocol FeedConnector: Sendable {
    /// - Parameter mark: that of the position in `subscribe`.
    func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection
}

/// How long a call waits for its answer, in seconds.
package let feedCallSeconds = 10.0
