/// A certificate for hosts of a zone.
package struct ZoneCertificate: Sendable, Equatable, Codable {
    package let id: String
    package let zone: String
    /// PEM, the server's own certificate first.
    package var chain: String
    /// Host names that it is good for, in lower case; some begin with "*.".
    package var names: [String]
    package var expiresOn: Timestamp
    package let uploadedOn: Timestamp
    package var modifiedOn: Timestamp

    package init(
        id: String = Identifier.hex(), zone: String, chain: String, facts: CertificateFacts,
        uploadedOn: Timestamp = .now, modifiedOn: Timestamp = .now
    ) {
        self.id = id
        self.zone = zone
        self.chain = chain
        names = facts.names
        expiresOn = facts.expiresOn
        self.uploadedOn = uploadedOn
        self.modifiedOn = modifiedOn
    }
}

/// What a certificate says of itself.
package struct CertificateFacts: Sendable, Equatable {
    package var names: [String]
    package var expiresOn: Timestamp

    package init(names: [String], expiresOn: Timestamp) {
        self.names = names
        self.expiresOn = expiresOn
    }
}

/// Looks into certificates before they are stored.
package protocol CertificateCheck: Sendable {
    /// - Parameters: PEM.
    /// - Throws: what is wrong, as something with a description for people.
    func facts(ofChain chain: String, key: String) throws -> CertificateFacts
}

/// A certificate of a zone with its key, as those need it who serve it.
package struct KeyedCertificate: Sendable, Equatable {
    package var id: String
    package var chain: String
    package var key: String

    package init(id: String, chain: String, key: String) {
        self.id = id
        self.chain = chain
        self.key = key
    }
}

/// Where the certificates of zones are. Calls may wait for the disk.
package protocol CertificateSource: Sendable {
    /// Changes whenever they do.
    func certificateMark() throws -> String
    /// Those that changed last come first.
    func keyedCertificates() throws -> [KeyedCertificate]
    func observe(_ changed: @escaping @Sendable () -> Void)
}

/// A certificate as it travels to locations.
package struct FedCertificate: Sendable, Equatable, Codable {
    package var certificate: ZoneCertificate
    /// Of the key that the private key is sealed with.
    package var generation: Int64
    /// In base64.
    package var sealedKey: String

    package init(certificate: ZoneCertificate, generation: Int64, sealedKey: String) {
        self.certificate = certificate
        self.generation = generation
        self.sealedKey = sealedKey
    }
}
