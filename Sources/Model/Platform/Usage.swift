/// What one script used in one hour.
package struct Usage: Sendable, Equatable, Codable {
    package var script: ScriptKey
    /// Hours since 1970, UTC.
    package var hour: Int64
    package var amounts: UsageAmounts

    package init(script: ScriptKey, hour: Int64, amounts: UsageAmounts) {
        self.script = script
        self.hour = hour
        self.amounts = amounts
    }

    /// The hour that a point in time lies in.
    package static func hour(of time: Timestamp) -> Int64 { time.seconds / 3_600 }
}

/// Counters that are billed or shown. They add up.
package struct UsageAmounts: Sendable, Equatable, Codable {
    package var requests: Int64 = 0
    package var errors: Int64 = 0
    /// All of the tenant's code, start-up included; waiting is not in it.
    package var cpuMicroseconds: Int64 = 0
    package var wallMicroseconds: Int64 = 0
    /// Tenths of a second that requests began, each request's rounded up: what a plan bills that goes by wall time.
    package var wallTenths: Int64 = 0
    package var subrequests: Int64 = 0
    /// Bytes of bodies.
    package var bytesIn: Int64 = 0
    package var bytesOut: Int64 = 0
    /// Operations on KV.
    package var reads: Int64 = 0
    package var writes: Int64 = 0
    /// Memory of its isolates by time, in KiB times seconds.
    package var memoryKilobyteSeconds: Int64 = 0

    package init() {}

    package var isZero: Bool { self == UsageAmounts() }

    package static func + (left: UsageAmounts, right: UsageAmounts) -> UsageAmounts {
        left.combined(with: right, by: +)
    }
    package static func - (left: UsageAmounts, right: UsageAmounts) -> UsageAmounts {
        left.combined(with: right, by: -)
    }

    private func combined(with other: UsageAmounts, by operation: (Int64, Int64) -> Int64) -> UsageAmounts {
        var result = UsageAmounts()
        result.requests = operation(requests, other.requests)
        result.errors = operation(errors, other.errors)
        result.cpuMicroseconds = operation(cpuMicroseconds, other.cpuMicroseconds)
        result.wallMicroseconds = operation(wallMicroseconds, other.wallMicroseconds)
        result.wallTenths = operation(wallTenths, other.wallTenths)
        result.subrequests = operation(subrequests, other.subrequests)
        result.bytesIn = operation(bytesIn, other.bytesIn)
        result.bytesOut = operation(bytesOut, other.bytesOut)
        result.reads = operation(reads, other.reads)
        result.writes = operation(writes, other.writes)
        result.memoryKilobyteSeconds = operation(memoryKilobyteSeconds, other.memoryKilobyteSeconds)
        return result
    }
}
