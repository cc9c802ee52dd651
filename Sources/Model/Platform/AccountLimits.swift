/// What an account may have and use; nil is no limit. The operator sets it.
package struct AccountLimits: Sendable, Equatable, Codable {
    package var scripts: Int?
    /// Bytes of the modules of all versions that are kept.
    package var codeBytes: Int?
    /// Bytes of all contents that were uploaded as assets.
    package var assetBytes: Int?
    /// Bytes of keys, values and metadata in KV.
    package var kvBytes: Int?
    /// Requests to Workers on one day, UTC; then error 1027.
    package var requestsPerDay: Int?
    /// CPU time of Workers on one day, UTC, in milliseconds; then error 1027.
    package var cpuMillisecondsPerDay: Int?
    /// Requests in one minute; then error 1015.
    package var requestsPerMinute: Int?

    package init() {}

    /// Whether so much on one day is all that there may be.
    package func areUsedUp(requests: Int64, cpuMicroseconds: Int64) -> Bool {
        requestsPerDay.map { requests >= Int64($0) } ?? false
            || cpuMillisecondsPerDay.map { cpuMicroseconds / 1_000 >= Int64($0) } ?? false
    }

    /// Under the names of the API.
    package static let names: [(name: String, path: any WritableKeyPath<AccountLimits, Int?> & Sendable)] = [
        ("scripts", \.scripts), ("code_bytes", \.codeBytes), ("asset_bytes", \.assetBytes), ("kv_bytes", \.kvBytes),
        ("requests_per_day", \.requestsPerDay), ("cpu_ms_per_day", \.cpuMillisecondsPerDay),
        ("requests_per_minute", \.requestsPerMinute),
    ]
}

/// What an account has stored.
package struct StoredAmounts: Sendable, Equatable {
    package var scripts = 0
    package var codeBytes = 0
    package var assetBytes = 0
    package var kvBytes = 0

    package init() {}
}
