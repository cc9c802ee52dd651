/// The connection under a WebSocket: a client's, or one to an origin. Bound to the lane.
protocol SocketTransport: AnyObject {
    /// What takes its bytes. Each keeps the other alive until one of them ends.
    var webSocket: (any SocketEnd)? { get set }
    /// As that of `BodySource`.
    func readSocket(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress
    /// Sends bytes (copied).
    func writeSocket(_ bytes: UnsafeRawBufferPointer) -> SocketRoom
    /// All is written: closes the connection.
    func endSocket()
}

enum SocketRoom {
    case room
    /// The bytes were taken; wait before the next.
    case full
    /// The bytes were not taken: the isolate has no memory left.
    case refused
}

/// What takes a transport's bytes, and is told how it fares.
protocol SocketEnd: AnyObject {
    var id: Int { get }
    /// Whether anything may come of it.
    var isStarted: Bool { get }
    /// There is more to read.
    func read()
    /// There is room again.
    func becameWritable()
    /// The connection is gone.
    func lost()
    /// Its request is over.
    func release()
}
