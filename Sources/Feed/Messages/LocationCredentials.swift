internal import Crypto
internal import Foundation
package import Model

/// What a location needs to join: a file of the one who runs it.
package struct LocationCredentials: Sendable, Codable {
    package var location: String
    /// What it shows to be let in.
    package var token: String
    /// What the installation's signatures are checked with: 64 hexadecimal digits.
    package var installation: String
    /// Its own key for secrets: 64 hexadecimal digits, X25519. Made where the file was, and told to nobody.
    package var privateKey: String
    /// The accounts that it serves; nil for all.
    package var accounts: [String]?

    package init(location: String, token: String, installation: String, privateKey: String, accounts: [String]?) {
        self.location = location
        self.token = token
        self.installation = installation
        self.privateKey = privateKey
        self.accounts = accounts
    }

    /// Reads a file. Throws what is wrong with it.
    package static func read(_ path: String) throws(FeedError) -> LocationCredentials {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FeedError(.refused, "\(path): the credentials cannot be read")
        }
        guard let credentials = try? JSONDecoder().decode(LocationCredentials.self, from: data) else {
            throw FeedError(.refused, "\(path) does not hold credentials, as 'martlet location add' writes them")
        }
        _ = try LocationKey(hexadecimal: credentials.privateKey)
        _ = try FeedVerifier(installation: credentials.installation)
        return credentials
    }

    /// As a file has it.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: (try? encoder.encode(self)) ?? Data(), as: UTF8.self) + "\n"
    }
}

/// A location's own key, to which the keys of secrets are sealed.
package struct LocationKey: Sendable {
    private let key: Curve25519.KeyAgreement.PrivateKey
    private static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
    private static let purpose = Data("martlet secret keys".utf8)

    /// A new one.
    package init() { key = Curve25519.KeyAgreement.PrivateKey() }

    package init(hexadecimal: String) throws(FeedError) {
        guard let bytes = Hexadecimal.bytes(hexadecimal),
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        else { throw FeedError(.refused, "the credentials' private key is not 64 hexadecimal digits") }
        self.key = key
    }

    package var hexadecimal: String { Hexadecimal.text(key.rawRepresentation) }
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// Whether bytes are a public key.
    package static func isPublicKey(_ bytes: [UInt8]) -> Bool {
        (try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)) != nil
    }

    /// - Parameter publicKey: the location's.
    package static func seal(_ keys: [FeedSecretKey], to publicKey: [UInt8]) throws -> [UInt8] {
        let recipient = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: publicKey)
        var sender = try HPKE.Sender(recipientKey: recipient, ciphersuite: suite, info: purpose)
        var writer = FeedWriter()
        writer.data(Array(sender.encapsulatedKey))
        writer.data(Array(try sender.seal(try JSONEncoder().encode(keys))))
        return writer.bytes
    }

    package func open(_ sealed: [UInt8]) throws(FeedError) -> [FeedSecretKey] {
        var reader = FeedReader(sealed)
        let encapsulated = Data(try reader.data())
        let body = Data(try reader.data())
        do {
            var recipient = try HPKE.Recipient(
                privateKey: key, ciphersuite: Self.suite, info: Self.purpose, encapsulatedKey: encapsulated)
            return try JSONDecoder().decode([FeedSecretKey].self, from: try recipient.open(body))
        } catch {
            throw FeedError(.refused, "the keys of secrets are not sealed to this location's own key")
        }
    }
}
