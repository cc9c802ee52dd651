internal import Foundation
internal import GRDB
package import Model

/// The certificates of zones. Their keys lie here as they came, and are opened for whoever signs with them.
extension EdgeStore: CertificateSource {
    package func certificateMark() throws -> String {
        try read { db in
            let generation = try Self.generation(db)
            let row = try Row.fetchOne(
                db, sql: "SELECT count(*), max(revision) FROM records WHERE generation = ? AND kind = ?",
                arguments: [generation, Int(FeedKey.Kind.certificate.rawValue)])
            return "\(generation) \(row?[0] as Int64? ?? 0) \(row?[1] as Int64? ?? 0)"
        }
    }

    package func keyedCertificates() throws -> [KeyedCertificate] {
        let rows = try read { db in
            try Row.fetchAll(
                db, sql: "SELECT account, value FROM records WHERE generation = ? AND kind = ?",
                arguments: [try Self.generation(db), Int(FeedKey.Kind.certificate.rawValue)])
        }
        let known = try rows.map { row -> (account: String, fed: FedCertificate) in
            let bytes: Data = row["value"]
            return (row["account"], try JSONText.value(FedCertificate.self, of: String(decoding: bytes, as: UTF8.self)))
        }
        let sorted = known.sorted { left, right in
            let (one, other) = (left.fed.certificate, right.fed.certificate)
            return (other.modifiedOn, one.id) < (one.modifiedOn, other.id)
        }
        return try sorted.map { account, fed in
            let id = fed.certificate.id
            guard let box = secretBox(generation: fed.generation, account: account) else {
                throw StoreError(.unusable, "the key of certificate \(id) has not come to this location")
            }
            return KeyedCertificate(
                id: id, chain: fed.certificate.chain,
                key: try box.open(fed.sealedKey, context: FedCertificate.context(id)))
        }
    }
}
