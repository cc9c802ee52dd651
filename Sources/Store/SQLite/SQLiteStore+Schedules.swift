internal import GRDB
package import Model

extension SQLiteStore: ScheduleStore {
    package func schedules(of key: ScriptKey) throws -> [Schedule] {
        try read { db in
            _ = try Self.require(key, db)
            return try Self.schedules(of: key, db)
        }
    }

    private static func schedules(of key: ScriptKey, _ db: Database) throws -> [Schedule] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT cron, created_on, modified_on, max(due) AS due, outcome FROM schedules
                LEFT JOIN schedule_runs USING (account, script, cron)
                WHERE account = ? AND script = ? GROUP BY cron ORDER BY cron
                """,
            arguments: [key.account, key.name]
        ).map { row in
            let due: Int64? = row["due"]
            return Schedule(
                cron: row["cron"], createdOn: Timestamp(milliseconds: row["created_on"]),
                modifiedOn: Timestamp(milliseconds: row["modified_on"]),
                lastRun: due.map { Schedule.Run(due: Timestamp(milliseconds: $0 * 1_000), outcome: row["outcome"]) })
        }
    }

    package func replaceSchedules(of key: ScriptKey, with crons: [String]) throws -> [Schedule] {
        try write { db, revision in
            _ = try Self.require(key, db)
            try Self.noteFed(FeedKey(.script, key.description), db, revision)
            let old = try Self.schedules(of: key, db).map(\.cron)
            let now = Timestamp.now.milliseconds
            for cron in old where !crons.contains(cron) {
                try db.execute(
                    sql: "DELETE FROM schedules WHERE account = ? AND script = ? AND cron = ?",
                    arguments: [key.account, key.name, cron])
            }
            for cron in crons {
                try db.execute(
                    sql: """
                        INSERT INTO schedules (account, script, cron, created_on, modified_on) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET modified_on = excluded.modified_on
                        """, arguments: [key.account, key.name, cron, now, now])
            }
            return try Self.schedules(of: key, db)
        }
    }

    // MARK: Runs

    /// How long it is remembered that a schedule was run, in seconds.
    private static let runMemory: Int64 = 7 * 86_400

    package func claim(at seconds: Int64, isDue: (_ cron: String) -> Bool) throws -> [ScheduleRun] {
        let due = try read { db in
            try Row.fetchAll(db, sql: "SELECT account, script, cron FROM schedules").map { row in
                ScheduleRun(
                    script: ScriptKey(account: row["account"], name: row["script"]), cron: row["cron"], due: seconds)
            }
        }.filter { isDue($0.cron) }
        guard !due.isEmpty else { return [] }
        return try write { db, _ in
            try db.execute(sql: "DELETE FROM schedule_runs WHERE due < ?", arguments: [seconds - Self.runMemory])
            // One that was deleted meanwhile is not there to be run.
            return try due.filter { try Self.claim($0, db) }
        }
    }

    package func ended(_ run: ScheduleRun, _ outcome: Outcome) throws {
        try write { db, _ in try Self.end(run, outcome, db) }
    }

    private static func end(_ run: ScheduleRun, _ outcome: Outcome, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE schedule_runs SET outcome = ? WHERE account = ? AND script = ? AND cron = ? AND due = ?",
            arguments: [outcome.rawValue, run.script.account, run.script.name, run.cron, run.due])
    }

    // MARK: Elsewhere

    package func add(_ runs: [EndedRun]) throws {
        try write { db, _ in
            for ended in runs {
                _ = try Self.claim(ended.run, db)
                try Self.end(ended.run, ended.outcome, db)
            }
        }
    }

    /// False if it was there already, or its schedule is not there any more.
    private static func claim(_ run: ScheduleRun, _ db: Database) throws -> Bool {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO schedule_runs (account, script, cron, due)
                SELECT account, script, cron, ? FROM schedules WHERE account = ? AND script = ? AND cron = ?
                """, arguments: [run.due, run.script.account, run.script.name, run.cron])
        return db.changesCount == 1
    }

    package func deputy() throws -> String? { try read { db in try Self.meta("deputy", db) } }

    package func setDeputy(_ location: String) throws {
        try write { db, _ in try Self.setMeta("deputy", location, db) }
    }
}
