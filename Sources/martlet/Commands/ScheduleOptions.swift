import ArgumentParser
import Model

/// Flags for schedules, shared by the commands.
struct ScheduleOptions: ParsableArguments {
    /// How many times as fast minutes pass: for tests.
    @Option(name: .customLong("schedule-scale"), help: .hidden)
    var scale = 1

    var clock: ScheduleClock { ScheduleClock(scale: scale) }

    func validate() throws {
        guard (1...60).contains(scale) else { throw ValidationError("--schedule-scale takes 1 to 60, not \(scale).") }
    }
}
