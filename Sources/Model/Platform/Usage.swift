/// What one script used in one hour.
package struct Usage: Sendable, Equatable {
    package var script: ScriptKey
    /// Hours since 1970, UTC.
    package var hour: Int64
    package var amounts: UsageAmounts

    package init(script: ScriptKey, hour: Int64, amounts: UsageAmounts) {
        self.script = script
        self.hour = hour
        self.amounts = amounts
    }
}

/// Counters that are billed or shown. They add up.
package struct UsageAmounts: Sendable, Equatable {
    package var requests: Int64 = 0
    package var errors: Int64 = 0
    package var cpuMicroseconds: Int64 = 0
    package var wallMicroseconds: Int64 = 0
    package var subrequests: Int64 = 0
    package var bytesIn: Int64 = 0
    package var bytesOut: Int64 = 0

    package init() {}
}
