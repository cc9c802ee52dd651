import ArgumentParser
import Foundation
import Project

/// Which project file a command goes by.
struct ProjectOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The project file. By default wrangler.json, .jsonc or .toml, here or above.")
    var config: String?
    @Option(name: [.short, .customLong("env")], help: "An environment of the project file.")
    var environment: String?

    var path: String? { config ?? ProjectFile.find(from: FileManager.default.currentDirectoryPath) }

    /// Nil if there is none.
    func project() throws -> ProjectFile? {
        guard let path else {
            guard environment == nil else { throw CleanFailure("there is no project file for --env to choose from") }
            return nil
        }
        return try Connection.clean { try ProjectFile(path, environment: environment) }
    }
}
