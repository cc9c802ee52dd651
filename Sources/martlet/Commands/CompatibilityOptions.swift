import ArgumentParser
import Model
import Project

/// `--compatibility-date` and `--compatibility-flag`, for every worker that the command serves.
struct CompatibilityOptions: ParsableArguments {
    @Option(
        name: .customLong("compatibility-date"),
        help: "The day whose Workers' behaviour is wanted, as YYYY-MM-DD. (default: \(Compatibility.defaultDate))")
    var date: String?
    @Option(
        name: .customLong("compatibility-flag"),
        help: "A compatibility flag of Workers, such as nodejs_compat. May be given many times.")
    var flags: [String] = []

    func validate() throws { _ = try checked() }

    var compatibility: Compatibility { (try? checked()) ?? .standard }

    private func checked() throws -> Compatibility {
        do throws(CompatibilityError) {
            return try Compatibility(date: date ?? Compatibility.defaultDate, flags: flags)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// What the command line says comes before what the project file says.
    func resolved(_ project: ProjectFile?) throws(CleanFailure) -> Compatibility {
        try Self.compatibility(
            date: date ?? project?.compatibilityDate, flags: flags.isEmpty ? project?.compatibilityFlags : flags)
    }

    static func compatibility(date: String?, flags: [String]?) throws(CleanFailure) -> Compatibility {
        do throws(CompatibilityError) {
            return try Compatibility(date: date ?? Compatibility.defaultDate, flags: flags ?? [])
        } catch {
            throw CleanFailure(error.description)
        }
    }

    /// Says which flags will not do what they say.
    func warn(to log: any EventSink) {
        for warning in compatibility.warnings {
            log.log(LogEvent(worker: "", request: 0, level: "warn", text: warning))
        }
    }
}
