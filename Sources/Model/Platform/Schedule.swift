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
package struct ScheduleRun: Sendable, Equatable {
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
