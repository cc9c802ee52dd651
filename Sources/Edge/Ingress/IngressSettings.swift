package import Model

/// How a lane's ingress behaves.
package struct IngressSettings: Sendable {
    /// What clients may ask of it.
    package var limits: IngressLimits
    /// Whether every answer carries `Martlet-Outcome`, as under `martlet dev`, or only those that went wrong.
    package var showsEveryOutcome: Bool
    /// Where the server stands; nil if requests are not to be marked with what is known of their clients.
    package var location: EdgeLocation?
    package var http2: HTTP2Limits
    /// Those who begin each connection with the PROXY protocol.
    package var proxies: [AddressRange]
    /// Takes connections whose next request is for another process; nil if there is none. The socket belongs to it
    /// then.
    package var handBack: (@Sendable (PassedSocket, Listener) -> Void)?

    package init(
        limits: IngressLimits = IngressLimits(), showsEveryOutcome: Bool = false, location: EdgeLocation? = nil,
        http2: HTTP2Limits = HTTP2Limits(), proxies: [AddressRange] = []
    ) {
        self.limits = limits
        self.showsEveryOutcome = showsEveryOutcome
        self.location = location
        self.http2 = http2
        self.proxies = proxies
    }
}

/// The times among the limits, in the loop's nanoseconds.
struct IngressTimes {
    let header: UInt64
    let idle: UInt64
    let writeStall: UInt64
    let body: UInt64
    /// What one byte of a body is worth.
    let bodyByte: UInt64
    let linger: UInt64
    /// Deadlines are looked at no more often than this.
    let sweep: UInt64

    private static let slowestSweep: UInt64 = 1_000_000_000

    init(_ limits: IngressLimits) {
        func nanoseconds(_ milliseconds: Int) -> UInt64 { UInt64(max(0, milliseconds)) * 1_000_000 }
        header = nanoseconds(limits.headerMilliseconds)
        idle = nanoseconds(limits.idleMilliseconds)
        writeStall = nanoseconds(limits.writeStallMilliseconds)
        body = nanoseconds(limits.bodyMilliseconds)
        bodyByte = 1_000_000_000 / UInt64(max(1, limits.bodyBytesPerSecond))
        linger = nanoseconds(limits.lingerMilliseconds)
        // One tenth late at most, for times that somebody has set very short.
        sweep = min(Self.slowestSweep, min(min(header, idle), min(writeStall, body), linger) / 10)
    }
}
