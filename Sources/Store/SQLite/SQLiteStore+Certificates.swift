internal import Foundation
internal import GRDB
package import Model

extension SQLiteStore: CertificateStorage {
    private static func context(_ id: String) -> String { "certificate \(id)" }

    package func certificates(of zone: String) throws -> [ZoneCertificate] {
        try read { db in
            try String.fetchAll(
                db, sql: "SELECT record FROM certificates WHERE zone = ? ORDER BY rowid", arguments: [zone]
            ).map { try JSONText.value(ZoneCertificate.self, of: $0) }
        }
    }

    package func put(_ certificate: ZoneCertificate, key: String) throws {
        let sealed = Data(try box.seal(Array(key.utf8), context: Self.context(certificate.id)))
        try write { db, revision in
            guard try Self.zone(certificate.zone, db) != nil else {
                throw StoreError(.missing, "there is no zone \(certificate.zone)")
            }
            try db.execute(
                sql: """
                    INSERT INTO certificates (id, zone, record, sealed, modified_on) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET record = excluded.record, sealed = excluded.sealed,
                        modified_on = excluded.modified_on
                    """,
                arguments: [
                    certificate.id, certificate.zone, try JSONText.of(certificate), sealed,
                    certificate.modifiedOn.milliseconds,
                ])
            try Self.noteFed(FeedKey(.certificate, certificate.id), db, revision)
        }
    }

    package func deleteCertificate(_ id: String, in zone: String) throws {
        try write { db, revision in
            try db.execute(sql: "DELETE FROM certificates WHERE id = ? AND zone = ?", arguments: [id, zone])
            guard db.changesCount == 1 else { throw StoreError(.missing, "there is no certificate \(id)") }
            try Self.noteFed(FeedKey(.certificate, id), db, revision)
        }
    }

    /// Notes that they change in the feed: those of a zone, of an account, or all.
    static func noteCertificates(
        ofZone zone: String? = nil, ofAccount account: String? = nil, _ db: Database,
        _ revision: Int64
    ) throws {
        let ids = try String.fetchAll(
            db,
            sql: """
                SELECT certificates.id FROM certificates JOIN zones ON zones.id = zone
                WHERE (?1 IS NULL OR zone = ?1) AND (?2 IS NULL OR account = ?2)
                """, arguments: [zone, account])
        for id in ids { try noteFed(FeedKey(.certificate, id), db, revision) }
    }

    // MARK: For those who serve them

    package func certificateMark() throws -> String {
        try read { db in
            let last = try Int64.fetchOne(
                db, sql: "SELECT max(revision) FROM feed WHERE kind = ?",
                arguments: [Int(FeedKey.Kind.certificate.rawValue)])
            return "\(last ?? 0)"
        }
    }

    package func keyedCertificates() throws -> [KeyedCertificate] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM certificates ORDER BY modified_on DESC, id").map { row in
                let certificate = try JSONText.value(ZoneCertificate.self, of: row["record"])
                return KeyedCertificate(id: certificate.id, chain: certificate.chain, key: try key(row))
            }
        }
    }

    private func key(_ row: Row) throws -> String {
        let sealed: Data = row["sealed"]
        return String(decoding: try box.open(Array(sealed), context: Self.context(row["id"])), as: UTF8.self)
    }

    /// As it travels; nil if there is none.
    func fedCertificate(
        _ id: String, _ secretKey: FeedSecretKey, _ db: Database
    ) throws -> (account: String, FedCertificate)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT certificates.*, account FROM certificates JOIN zones ON zones.id = zone
                WHERE certificates.id = ?
                """, arguments: [id])
        guard let row else { return nil }
        let account: String = row["account"]
        let box = FeedSecretBox(secretKey, account: account)
        return (
            account,
            FedCertificate(
                certificate: try JSONText.value(ZoneCertificate.self, of: row["record"]),
                generation: secretKey.generation,
                sealedKey: try box.seal(try key(row), context: FedCertificate.context(id)))
        )
    }
}

extension FedCertificate {
    static func context(_ id: String) -> String { "certificate/\(id)" }
}
