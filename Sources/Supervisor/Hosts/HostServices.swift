package import Model

/// What hosts need of the world, and have by the supervisor only.
package struct HostServices: Sendable {
    package var egress: any Egress
    package let rates: EgressRates
    package var cache: (any CacheStore)?
    /// Other hosts' Workers; nil where there are none to be called.
    package var callees: (any ServiceCaller)?
    /// Nil where there is no platform.
    package var store: (any HostedStore)?
    package var traces: (any TraceSink)?
    /// Nil if nothing is encrypted.
    package var certificates: (any CertificateKeeper)?
    package var events: any EventSink
    /// What hosts have counted.
    package let counts = CountBook()
    /// Which of them wait for the disk.
    package var threads: CallThreads

    /// Threads that wait for the disk, for all hosts together.
    private static let threadCount = 4

    package init(
        egress: any Egress, limits: EgressLimits, cache: (any CacheStore)?, store: (any HostedStore)? = nil,
        traces: (any TraceSink)? = nil, certificates: (any CertificateKeeper)? = nil, events: any EventSink
    ) {
        self.egress = egress
        rates = EgressRates(limits)
        self.cache = cache
        self.store = store
        self.traces = traces
        self.certificates = certificates
        self.events = events
        threads = CallThreads(Self.threadCount)
    }
}
