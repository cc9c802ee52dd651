internal import Foundation
internal import Glibc

/// Where a platform is, and what lets one in: kept in a file that only its owner reads.
package struct Credentials: Sendable, Equatable, Codable {
    /// The admin port's address: "http://127.0.0.1:8788".
    package var endpoint: String
    package var token: String
    /// The account that is meant if none is named.
    package var account: String?

    package init(endpoint: String, token: String, account: String? = nil) {
        self.endpoint = endpoint
        self.token = token
        self.account = account
    }

    /// `MARTLET_ENDPOINT`, `MARTLET_TOKEN` and `MARTLET_ACCOUNT` come before what the file says.
    package static func find(_ environment: [String: String]) throws(ClientError) -> Credentials {
        let stored = try read(environment)
        let endpoint = environment["MARTLET_ENDPOINT"] ?? stored?.endpoint
        let token = environment["MARTLET_TOKEN"] ?? stored?.token
        guard let endpoint, let token else {
            throw ClientError(
                "you are not logged in: run 'martlet login', or set MARTLET_ENDPOINT and MARTLET_TOKEN")
        }
        return Credentials(
            endpoint: endpoint, token: token, account: environment["MARTLET_ACCOUNT"] ?? stored?.account)
    }

    /// `$XDG_CONFIG_HOME/martlet/credentials.json`, or under `~/.config`.
    package static func path(_ environment: [String: String]) -> String {
        let config = environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? ".")/.config"
        return "\(config)/martlet/credentials.json"
    }

    private static func read(_ environment: [String: String]) throws(ClientError) -> Credentials? {
        let path = path(environment)
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let credentials = try? JSONDecoder().decode(Credentials.self, from: data) else {
            throw ClientError("\(path) cannot be read as credentials: run 'martlet login' again")
        }
        return credentials
    }

    /// Written whole or not at all, readable by the owner only.
    package func write(_ environment: [String: String]) throws(ClientError) {
        let path = Self.path(environment)
        let folder = path[..<path.lastIndex(of: "/")!]
        let draft = path + ".new"
        do {
            try FileManager.default.createDirectory(
                atPath: String(folder), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let data = try encoder.encode(self)
            guard
                FileManager.default.createFile(
                    atPath: draft, contents: data, attributes: [.posixPermissions: 0o600])
            else { throw ClientError("\(draft) cannot be written") }
        } catch {
            throw error as? ClientError ?? ClientError("\(path) cannot be written: \(error.localizedDescription)")
        }
        guard rename(draft, path) == 0 else {
            throw ClientError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

/// What went wrong, in one line.
package struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    /// The platform's number for it; nil if it said nothing.
    package let code: Int?

    package init(_ description: String, code: Int? = nil) {
        self.description = description
        self.code = code
    }
}
