internal import GRDB
package import Model

extension SQLiteStore: UsageStore {
    package func add(_ readings: [Usage], batch: String) throws {
        try count { db, revision in
            let isNew = try Bool.fetchOne(
                db, sql: "SELECT NOT EXISTS (SELECT 1 FROM usage_batches WHERE id = ?)", arguments: [batch])
            guard isNew == true else { return false }
            try db.execute(
                sql: "INSERT INTO usage_batches (id, created_on) VALUES (?, ?)",
                arguments: [batch, Timestamp.now.milliseconds])
            try db.execute(
                sql: "DELETE FROM usage_batches WHERE created_on < ?",
                arguments: [Timestamp.now.milliseconds - Self.batchMemory])
            return try Self.add(readings, db, revision)
        }
    }

    package func addUsage(_ readings: [Usage], of location: String, batch: Int64) throws {
        try count { db, revision in
            let last = try Int64.fetchOne(
                db, sql: "SELECT batch FROM location_usage WHERE location = ?", arguments: [location])
            guard batch > last ?? 0 else { return false }
            try db.execute(
                sql: """
                    INSERT INTO location_usage (location, batch) VALUES (?, ?)
                    ON CONFLICT DO UPDATE SET batch = excluded.batch
                    """, arguments: [location, batch])
            return try Self.add(readings, db, revision)
        }
    }

    /// - Returns: whether an account has used up what it may have, or has not any more.
    private static func add(_ readings: [Usage], _ db: Database, _ revision: Int64) throws -> Bool {
        for usage in readings { try add(usage, db) }
        return try Set(readings.map(\.script.account)).reduce(false) { try judge($1, db, revision) || $0 }
    }

    /// How long a batch's name is kept, in milliseconds: whoever tries one again does so within seconds.
    private static let batchMemory: Int64 = 86_400_000

    private static func add(_ usage: Usage, _ db: Database) throws {
        let amounts = usage.amounts
        try db.execute(
            sql: """
                INSERT INTO usage (account, hour, script, requests, errors, cpu_us, wall_us, subrequests, bytes_in,
                    bytes_out, wall_tenths, reads, writes, memory_kb_s)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, errors = errors + excluded.errors,
                    cpu_us = cpu_us + excluded.cpu_us, wall_us = wall_us + excluded.wall_us,
                    subrequests = subrequests + excluded.subrequests, bytes_in = bytes_in + excluded.bytes_in,
                    bytes_out = bytes_out + excluded.bytes_out,
                    wall_tenths = wall_tenths + excluded.wall_tenths, reads = reads + excluded.reads,
                    writes = writes + excluded.writes, memory_kb_s = memory_kb_s + excluded.memory_kb_s
                """,
            arguments: [
                usage.script.account, usage.hour, usage.script.name, amounts.requests, amounts.errors,
                amounts.cpuMicroseconds, amounts.wallMicroseconds, amounts.subrequests, amounts.bytesIn,
                amounts.bytesOut, amounts.wallTenths, amounts.reads, amounts.writes, amounts.memoryKilobyteSeconds,
            ])
    }

    package func usage(of account: String, hours: Range<Int64>) throws -> [Usage] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM usage WHERE account = ? AND hour >= ? AND hour < ? ORDER BY hour, script",
                arguments: [account, hours.lowerBound, hours.upperBound]
            ).map { row in
                var amounts = UsageAmounts()
                amounts.requests = row["requests"]
                amounts.errors = row["errors"]
                amounts.cpuMicroseconds = row["cpu_us"]
                amounts.wallMicroseconds = row["wall_us"]
                amounts.subrequests = row["subrequests"]
                amounts.bytesIn = row["bytes_in"]
                amounts.bytesOut = row["bytes_out"]
                amounts.wallTenths = row["wall_tenths"]
                amounts.reads = row["reads"]
                amounts.writes = row["writes"]
                amounts.memoryKilobyteSeconds = row["memory_kb_s"]
                return Usage(
                    script: ScriptKey(account: account, name: row["script"]), hour: row["hour"], amounts: amounts)
            }
        }
    }
}
