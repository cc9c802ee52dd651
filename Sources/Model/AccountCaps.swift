/// What the Workers of each account may use of one process at a time. They share it with those of other accounts.
package struct AccountCaps: Sendable, Equatable, Codable {
    /// Requests under way, waitUntil included; more are refused with 503. `--account-requests`.
    package var requests = 4_000
    /// Requests that wait for their turn on one lane; more are refused with 503. `--account-queue`.
    package var queued = 4_000
    /// Isolates; for one more an idle one of the account's goes. `--account-isolates`.
    package var isolates = 1_000
    /// Timers; one more is an error where it is set. `--account-timers`.
    package var timers = 100_000
    /// Subrequests that are not over; one more is an error. `--account-subrequests`.
    package var subrequests = 4_000

    package init() {}

    /// Where all Workers are one's own, nobody has to be kept from anybody.
    package static var none: AccountCaps {
        var caps = AccountCaps()
        caps.requests = .max
        caps.queued = .max
        caps.isolates = .max
        caps.timers = .max
        caps.subrequests = .max
        return caps
    }
}
