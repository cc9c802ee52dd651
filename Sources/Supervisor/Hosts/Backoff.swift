/// When a host is started anew that did not live long.
package enum Backoff {
    /// A life shorter than this counts, from the time that the host served.
    static let shortLife = Duration.milliseconds(500)
    /// So many short lives in a row are borne without a pause.
    static let patience = 3
    /// In seconds.
    static let first = 0.1
    package static let longest = 5.0

    /// In seconds.
    package static func pause(afterStreak streak: Int) -> Double {
        guard streak > patience else { return 0 }
        return min(longest, first * Double(1 << min(streak - patience - 1, 10)))
    }
}
