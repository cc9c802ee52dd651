import ArgumentParser
import Client
import Foundation
import Model

/// `martlet account`: tenants. Most of it is the operator's.
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Creates, shows, suspends and deletes accounts.",
        subcommands: [
            Create.self, List.self, Show.self, Suspend.self, Resume.self, Delete.self, Limits.self,
            CordonSetting.self,
        ])

    private static func call(
        _ method: String, _ path: String, _ body: PlatformClient.Body? = nil
    ) throws -> JSONValue {
        try Connection.clean {
            try PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment)).call(method, path, body)
        }
    }

    private static func path(_ id: String) -> String { "/accounts/\(PlatformClient.escaped(id))" }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates an account.")

        @Argument(help: "Its name.")
        var name: String
        @Option(help: "The label of its Workers' host names. By default the name.")
        var subdomain: String?
        @OptionGroup var list: ListOptions

        func run() throws {
            let made = try call("POST", "/accounts", .json(["name": .string(name)]))
            let id = made.cell("id")
            _ = try call(
                "PUT", path(id) + "/workers/subdomain", .json(["subdomain": .string(subdomain ?? name.lowercased())]))
            print(list.json ? made.text : "Created \(name) with the id \(id).")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists accounts.")

        @OptionGroup var list: ListOptions

        func run() throws {
            let accounts = try Connection.clean {
                try PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment)).pages("/accounts")
            }
            list.show(
                .array(accounts), accounts,
                [
                    ("ID", { $0.cell("id") }), ("NAME", { $0.cell("name") }), ("CREATED", { $0.cell("created_on") }),
                    ("STATE", { $0["suspended"]?.bool == true ? "suspended" : "active" }),
                ])
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows an account.")

        @Argument(help: "Its id.")
        var id: String

        func run() throws { print(try call("GET", path(id)).text) }
    }

    struct Suspend: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops an account's Workers; its data stay.")

        @Argument(help: "Its id.")
        var id: String

        func run() throws {
            _ = try call("PUT", path(id), .json(["suspended": true]))
            print("Suspended \(id).")
        }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a suspended account's Workers run again.")

        @Argument(help: "Its id.")
        var id: String

        func run() throws {
            _ = try call("PUT", path(id), .json(["suspended": false]))
            print("Resumed \(id).")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes an account with all that it owns.")

        @Argument(help: "Its id.")
        var id: String
        @Flag(help: "Needed: nothing of it can be had back.")
        var force = false

        func validate() throws {
            guard force else { throw ValidationError("Add --force: the account's Workers and data go with it.") }
        }

        func run() throws {
            _ = try call("DELETE", path(id))
            print("Deleted \(id).")
        }
    }
}

/// `martlet token`: who is let in.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Creates, lists and deletes an account's tokens.",
        subcommands: [Create.self, List.self, Delete.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a token and prints its text, which nobody can read later.")

        @Argument(help: "Its name.")
        var name: String
        @Option(help: "What it lets its holder do: read, deploy or admin.")
        var scope = "deploy"
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let body: JSONValue = ["name": .string(name), "scope": .string(scope)]
            let made = try connection.connect().call("POST", "/tokens", .json(body))
            print(list.json ? made.text : made.cell("value"))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tokens.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let connection = try connection.connect()
            let path = try connection.path("/tokens")
            let tokens = try Connection.clean { try connection.client.pages(path) }
            list.show(
                .array(tokens), tokens,
                [
                    ("ID", { $0.cell("id") }), ("NAME", { $0.cell("name") }), ("SCOPE", { $0.cell("scope") }),
                    ("CREATED", { $0.cell("issued_on") }),
                ])
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a token.")

        @Argument(help: "Its id.")
        var id: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            try connection.connect().call("DELETE", "/tokens/\(PlatformClient.escaped(id))")
            print("Deleted \(id).")
        }
    }
}
