internal import GRDB

/// The tables, step by step. A step that was released never changes.
enum Migrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: first) }
        migrator.registerMigration("2") { db in try db.execute(sql: second) }
        migrator.registerMigration("assets") { db in try db.execute(sql: assets) }
        migrator.registerMigration("zone origins") { db in
            try db.execute(sql: "ALTER TABLE zones ADD COLUMN trusted INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("quotas") { db in try db.execute(sql: quotas) }
        migrator.registerMigration("code sizes") { db in try db.execute(sql: codeSizes) }
        migrator.registerMigration("asset sets") { db in try db.execute(sql: assetSets) }
        migrator.registerMigration("cordons") { db in
            for table in ["accounts", "scripts"] { try db.execute(sql: "ALTER TABLE \(table) ADD COLUMN cordon TEXT") }
        }
        migrator.registerMigration("feed") { db in try db.execute(sql: feed) }
        migrator.registerMigration("exhausted accounts") { db in
            try db.execute(sql: "ALTER TABLE accounts ADD COLUMN exhausted_on INTEGER")
        }
        migrator.registerMigration("certificates") { db in try db.execute(sql: certificates) }
        return migrator
    }

    private static let first = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
        """
        + accounts + scripts + zones + kv + """
            INSERT INTO meta (name, value) VALUES ('revision', 0);
            CREATE TABLE changes (
                revision INTEGER NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL
            ) STRICT;
            CREATE INDEX changes_by_revision ON changes (revision);
            CREATE TABLE usage_batches (id TEXT PRIMARY KEY, created_on INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            CREATE TABLE usage (
                account TEXT NOT NULL, hour INTEGER NOT NULL, script TEXT NOT NULL,
                requests INTEGER NOT NULL, errors INTEGER NOT NULL, cpu_us INTEGER NOT NULL, wall_us INTEGER NOT NULL,
                subrequests INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
                PRIMARY KEY (account, hour, script)
            ) STRICT, WITHOUT ROWID;
            """

    private static let second = """
        ALTER TABLE usage ADD COLUMN wall_tenths INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE usage ADD COLUMN reads INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE usage ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE usage ADD COLUMN memory_kb_s INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX usage_batches_by_time ON usage_batches (created_on);
        CREATE TABLE schedule_runs (
            account TEXT NOT NULL, script TEXT NOT NULL, cron TEXT NOT NULL, due INTEGER NOT NULL, outcome TEXT,
            PRIMARY KEY (account, script, cron, due),
            FOREIGN KEY (account, script, cron) REFERENCES schedules ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        """

    private static let quotas = """
        ALTER TABLE accounts ADD COLUMN limits TEXT;
        ALTER TABLE versions ADD COLUMN code_bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE kv_namespaces ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
        UPDATE kv_namespaces SET bytes = (
            SELECT coalesce(sum(\(size("kv_entries"))), 0) FROM kv_entries WHERE namespace = kv_namespaces.id);
        CREATE TRIGGER kv_entry_added AFTER INSERT ON kv_entries BEGIN
            UPDATE kv_namespaces SET bytes = bytes + \(size("new")) WHERE id = new.namespace;
        END;
        CREATE TRIGGER kv_entry_changed AFTER UPDATE ON kv_entries BEGIN
            UPDATE kv_namespaces SET bytes = bytes + \(size("new")) - (\(size("old"))) WHERE id = new.namespace;
        END;
        CREATE TRIGGER kv_entry_removed AFTER DELETE ON kv_entries BEGIN
            UPDATE kv_namespaces SET bytes = bytes - (\(size("old"))) WHERE id = old.namespace;
        END;
        """

    /// Of versions that are older than "quotas".
    private static let codeSizes = """
        UPDATE versions SET code_bytes = (
            SELECT coalesce(sum(json_extract(module.value, '$.size')), 0)
            FROM json_each(CAST(versions.record AS TEXT), '$.modules') AS module)
        WHERE code_bytes = 0
        """

    /// A set lists each file with two hashes: about 200 bytes each in those that are there already.
    private static let assetSets = """
        CREATE TABLE asset_sets (blob TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO asset_sets SELECT set_blob, count(*) * 200 FROM asset_set_blobs GROUP BY set_blob;
        """

    private static let feed = """
        CREATE TABLE feed (
            kind INTEGER NOT NULL, id BLOB NOT NULL, account TEXT NOT NULL, revision INTEGER NOT NULL, hash BLOB,
            blob TEXT, removed INTEGER NOT NULL, changed_on INTEGER NOT NULL, PRIMARY KEY (kind, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX feed_by_revision ON feed (revision);
        CREATE INDEX feed_by_blob ON feed (blob) WHERE blob IS NOT NULL;
        CREATE TABLE feed_digests (account TEXT PRIMARY KEY, digest BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE feed_heads (revision INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT;
        CREATE TABLE locations (
            id TEXT PRIMARY KEY, key BLOB NOT NULL, accounts TEXT, hash BLOB NOT NULL UNIQUE,
            created_on INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE location_usage (location TEXT PRIMARY KEY, batch INTEGER NOT NULL) STRICT;
        """

    private static let certificates = """
        CREATE TABLE certificates (
            id TEXT PRIMARY KEY, zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE, record TEXT NOT NULL,
            sealed BLOB NOT NULL, modified_on INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX certificates_by_zone ON certificates (zone);
        """

    /// Bytes of an entry of KV.
    private static func size(_ row: String) -> String {
        "length(\(row).key) + length(\(row).value) + length(CAST(coalesce(\(row).metadata, '') AS BLOB))"
    }

    private static let assets = """
        CREATE TABLE asset_uploads (
            account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, hash TEXT NOT NULL, blob TEXT NOT NULL,
            size INTEGER NOT NULL, type TEXT, used_on INTEGER NOT NULL, PRIMARY KEY (account, hash)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX asset_uploads_by_blob ON asset_uploads (blob);
        CREATE INDEX asset_uploads_by_time ON asset_uploads (used_on);
        CREATE TABLE asset_sessions (
            id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, script TEXT NOT NULL,
            manifest BLOB NOT NULL, created_on INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE asset_set_blobs (
            set_blob TEXT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (set_blob, blob)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX asset_set_blobs_by_blob ON asset_set_blobs (blob);
        """

    private static let accounts = """
        CREATE TABLE accounts (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, created_on INTEGER NOT NULL, suspended INTEGER NOT NULL,
            subdomain TEXT UNIQUE
        ) STRICT;
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY, account TEXT REFERENCES accounts ON DELETE CASCADE, name TEXT NOT NULL,
            scope TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, created_on INTEGER NOT NULL
        ) STRICT;
        """

    private static let scripts = """
        CREATE TABLE scripts (
            account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, name TEXT NOT NULL, tag TEXT NOT NULL,
            created_on INTEGER NOT NULL, modified_on INTEGER NOT NULL, on_subdomain INTEGER NOT NULL,
            previews INTEGER NOT NULL, settings TEXT NOT NULL, latest_version TEXT, latest_number INTEGER NOT NULL,
            deployment TEXT, PRIMARY KEY (account, name)
        ) STRICT;
        CREATE TABLE versions (
            id TEXT PRIMARY KEY, account TEXT NOT NULL, script TEXT NOT NULL, number INTEGER NOT NULL,
            record BLOB NOT NULL, checksum INTEGER NOT NULL,
            FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE, UNIQUE (account, script, number)
        ) STRICT;
        CREATE TABLE version_blobs (
            version TEXT NOT NULL REFERENCES versions ON DELETE CASCADE, hash TEXT NOT NULL,
            PRIMARY KEY (version, hash)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX version_blobs_by_hash ON version_blobs (hash);
        CREATE TABLE secrets (
            version TEXT NOT NULL REFERENCES versions ON DELETE CASCADE, name TEXT NOT NULL, sealed BLOB NOT NULL,
            PRIMARY KEY (version, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE deployments (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
            script TEXT NOT NULL, created_on INTEGER NOT NULL, source TEXT NOT NULL, author TEXT NOT NULL,
            annotations TEXT NOT NULL, FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
        ) STRICT;
        CREATE INDEX deployments_by_script ON deployments (account, script);
        CREATE TABLE shares (
            deployment TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE, position INTEGER NOT NULL,
            version TEXT NOT NULL, percentage REAL NOT NULL, PRIMARY KEY (deployment, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE schedules (
            account TEXT NOT NULL, script TEXT NOT NULL, cron TEXT NOT NULL, created_on INTEGER NOT NULL,
            modified_on INTEGER NOT NULL, PRIMARY KEY (account, script, cron),
            FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        """

    private static let zones = """
        CREATE TABLE zones (
            id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
            name TEXT NOT NULL UNIQUE, origin TEXT, created_on INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE allowed_zones (
            account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, name TEXT NOT NULL,
            PRIMARY KEY (account, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE routes (
            id TEXT PRIMARY KEY, zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE, account TEXT NOT NULL,
            pattern TEXT NOT NULL, script TEXT, UNIQUE (zone, pattern)
        ) STRICT;
        CREATE INDEX routes_by_script ON routes (account, script);
        CREATE TABLE domains (
            id TEXT PRIMARY KEY, account TEXT NOT NULL, script TEXT NOT NULL,
            zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE, hostname TEXT NOT NULL UNIQUE,
            FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
        ) STRICT;
        """

    private static let kv = """
        CREATE TABLE kv_namespaces (
            id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, title TEXT NOT NULL,
            UNIQUE (account, title)
        ) STRICT;
        CREATE TABLE kv_entries (
            namespace TEXT NOT NULL REFERENCES kv_namespaces ON DELETE CASCADE, key BLOB NOT NULL, value BLOB NOT NULL,
            metadata TEXT, expiration INTEGER, checksum INTEGER NOT NULL, PRIMARY KEY (namespace, key)
        ) STRICT;
        CREATE INDEX kv_entries_by_expiration ON kv_entries (expiration) WHERE expiration IS NOT NULL;
        """
}
