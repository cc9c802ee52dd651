/// Who runs the schedules of a minute, where several could. Calls may wait.
package protocol ScheduleClaims: Sendable {
    /// Whether this process runs those of a minute. Once it was told so, nobody else that can be reached does.
    /// - Parameter minute: since 1970.
    /// - Returns: nil if that is not certain yet: ask again in a moment.
    func claim(minute: Int64) -> Bool?
}

/// The time that schedules go by.
package struct ScheduleClock: Sendable {
    /// How many times as fast as it should be: tests do not wait for minutes.
    package let scale: Int64

    package init(scale: Int) { self.scale = Int64(scale) }

    /// Who holds the schedules may be silent for so long, in seconds, before another takes them over.
    package var lease: Double { 30 / Double(scale) }

    /// Since 1970.
    package var minute: Int64 { Timestamp.now.milliseconds * scale / 60_000 }

    /// Nanoseconds. A little more: a wait may end early.
    package var untilNextMinute: UInt64 {
        let now = Timestamp.now.milliseconds * scale
        return UInt64((60_000 - now % 60_000) / scale + 1) * 1_000_000
    }

    /// When a minute began.
    package func start(of minute: Int64) -> Timestamp { Timestamp(milliseconds: minute * 60_000 / scale) }
}
