internal import Crypto
internal import Foundation
internal import Model

/// What a client shows while it uploads assets, and when it deploys them: a JSON Web Token (RFC 7519), which clients
/// look into for its end.
struct AssetToken: Sendable, Equatable, Codable {
    enum Use: String, Sendable, Codable {
        /// Uploads of what a session's manifest names.
        case upload
        /// All of the manifest is there: it may be deployed.
        case completion
        /// Uploads for a Pages project, which come without a manifest.
        case pages
    }

    var use: Use
    var account: String
    var script: String
    /// Empty for Pages.
    var session: String
    /// Seconds since 1970.
    var exp: Int64
}

/// Signs tokens, and checks those that come back. HMAC with SHA-256.
struct AssetTokens: Sendable {
    private static let header = base64URL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    private let key: SymmetricKey

    /// - Parameter key: 32 bytes.
    init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    func make(_ use: AssetToken.Use, _ script: ScriptKey, session: String = "") -> String {
        let token = AssetToken(
            use: use, account: script.account, script: script.name, session: session,
            exp: Timestamp.now.seconds + AssetSession.lifetime)
        let payload = (try? JSONEncoder().encode(token)) ?? Data()
        let signed = "\(Self.header).\(Self.base64URL(Array(payload)))"
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: key)
        return "\(signed).\(Self.base64URL(Array(code)))"
    }

    /// - Returns: nil if we have not made it, or its time is over.
    func read(_ text: String) -> AssetToken? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Self.bytes(parts[1]), let code = Self.bytes(parts[2]),
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Array("\(parts[0]).\(parts[1])".utf8), using: key),
            let token = try? JSONDecoder().decode(AssetToken.self, from: Data(payload)),
            token.exp > Timestamp.now.seconds
        else { return nil }
        return token
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let plain = String(text).replacing("-", with: "+").replacing("_", with: "/") + padding
        return Data(base64Encoded: String(plain)).map { Array($0) }
    }
}
