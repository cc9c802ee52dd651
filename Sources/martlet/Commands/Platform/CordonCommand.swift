import ArgumentParser
import Client
import Foundation
import Model

extension AccountCommand {
    /// `martlet account cordon`: with whom an account's Workers share a process.
    struct CordonSetting: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cordon",
            abstract: "Shows and sets with whom an account's Workers share a process.",
            discussion: """
                Accounts begin in 'free'. 'paid' and any other name are processes for all who are set to that name; \
                'private' is a process of its own. A Worker's own setting counts for more than its account's; \
                'inherit' gives a setting up.
                """)

        @Argument(help: "The account's id.")
        var id: String
        @Argument(help: "free, paid, private, another name, or inherit. Shows the setting if none is given.")
        var cordon: String?
        @Option(help: "A Worker of the account, rather than all.")
        var script: String?

        func validate() throws {
            if let cordon, cordon != "inherit", let complaint = Cordon.complaint(about: cordon) {
                throw ValidationError(complaint + ".")
            }
        }

        func run() throws {
            let client = try Connection.clean {
                PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment))
            }
            let account = "/accounts/\(PlatformClient.escaped(id))"
            let path =
                script.map { "\(account)/workers/scripts/\(PlatformClient.escaped($0))/cordon" }
                ?? "\(account)/cordon"
            let result = try Connection.clean {
                guard let cordon else { return try client.call("GET", path) }
                let setting: JSONValue = cordon == "inherit" ? .null : .string(cordon)
                return try client.call("PUT", path, .json(["cordon": setting]))
            }
            print(result["cordon"]?.string ?? "inherit")
        }
    }
}
