internal import Crypto
internal import Foundation
internal import Model

/// Seals secrets for their way to the locations: AES-256-GCM under a key of the account. The same text under the same
/// context gives the same bytes, so that a record has one hash: the nonce is made of both.
struct FeedSecretBox {
    private let key: SymmetricKey
    private let nonceKey: SymmetricKey

    init(_ key: FeedSecretKey, account: String) {
        let bytes = key.account == nil ? Self.key(of: account, master: key.bytes) : key.bytes
        self.key = SymmetricKey(data: Self.derived(bytes, "seal"))
        nonceKey = SymmetricKey(data: Self.derived(bytes, "nonce"))
    }

    /// The key that opens one account's secrets only.
    static func key(of account: String, master: [UInt8]) -> [UInt8] { derived(master, "account " + account) }

    private static func derived(_ key: [UInt8], _ purpose: String) -> [UInt8] {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key), info: Array(purpose.utf8), outputByteCount: 32
        ).withUnsafeBytes { Array($0) }
    }

    func seal(_ text: String, context: String) throws -> String {
        let message = Array(context.utf8) + [0] + Array(text.utf8)
        let nonce = HMAC<SHA256>.authenticationCode(for: message, using: nonceKey).prefix(12)
        let sealed = try AES.GCM.seal(
            Array(text.utf8), using: key, nonce: AES.GCM.Nonce(data: Data(nonce)), authenticating: Array(context.utf8))
        return (sealed.combined ?? Data()).base64EncodedString()
    }

    func open(_ sealed: String, context: String) throws -> String {
        do {
            let box = try AES.GCM.SealedBox(combined: Data(base64Encoded: sealed) ?? Data())
            return String(
                decoding: try AES.GCM.open(box, using: key, authenticating: Array(context.utf8)), as: UTF8.self)
        } catch {
            throw StoreError(.damaged, "a secret of \(context) cannot be opened with this location's key")
        }
    }
}
