/// How long and how much the egress bears from an origin.
package struct EgressLimits: Sendable, Equatable {
    // MARK: Times

    /// For a name to be looked up, in milliseconds.
    package var lookupMilliseconds = 5_000
    /// For a connection to be there, TLS included, in milliseconds; each of a name's addresses gets as long.
    /// `--connect-timeout-ms`.
    package var connectMilliseconds = 10_000
    /// How long an origin may be silent while something is expected of it, in milliseconds. `--origin-timeout-ms`.
    package var idleMilliseconds = 100_000
    /// How long a connection that is not used is kept, in milliseconds.
    package var keepAliveMilliseconds = 60_000
    /// How long a name's addresses are believed, in milliseconds. Every use of them is checked all the same.
    package var nameMilliseconds = 10_000

    // MARK: Sizes

    /// Bytes of all header lines of an answer together.
    package var headerBytes = 128 << 10
    /// Bytes of an answer's body that may be on their way to the worker, which has not used them up.
    package var windowBytes = 256 << 10
    /// The same when the process has no room for more, see `heldBytes`.
    package var leastWindowBytes = 16 << 10
    /// Bytes of bodies, in both directions, that the whole process has on their way. `--egress-memory-mb`.
    package var heldBytes = 512 << 20
    /// Requests under way in the whole process.
    package var exchanges = 10_000
    /// Subrequests of one account in a second, whichever processes its Workers are in. `--account-egress-rate`.
    package var accountRequestsPerSecond = 5_000
    /// Bytes of bodies of one account in a second, there and back. `--account-egress-mb`.
    package var accountBytesPerSecond = 256 << 20
    /// Addresses of one name that are tried.
    package var addressesTried = 4

    package init() {}
}
