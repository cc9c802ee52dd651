/// When a script's `scheduled` handler is called.
package struct Schedule: Sendable, Equatable, Codable {
    package var cron: String
    package let createdOn: Timestamp
    package var modifiedOn: Timestamp
    /// The last time that it was run for, and how that ended; the outcome is nil while it runs.
    package var lastRun: Run?

    package struct Run: Sendable, Equatable, Codable {
        package var due: Timestamp
        package var outcome: String?

        package init(due: Timestamp, outcome: String?) {
            self.due = due
            self.outcome = outcome
        }
    }

    package init(cron: String, createdOn: Timestamp = .now, modifiedOn: Timestamp = .now, lastRun: Run? = nil) {
        self.lastRun = lastRun
        self.cron = cron
        self.createdOn = createdOn
        self.modifiedOn = modifiedOn
    }
}

/// One call of a script's `scheduled` handler.
package struct ScheduleRun: Sendable, Equatable, Codable {
    package var script: ScriptKey
    package var cron: String
    /// The time that it is for, in seconds since 1970.
    package var due: Int64

    package init(script: ScriptKey, cron: String, due: Int64) {
        self.script = script
        self.cron = cron
        self.due = due
    }
}

/// One that is over.
package struct EndedRun: Sendable, Equatable, Codable {
    package var run: ScheduleRun
    package var outcome: Outcome

    package init(run: ScheduleRun, outcome: Outcome) {
        self.run = run
        self.outcome = outcome
    }
}

/// What a location knows of the minutes of schedules. It is kept over restarts.
package struct DeputyState: Sendable, Equatable {
    /// It runs them when the control node is not heard of.
    package var isDeputy: Bool
    /// The latest minute that the control node has said to be its own.
    package var told: Int64
    /// The latest minute that the location has run.
    package var ran: Int64

    package init(isDeputy: Bool, told: Int64, ran: Int64) {
        self.isDeputy = isDeputy
        self.told = told
        self.ran = ran
    }
}
