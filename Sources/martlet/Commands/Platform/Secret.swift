import ArgumentParser
import Client
import Foundation
import Model

/// `martlet secret`: texts that a Worker has and nobody else sees.
struct Secret: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sets, lists and deletes a Worker's secrets.",
        subcommands: [Put.self, List.self, Delete.self, Bulk.self])

    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a secret, whose text is read from stdin.",
            discussion: "The Worker is deployed again with it.")

        @Argument(help: "The secret's name.")
        var key: String
        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let name = try worker.workerName()
            let text = try Input.secret("Text of \(key)")
            let body: JSONValue = ["name": .string(key), "text": .string(text), "type": "secret_text"]
            try connection.connect().call("PUT", Connection.script(name) + "/secrets", .json(body))
            print("Set \(key) of \(name).")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists names of secrets.")

        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let secrets = try connection.connect().call(
                "GET", Connection.script(try worker.workerName()) + "/secrets")
            list.show(secrets, secrets.array ?? [], [("NAME", { $0.cell("name") })])
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a secret.")

        @Argument(help: "The secret's name.")
        var key: String
        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let name = try worker.workerName()
            let path = Connection.script(name) + "/secrets/" + PlatformClient.escaped(key)
            try connection.connect().call("DELETE", path)
            print("Deleted \(key) of \(name).")
        }
    }

    struct Bulk: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets many secrets: a JSON object of texts by name on stdin; null deletes one.")

        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let name = try worker.workerName()
            let text = try Input.secret("JSON")
            guard let given = (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))?.object,
                given.values.allSatisfy({ $0.isNull || $0.string != nil })
            else { throw CleanFailure("stdin must hold a JSON object of texts by name") }
            var secrets: [String: JSONValue] = [:]
            for (key, value) in given {
                secrets[key] = value.isNull ? .null : ["name": .string(key), "text": value, "type": "secret_text"]
            }
            let path = Connection.script(name) + "/secrets-bulk"
            try connection.connect().call("PATCH", path, .json(["secrets": .object(secrets)]))
            print("Set \(secrets.count) secrets of \(name).")
        }
    }
}
