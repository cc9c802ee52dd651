/// What a client may ask of the ingress. Each breach has its answer, after which the connection is closed.
package struct IngressLimits: Sendable, Equatable, Codable {
    // MARK: Sizes

    /// Bytes of a request's target; 414. `--url-kb`.
    package var urlBytes = 16 << 10
    /// Bytes of all header lines together; 431. `--header-kb`.
    package var headerBytes = 128 << 10
    /// Header lines; 431. `--header-fields`.
    package var headerFields = 100
    /// Bytes of a request's body, chunked or not; 413. `--body-mb`.
    package var bodyBytes = 100 << 20
    /// Bytes of all chunk extensions of one body together; 400. Nobody uses them but to waste our time.
    package var chunkExtensionBytes = 4 << 10
    /// Bytes of the trailer section after a chunked body; 431.
    package var trailerBytes = 8 << 10
    /// Bytes of a body that nobody wants which are still read, so that the connection can be used again.
    package var discardedBytes = 256 << 10

    // MARK: Times

    /// From a request's first byte, or from a connection's beginning, until its header is there, in milliseconds; 408.
    /// `--header-timeout-ms`.
    package var headerMilliseconds = 10_000
    /// From an answer to the next request's first byte, in milliseconds. `--idle-timeout-ms`.
    package var idleMilliseconds = 75_000
    /// How long a client may take nothing of an answer that waits for it, in milliseconds. `--write-stall-ms`.
    package var writeStallMilliseconds = 30_000
    /// How far a body may lag behind `bodyBytesPerSecond`, in milliseconds; 408. Time in which the worker does not read
    /// does not count. `--body-timeout-ms`.
    package var bodyMilliseconds = 20_000
    /// The least rate at which a body has to arrive. `--body-rate`.
    package var bodyBytesPerSecond = 500
    /// How long a connection that was refused something is kept, so that its client can read why, in milliseconds.
    package var lingerMilliseconds = 2_000
    /// How long a drain lets requests finish, in milliseconds. `--drain-ms`.
    package var drainMilliseconds = 30_000

    // MARK: Connections

    /// Connections of one listener; the next is told 503 and closed. `--connections`.
    package var connections = 16_000
    /// Connections from one IPv4 address or one IPv6 network of 64 bits; the next is told 429 and closed.
    /// `--connections-per-address`.
    package var connectionsPerAddress = 1_000
    /// Loopback addresses have no limit of their own: that is where a reverse proxy on the same machine sits.
    package var countsLoopback = false
    /// Requests that one connection may have answered in one turn of the loop before others get theirs.
    package var requestsPerTurn = 32

    package init() {}
}
