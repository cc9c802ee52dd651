import ArgumentParser
import Model

/// `--compatibility-date` and `--compatibility-flag`, for every worker that the command serves.
struct CompatibilityOptions: ParsableArguments {
    @Option(name: .customLong("compatibility-date"), help: "The day whose Workers' behaviour is wanted, as YYYY-MM-DD.")
    var date = Compatibility.defaultDate
    @Option(
        name: .customLong("compatibility-flag"),
        help: "A compatibility flag of Workers, such as nodejs_compat. May be given many times.")
    var flags: [String] = []

    func validate() throws { _ = try checked() }

    var compatibility: Compatibility { (try? checked()) ?? .standard }

    private func checked() throws -> Compatibility {
        do throws(CompatibilityError) {
            return try Compatibility(date: date, flags: flags)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// Says which flags will not do what they say.
    func warn(to log: any EventSink) {
        for warning in compatibility.warnings {
            log.log(LogEvent(worker: "", request: 0, level: "warn", text: warning))
        }
    }
}
