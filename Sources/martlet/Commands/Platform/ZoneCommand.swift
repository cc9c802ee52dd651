import ArgumentParser
import Client
import Foundation
import Model

/// `martlet zone`: domains, and what stands behind them.
struct ZoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zone", abstract: "Adds and lists domains, and says what stands behind them.",
        subcommands: [Create.self, List.self, Origin.self, Delete.self, Allow.self])

    /// A zone's id, by its name.
    private static func id(of name: String, _ connection: Connection) throws -> String {
        guard let id = try connection.zones(named: name).first?["id"]?.string else {
            throw CleanFailure("the account has no zone '\(name)'")
        }
        return id
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds a domain to the account.")

        @Argument(help: "The domain.")
        var name: String
        @Option(help: "Where requests go that no Worker takes: http://10.0.0.1:8080.")
        var origin: String?
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let connection = try connection.connect()
            var body: [String: JSONValue] = [
                "name": .string(name), "type": "full", "account": ["id": .string(try connection.account())],
            ]
            body["origin"] = origin.map { .string($0) }
            let made = try Connection.clean { try connection.client.call("POST", "/zones", .json(.object(body))) }
            if list.json { return print(made.text) }
            print("Added \(name) with the id \(made.cell("id")).")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists domains: those of the account that is named, else all that the token can see.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let platform = try connection.connect()
            let zones =
                connection.account == nil
                ? try Connection.clean { try platform.client.pages("/zones") } : try platform.zones()
            list.show(
                .array(zones), zones,
                [
                    ("ID", { $0.cell("id") }), ("NAME", { $0.cell("name") }), ("ORIGIN", { $0.cell("origin") }),
                    ("ACCOUNT", { $0["account"]?.cell("id") ?? "" }),
                ])
        }
    }

    struct Origin: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says where requests go that no Worker takes; without a URL, that they go nowhere.",
            discussion: """
                Set by the operator it may have a private address; set by an account only one that Workers may reach.
                """)

        @Argument(help: "The domain.")
        var name: String
        @Argument(help: "http:// or https://, a host, and a port.")
        var url: String?
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let connection = try connection.connect()
            let id = try ZoneCommand.id(of: name, connection)
            _ = try Connection.clean {
                try connection.client.call(
                    "PATCH", "/zones/\(id)", .json(["origin": url.map { .string($0) } ?? .null]))
            }
            print(url.map { "Behind \(name) is \($0)." } ?? "Behind \(name) is nothing.")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a domain with its routes.")

        @Argument(help: "The domain.")
        var name: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let connection = try connection.connect()
            let id = try ZoneCommand.id(of: name, connection)
            _ = try Connection.clean { try connection.client.call("DELETE", "/zones/\(id)") }
            print("Removed \(name).")
        }
    }

    struct Allow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets the account add a domain, and those under it, itself; the operator's.")

        @Argument(help: "The domain.")
        var name: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            try connection.connect().call("POST", "/allowed-zones", .json(["name": .string(name)]))
            print("Allowed \(name).")
        }
    }
}
