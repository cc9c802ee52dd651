/// A certificate as those show it who have not its key.
package struct ServedCertificate: Sendable, Equatable, Codable {
    /// By which the key is asked for.
    package var id: Int
    /// PEM, the server's own certificate first.
    package var chain: String
    /// Host names, in lower case; some begin with "*.".
    package var names: [String]
    /// What the key can sign by: numbers of TLS's SignatureScheme (RFC 8446, section 4.2.3).
    package var algorithms: [UInt16]
    /// Shown to clients that name no host, or one that nobody knows.
    package var isDefault: Bool

    package init(id: Int, chain: String, names: [String], algorithms: [UInt16], isDefault: Bool) {
        self.id = id
        self.chain = chain
        self.names = names
        self.algorithms = algorithms
        self.isDefault = isDefault
    }
}

/// Those who have the keys. Any thread.
package protocol CertificateKeeper: AnyObject, Sendable {
    var served: [ServedCertificate] { get }
    /// Calls back when they have changed.
    func observe(_ changed: @escaping @Sendable () -> Void)
    /// - Returns: nil if there is no such certificate, or its key cannot sign by that algorithm.
    func sign(_ bytes: [UInt8], certificate id: Int, algorithm: UInt16) -> [UInt8]?
}

/// Those who ask for signatures.
package protocol CertificateSigner: AnyObject, Sendable {
    /// - Parameter completion: called once, on any thread; nil if there is no signature.
    func sign(
        _ bytes: [UInt8], certificate id: Int, algorithm: UInt16, completion: @escaping @Sendable ([UInt8]?) -> Void)
}
