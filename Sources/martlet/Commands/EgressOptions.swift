import ArgumentParser
import Edge
import Glibc
import Model

/// Flags for the way out, shared by the commands.
struct EgressOptions: ParsableArguments {
    private static let defaults = EgressLimits()

    @Option(
        name: .customLong("egress-allow"),
        help: "Lets workers reach HOST, ADDRESS or ADDRESS/BITS, or one :PORT there, though not public. Repeatable.")
    var allowed: [String] = []
    @Option(
        name: .customLong("egress-ca"),
        help: "A file of certificates (PEM) that are trusted besides the system's. Repeatable.")
    var certificateFiles: [String] = []
    @Option(help: "Time to connect to an origin, in ms.")
    var connectTimeoutMs = defaults.connectMilliseconds
    @Option(help: "How long an origin may be silent, in ms.")
    var originTimeoutMs = defaults.idleMilliseconds
    @Option(help: "Bodies of subrequests, there and back, that may be on their way in the whole process, in MiB.")
    var egressMemoryMb = defaults.heldBytes >> 20
    @Option(help: "Subrequests that an account may make in a second.")
    var accountEgressRate = defaults.accountRequestsPerSecond
    @Option(help: "Bodies of an account's subrequests, there and back, in MiB a second; what is more waits.")
    var accountEgressMb = defaults.accountBytesPerSecond >> 20
    @Option(help: "Threads that talk to origins.")
    var egressThreads: Int?
    /// `HOST=ADDRESS,ADDRESS`: what a name server would answer. Given again for a host, the answers take turns.
    @Option(name: .customLong("resolve"), help: .hidden)
    var scriptedNames: [String] = []

    func validate() throws {
        let values: [(String, Int?, ClosedRange<Int>)] = [
            ("--connect-timeout-ms", connectTimeoutMs, 1...3_600_000),
            ("--origin-timeout-ms", originTimeoutMs, 1...86_400_000), ("--egress-threads", egressThreads, 1...256),
            ("--egress-memory-mb", egressMemoryMb, 1...1 << 20),
            ("--account-egress-rate", accountEgressRate, 1...1 << 30),
            ("--account-egress-mb", accountEgressMb, 1...1 << 20),
        ]
        for case (let flag, let value?, let range) in values where !range.contains(value) {
            throw ValidationError("\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
        }
        for text in allowed where AllowedDestination(text) == nil {
            throw ValidationError(
                "--egress-allow takes HOST, ADDRESS or ADDRESS/BITS, and :PORT or not, not '\(text)'.")
        }
        for text in scriptedNames where Self.scripted(text) == nil {
            throw ValidationError("--resolve takes HOST=ADDRESS,ADDRESS, not '\(text)'.")
        }
    }

    private static func scripted(_ text: String) -> (name: String, addresses: [IPAddress])? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        let addresses = parts[1].split(separator: ",").map { IPAddress(String($0)) }
        guard !addresses.contains(nil) else { return nil }
        return (parts[0].lowercased(), addresses.compactMap { $0 })
    }

    var settings: EgressSettings {
        var limits = EgressLimits()
        limits.connectMilliseconds = connectTimeoutMs
        limits.idleMilliseconds = originTimeoutMs
        limits.heldBytes = egressMemoryMb << 20
        limits.accountRequestsPerSecond = accountEgressRate
        limits.accountBytesPerSecond = accountEgressMb << 20
        var names: [String: [[IPAddress]]] = [:]
        for case (let name, let addresses)? in scriptedNames.map(Self.scripted) {
            names[name, default: []].append(addresses)
        }
        return EgressSettings(
            limits: limits, policy: AddressPolicy(allowing: allowed.compactMap { AllowedDestination($0) }),
            trustedCertificateFiles: certificateFiles, scriptedNames: names,
            threads: egressThreads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2))
    }
}
