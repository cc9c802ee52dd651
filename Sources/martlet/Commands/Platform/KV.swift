import ArgumentParser
import Client
import Foundation
import Model
import Project

/// `martlet kv`: namespaces and what is in them.
struct KV: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kv", abstract: "Namespaces of keys and values.", subcommands: [Namespace.self, Key.self])

    private static let namespaces = "/storage/kv/namespaces"

    struct Namespace: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates, lists and deletes namespaces.", subcommands: [Create.self, List.self, Delete.self])

        struct Create: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Creates a namespace.")

            @Argument(help: "Its title.")
            var title: String
            @Option(help: "Write it into the project file, bound to this name of env.")
            var binding: String?
            @OptionGroup var project: ProjectOptions
            @OptionGroup var connection: ConnectionOptions
            @OptionGroup var list: ListOptions

            func validate() throws {
                guard binding == nil || project.environment == nil else {
                    throw ValidationError("--binding writes to the top level of the project file: leave out --env.")
                }
            }

            func run() throws {
                let file = project.path
                guard binding == nil || file != nil else {
                    throw CleanFailure("there is no project file for --binding: 'martlet init' makes one")
                }
                let made = try connection.connect().call("POST", namespaces, .json(["title": .string(title)]))
                if let binding, let file {
                    try Connection.clean {
                        try ProjectEdit.addNamespace(binding: binding, id: made.cell("id"), to: file)
                    }
                }
                if list.json { return print(made.text) }
                print("Created \(title) with the id \(made.cell("id")).")
                if let binding, let file { print("Bound it to env.\(binding) in \(file).") }
            }
        }

        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Lists namespaces.")

            @OptionGroup var connection: ConnectionOptions
            @OptionGroup var list: ListOptions

            func run() throws {
                let connection = try connection.connect()
                let path = try connection.path(namespaces)
                let all = try Connection.clean { try connection.client.pages(path) }
                list.show(.array(all), all, [("ID", { $0.cell("id") }), ("TITLE", { $0.cell("title") })])
            }
        }

        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Deletes a namespace with all that is in it.")

            @OptionGroup var namespace: NamespaceOptions
            @OptionGroup var connection: ConnectionOptions

            func run() throws {
                try connection.connect().call("DELETE", namespace.path)
                print("Deleted \(namespace.namespaceId).")
            }
        }
    }

    struct NamespaceOptions: ParsableArguments {
        @Option(help: "The namespace's id.")
        var namespaceId: String

        var path: String { "\(namespaces)/\(PlatformClient.escaped(namespaceId))" }
    }

    struct Key: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads and writes values.", subcommands: [Put.self, Get.self, List.self, Delete.self])

        struct Put: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Writes a value: the one given, that of --path, or stdin.")

            @Argument(help: "The key.")
            var key: String
            @Argument(help: "The value.")
            var value: String?
            @Option(help: "A file whose bytes are the value.")
            var path: String?
            @Option(help: "Seconds after which the key is gone, 60 at least.")
            var ttl: Int?
            @Option(help: "A time from which the key is gone, in seconds since 1970.")
            var expiration: Int?
            @OptionGroup var namespace: NamespaceOptions
            @OptionGroup var connection: ConnectionOptions

            func validate() throws {
                guard value == nil || path == nil else { throw ValidationError("Give a value or --path, not both.") }
            }

            func run() throws {
                var query: [(String, String)] = []
                if let ttl { query.append(("expiration_ttl", String(ttl))) }
                if let expiration { query.append(("expiration", String(expiration))) }
                try connection.connect().call(
                    "PUT", "\(namespace.path)/values/\(PlatformClient.escaped(key))", query: query, .raw(try bytes()))
                print("Wrote \(key).")
            }

            private func bytes() throws -> [UInt8] {
                if let value { return Array(value.utf8) }
                guard let path else { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
                guard let data = FileManager.default.contents(atPath: path) else {
                    throw CleanFailure("\(path) cannot be read")
                }
                return Array(data)
            }
        }

        struct Get: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Prints a value as it is.")

            @Argument(help: "The key.")
            var key: String
            @OptionGroup var namespace: NamespaceOptions
            @OptionGroup var connection: ConnectionOptions

            func run() throws {
                let connection = try connection.connect()
                let path = try connection.path("\(namespace.path)/values/\(PlatformClient.escaped(key))")
                let answer = try Connection.clean { try connection.client.send("GET", path) }
                guard answer.status == 200 else {
                    throw CleanFailure(
                        answer.status == 404 ? "there is no key '\(key)'" : "it answered \(answer.status)")
                }
                FileHandle.standardOutput.write(Data(answer.bytes))
            }
        }

        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Lists keys.")

            @Option(help: "Only keys that begin with this.")
            var prefix: String?
            @OptionGroup var namespace: NamespaceOptions
            @OptionGroup var connection: ConnectionOptions
            @OptionGroup var list: ListOptions

            /// The API's own limit.
            private static let pageSize = 1_000

            func run() throws {
                let connection = try connection.connect()
                var keys: [JSONValue] = []
                // A page begins behind the last key of the one before.
                var cursor = ""
                repeat {
                    let page =
                        try connection.call(
                            "GET", "\(namespace.path)/keys",
                            query: [("limit", String(Self.pageSize)), ("prefix", prefix ?? ""), ("cursor", cursor)]
                        ).array ?? []
                    keys += page
                    cursor = page.count == Self.pageSize ? KVCursor.of(page.last?.cell("name") ?? "") : ""
                } while !cursor.isEmpty
                list.show(
                    .array(keys), keys,
                    [
                        ("KEY", { $0.cell("name") }), ("EXPIRES", { $0.cell("expiration") }),
                        ("METADATA", { $0.cell("metadata") }),
                    ])
            }
        }

        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Deletes a key.")

            @Argument(help: "The key.")
            var key: String
            @OptionGroup var namespace: NamespaceOptions
            @OptionGroup var connection: ConnectionOptions

            func run() throws {
                try connection.connect().call(
                    "DELETE", "\(namespace.path)/values/\(PlatformClient.escaped(key))")
                print("Deleted \(key).")
            }
        }
    }
}
