/// What a client is about to deploy as assets, between its asking what is missing and the deployment.
package struct AssetSession: Sendable, Equatable {
    package struct Entry: Sendable, Equatable, Codable {
        package var hash: String
        package var size: Int

        package init(hash: String, size: Int) {
            self.hash = hash
            self.size = size
        }
    }

    package let id: String
    package let script: ScriptKey
    /// By path.
    package let manifest: [String: Entry]
    package let createdOn: Timestamp

    package init(
        id: String = Identifier.hex(), script: ScriptKey, manifest: [String: Entry], createdOn: Timestamp = .now
    ) {
        self.id = id
        self.script = script
        self.manifest = manifest
        self.createdOn = createdOn
    }

    /// How long it may take, in seconds.
    package static let lifetime: Int64 = 3_600
}

/// Content that an account has uploaded under a name of its own.
package struct AssetUpload: Sendable, Equatable {
    package var blob: String
    package var size: Int
    /// nil if the upload said nothing; empty if answers are to say none.
    package var contentType: String?

    package init(blob: String, size: Int, contentType: String?) {
        self.blob = blob
        self.size = size
        self.contentType = contentType
    }
}

/// Static assets: what accounts have uploaded, and what they are about to.
package protocol AssetStore: AssetSource {
    /// Those of the hashes that the account has uploaded. What is asked for stays for a day.
    func uploads(_ hashes: [String], of account: String) throws -> [String: AssetUpload]
    /// Durable when this returns.
    /// - Throws: `conflict` if the account has other bytes under one of the hashes; none is added then.
    func addUploads(_ uploads: [(hash: String, bytes: [UInt8], contentType: String?)], of account: String) throws
    /// Forgets content that no version has and nobody has asked for since then.
    func dropUploads(before time: Timestamp) throws
    func addSession(_ session: AssetSession) throws
    /// nil if there is none, or it is over.
    func session(_ id: String) throws -> AssetSession?
    /// A version's assets; nil if it has none.
    func assets(of version: ScriptVersion) throws -> AssetSet?
    /// The key by which tokens of sessions are signed: 32 bytes, the same after a restart.
    func sessionKey() -> [UInt8]
}
