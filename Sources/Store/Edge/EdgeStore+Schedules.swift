internal import Foundation
internal import GRDB
package import Model

/// Schedules that the location runs while the control node is away, and what became of them, until that knows.
extension EdgeStore: ScheduleStore {
    /// How long a run is kept that nobody was told of, in seconds.
    private static let runMemory: Int64 = 7 * 86_400
    /// Runs that are told of at once.
    private static let runsAtOnce = 1_000

    package func claim(at seconds: Int64, isDue: (_ cron: String) -> Bool) throws -> [ScheduleRun] {
        let scripts = try read { db in
            try Data.fetchAll(
                db,
                sql: """
                    SELECT value FROM records WHERE generation = ? AND kind = ? AND value IS NOT NULL
                        AND NOT instr(value, CAST('"crons":[]' AS BLOB))
                    """, arguments: [try Self.generation(db), Int(FeedKey.Kind.script.rawValue)])
        }
        let due = try scripts.flatMap { bytes -> [ScheduleRun] in
            let fed = try EdgeRow.script(Array(bytes))
            return fed.crons.filter(isDue).map { ScheduleRun(script: fed.script.key, cron: $0, due: seconds) }
        }
        guard !due.isEmpty else { return [] }
        return try write { db in
            try db.execute(sql: "DELETE FROM schedule_runs WHERE due < ?", arguments: [seconds - Self.runMemory])
            return try due.filter { run in
                try db.execute(
                    sql: "INSERT OR IGNORE INTO schedule_runs (script, cron, due) VALUES (?, ?, ?)",
                    arguments: [run.script.description, run.cron, run.due])
                return db.changesCount == 1
            }
        }
    }

    package func ended(_ run: ScheduleRun, _ outcome: Outcome) throws {
        try write { db in
            try db.execute(
                sql: "UPDATE schedule_runs SET outcome = ? WHERE script = ? AND cron = ? AND due = ?",
                arguments: [outcome.rawValue, run.script.description, run.cron, run.due])
        }
    }

    package func endedRuns() throws -> [EndedRun] {
        try read { db in
            try db.oftenRows(
                "SELECT * FROM schedule_runs WHERE outcome IS NOT NULL ORDER BY due LIMIT ?", [Self.runsAtOnce]
            ).compactMap { row in
                guard let script = ScriptKey(fed: row["script"]), let outcome = Outcome(rawValue: row["outcome"])
                else { return nil }
                return EndedRun(run: ScheduleRun(script: script, cron: row["cron"], due: row["due"]), outcome: outcome)
            }
        }
    }

    package func areKnown(_ runs: [EndedRun]) throws {
        try write { db in
            for ended in runs {
                try db.execute(
                    sql: "DELETE FROM schedule_runs WHERE script = ? AND cron = ? AND due = ?",
                    arguments: [ended.run.script.description, ended.run.cron, ended.run.due])
            }
        }
    }

    // MARK: Whose minutes they are

    package func deputyState() throws -> DeputyState {
        try read { db in
            DeputyState(
                isDeputy: try SQLiteStore.meta("deputy", db) ?? false,
                told: try SQLiteStore.meta("minute told", db) ?? 0,
                ran: try SQLiteStore.meta("minute run", db) ?? 0)
        }
    }

    package func set(_ state: DeputyState) throws {
        try write { db in
            try SQLiteStore.setMeta("deputy", state.isDeputy, db)
            try SQLiteStore.setMeta("minute told", state.told, db)
            try SQLiteStore.setMeta("minute run", state.ran, db)
        }
    }
}
