/// A domain of an account, with what is behind it.
package struct Zone: Sendable, Equatable, Codable {
    package let id: String
    package let account: String
    /// A domain name in lower case: "example.com".
    package let name: String
    /// Where requests go that no Worker takes: "http://10.0.0.1:8080".
    package var origin: String?
    /// The operator has set the origin.
    package var isOriginTrusted: Bool
    package let createdOn: Timestamp

    package init(
        id: String = Identifier.hex(), account: String, name: String, origin: String? = nil,
        isOriginTrusted: Bool = false, createdOn: Timestamp = .now
    ) {
        self.isOriginTrusted = isOriginTrusted
        self.id = id
        self.account = account
        self.name = name
        self.origin = origin
        self.createdOn = createdOn
    }
}

extension Zone {
    /// What stands behind it; nil if nothing does.
    package var server: OriginServer? {
        // The control plane lets in only what can be read.
        origin.flatMap { try? OriginServer($0, isTrusted: isOriginTrusted) }
    }
}

/// URLs of a zone that a script answers.
package struct Route: Sendable, Equatable, Codable {
    package let id: String
    package var pattern: String
    /// nil: no Worker answers these, though another route may say so.
    package var script: String?

    package init(id: String = Identifier.hex(), pattern: String, script: String?) {
        self.id = id
        self.pattern = pattern
        self.script = script
    }
}

/// A host name of which a script answers every request.
package struct CustomDomain: Sendable, Equatable, Codable {
    package let id: String
    /// In lower case.
    package let hostname: String
    package let zone: String
    package let zoneName: String
    package var script: ScriptKey

    package init(id: String = Identifier.hex(), hostname: String, zone: String, zoneName: String, script: ScriptKey) {
        self.id = id
        self.hostname = hostname
        self.zone = zone
        self.zoneName = zoneName
        self.script = script
    }
}
