import ArgumentParser
import Client
import Foundation
import Model

extension AccountCommand {
    /// `martlet account limits`: what an account may have and use.
    struct Limits: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows and sets what an account may have and use.",
            discussion: "A limit is a number, or 'none'. Without any, what there is and what is used is shown.")

        @Argument(help: "The account's id.")
        var id: String
        @Option(help: "Workers.")
        var scripts: String?
        @Option(help: "Bytes of code, in all versions that are kept.")
        var codeBytes: String?
        @Option(help: "Bytes of static assets.")
        var assetBytes: String?
        @Option(help: "Bytes in KV.")
        var kvBytes: String?
        @Option(help: "Requests on one day, UTC.")
        var requestsPerDay: String?
        @Option(help: "Milliseconds of CPU time on one day, UTC.")
        var cpuMsPerDay: String?
        @Option(help: "Requests in one minute.")
        var requestsPerMinute: String?
        @OptionGroup var list: ListOptions

        private var given: [(name: String, text: String)] {
            [
                ("scripts", scripts), ("code_bytes", codeBytes), ("asset_bytes", assetBytes), ("kv_bytes", kvBytes),
                ("requests_per_day", requestsPerDay), ("cpu_ms_per_day", cpuMsPerDay),
                ("requests_per_minute", requestsPerMinute),
            ].compactMap { name, text in text.map { (name, $0) } }
        }

        func validate() throws {
            for (name, text) in given where text != "none" && Int(text).map({ $0 >= 0 }) != true {
                let flag = name.replacing("_", with: "-")
                throw ValidationError("--\(flag) takes a whole number from 0, or 'none', not '\(text)'.")
            }
        }

        func run() throws {
            let client = try Connection.clean {
                PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment))
            }
            let path = "/accounts/\(PlatformClient.escaped(id))/limits"
            let changes = given.map { name, text in (name, Int(text).map { JSONValue.number(Double($0)) } ?? .null) }
            let result = try Connection.clean {
                guard !changes.isEmpty else { return try client.call("GET", path) }
                return try client.call("PATCH", path, .json(.object(Dictionary(changes) { first, _ in first })))
            }
            let rows = AccountLimits.names.map { limit -> JSONValue in
                [
                    "name": .string(limit.name), "limit": result["limits"]?[limit.name] ?? .null,
                    "used": result["used"]?[limit.name] ?? .null,
                ]
            }
            list.show(
                result, rows,
                [
                    ("LIMIT", { $0.cell("name") }),
                    ("AT MOST", { $0["limit"]?.isNull == false ? $0.cell("limit") : "-" }),
                    ("USED", { $0.cell("used") }),
                ])
        }
    }
}
