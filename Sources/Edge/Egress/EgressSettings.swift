package import Model

/// How the egress behaves.
package struct EgressSettings: Sendable {
    package var limits: EgressLimits
    package var policy: AddressPolicy
    /// Files of certificates (PEM) that are trusted besides the system's.
    package var trustedCertificateFiles: [String]
    /// Names with the answers that are given for them in turn, instead of asking any name server.
    package var scriptedNames: [String: [[IPAddress]]]
    /// Threads that talk to origins. One serves many thousands of requests a second.
    package var threads: Int

    package init(
        limits: EgressLimits = EgressLimits(), policy: AddressPolicy = AddressPolicy(),
        trustedCertificateFiles: [String] = [], scriptedNames: [String: [[IPAddress]]] = [:], threads: Int = 1
    ) {
        self.limits = limits
        self.policy = policy
        self.trustedCertificateFiles = trustedCertificateFiles
        self.scriptedNames = scriptedNames
        self.threads = threads
    }
}

/// The settings cannot be used; the text says why.
package struct EgressSetupError: Error, CustomStringConvertible {
    package let description: String
}
