/// A value that belongs to a loop's thread, in a box that any thread may carry. Touching it elsewhere traps.
package final class LoopBound<Value>: @unchecked Sendable {
    // Sound because only the loop's own thread ever gets at the value.
    private let loop: EventLoop.Remote
    private var storage: Value

    /// On the loop's thread.
    package init(_ value: Value, to loop: EventLoop) {
        loop.preconditionInLoop()
        self.loop = loop.remote
        storage = value
    }

    /// The value, for code that runs on `loop`.
    package func value(on loop: EventLoop) -> Value {
        precondition(loop.remote === self.loop, "a value bound to one loop was touched from another")
        loop.preconditionInLoop()
        return storage
    }
}
