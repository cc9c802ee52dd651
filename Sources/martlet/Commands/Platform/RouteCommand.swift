import ArgumentParser
import Client
import Model

/// `martlet route`: which URLs of the account's zones a Worker answers.
struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Shows and changes which URLs of the account's zones a Worker answers.",
        discussion: "Routes of a project file are set by 'martlet deploy'.",
        subcommands: [List.self, Add.self, Delete.self])

    /// A route and the zone that it is in.
    private struct Placed {
        let zone: JSONValue
        let route: JSONValue

        var json: JSONValue {
            .object((route.object ?? [:]).merging(["zone": zone["name"] ?? .null]) { own, _ in own })
        }
    }

    private static func routes(_ connection: Connection) throws -> [Placed] {
        try connection.zones().flatMap { zone in
            try Connection.clean {
                try (connection.client.call("GET", "/zones/\(zone.cell("id"))/workers/routes").array ?? []).map {
                    Placed(zone: zone, route: $0)
                }
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the routes of all zones.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let routes = try RouteCommand.routes(try connection.connect()).map(\.json)
            list.show(
                .array(routes), routes,
                [
                    ("PATTERN", { $0.cell("pattern") }), ("WORKER", { $0.cell("script") }),
                    ("ZONE", { $0.cell("zone") }), ("ID", { $0.cell("id") }),
                ])
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds a route to a Worker.")

        @Argument(help: "A pattern: example.com/api/*")
        var pattern: String
        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions
        @Flag(help: "No Worker answers these URLs, though another route may say so.")
        var none = false
        @OptionGroup var list: ListOptions

        func run() throws {
            let connection = try connection.connect()
            let host = pattern.drop { $0 == "*" || $0 == "." }.prefix { $0 != "/" }.lowercased()
            let fitting = try connection.zones().filter { HostName.isWithin(host, domain: $0.cell("name")) }
            guard let zone = fitting.max(by: { $0.cell("name").count < $1.cell("name").count }) else {
                throw CleanFailure("no zone of this account has the host '\(host)'")
            }
            let script: JSONValue = none ? .null : .string(try worker.workerName())
            let route = try Connection.clean {
                try connection.client.call(
                    "POST", "/zones/\(zone.cell("id"))/workers/routes",
                    .json(["pattern": .string(pattern), "script": script]))
            }
            if list.json { return print(route.text) }
            print("\(pattern) is answered by \(script.string ?? "no Worker").")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a route.")

        @Argument(help: "Its pattern or its id.")
        var route: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let connection = try connection.connect()
            let all = try RouteCommand.routes(connection)
            guard let found = all.first(where: { [$0.route.cell("id"), $0.route.cell("pattern")].contains(route) })
            else { throw CleanFailure("there is no route '\(route)': see 'martlet route list'") }
            try Connection.clean {
                let zone = "/zones/\(found.zone.cell("id"))"
                try connection.client.call("DELETE", "\(zone)/workers/routes/\(found.route.cell("id"))")
            }
            print("Deleted the route \(found.route.cell("pattern")).")
        }
    }
}
