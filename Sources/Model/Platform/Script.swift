/// Names a script: its account and its name.
package struct ScriptKey: Sendable, Hashable, Codable, CustomStringConvertible {
    package var account: String
    package var name: String

    package init(account: String, name: String) {
        self.account = account
        self.name = name
    }

    package var description: String { "\(account)/\(name)" }
}

/// A Worker of an account, apart from its code.
package struct Script: Sendable, Equatable {
    package let key: ScriptKey
    /// Never used again, even if a script of the same name is made after this one was deleted.
    package let tag: String
    package let createdOn: Timestamp
    package var modifiedOn: Timestamp
    /// Whether it answers under the account's subdomain.
    package var isOnSubdomain: Bool
    package var hasPreviews: Bool
    /// What applies to all versions: `logpush`, `tags`, `observability`, `tail_consumers`.
    package var settings: [String: JSONValue]
    package var latestVersion: String?
    /// The active deployment; nil if there was none yet.
    package var deployment: Deployment?
    /// Nil: its account's.
    package var cordon: String?

    package var name: String { key.name }

    package init(
        key: ScriptKey, tag: String, createdOn: Timestamp, modifiedOn: Timestamp, isOnSubdomain: Bool,
        hasPreviews: Bool, settings: [String: JSONValue], latestVersion: String?, deployment: Deployment?,
        cordon: String? = nil
    ) {
        self.cordon = cordon
        self.key = key
        self.tag = tag
        self.createdOn = createdOn
        self.modifiedOn = modifiedOn
        self.isOnSubdomain = isOnSubdomain
        self.hasPreviews = hasPreviews
        self.settings = settings
        self.latestVersion = latestVersion
        self.deployment = deployment
    }
}

/// Which versions answer, and in which parts.
package struct Deployment: Sendable, Equatable, Codable {
    package struct Share: Sendable, Equatable, Codable {
        package var version: String
        /// Of 100.
        package var percentage: Double

        package init(version: String, percentage: Double) {
            self.version = version
            self.percentage = percentage
        }
    }

    package let id: String
    package let createdOn: Timestamp
    /// Who asked: "api", "wrangler", "martlet".
    package var source: String
    package var author: String
    package var annotations: [String: String]
    package var shares: [Share]

    package init(
        id: String = Identifier.uuid(), createdOn: Timestamp = .now, source: String, author: String,
        annotations: [String: String] = [:], shares: [Share]
    ) {
        self.id = id
        self.createdOn = createdOn
        self.source = source
        self.author = author
        self.annotations = annotations
        self.shares = shares
    }
}
