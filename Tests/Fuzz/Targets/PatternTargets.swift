import Model

enum PatternTargets {
    @Sendable static func cron(_ bytes: [UInt8]) {
        guard let expression = try? CronExpression(String(decoding: bytes, as: UTF8.self)) else { return }
        // February 28, 2028 and a year on, in steps that meet all minutes, hours and days of the week.
        for step in 0..<64 {
            _ = expression.isDue(at: Timestamp(milliseconds: 1_835_395_200_000 + Int64(step) * 501_180_000))
        }
    }

    /// A pattern, another, and a URL in three lines.
    @Sendable static func routes(_ bytes: [UInt8]) {
        var input = Input(bytes)
        guard let pattern = try? RoutePattern(input.text()) else { return }
        let other = try? RoutePattern(input.text())
        _ = pattern.matches(scheme: "https", host: input.text(), target: input.text())
        guard let other else { return }
        require(!(pattern.isMoreSpecific(than: other) && other.isMoreSpecific(than: pattern)), "no order")
    }
}
