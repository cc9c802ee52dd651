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

/// How a WebSocket ends when its server does.
enum GoingAway {
    /// RFC 6455, section 7.4.1.
    static let code = 1001
    static let reason = "The server is shutting down."
    /// How long (ns) the other side may take to answer the close frame: nobody waits for it when a process ends.
    static let time: UInt64 = 5_000_000_000
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
    /// The server is about to end: closes the WebSocket soon.
    func goAway()
    /// The connection is gone.
    func lost()
    /// Its request is over.
    func release()
}
