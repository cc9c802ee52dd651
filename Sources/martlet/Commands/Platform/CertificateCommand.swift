import ArgumentParser
import Client
import Foundation
import Model

/// `martlet certificate`: what a domain's hosts prove by who they are, wherever they are served.
struct CertificateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Shows and changes the certificates of domains.",
        discussion: "They are served at all locations that have a --tls-port, for the host names in them.",
        subcommands: [List.self, Put.self, Delete.self])

    private static func path(_ zone: String, _ connection: Connection) throws -> String {
        guard let id = try connection.zones(named: zone).first?["id"]?.string else {
            throw CleanFailure("the account has no zone '\(zone)'")
        }
        return "/zones/\(id)/custom_certificates"
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the certificates of a domain.")

        @Argument(help: "The domain.")
        var zone: String
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let connection = try connection.connect()
            let found = try Connection.clean {
                try connection.client.call("GET", try CertificateCommand.path(zone, connection))
            }
            list.show(
                found, found.array ?? [],
                [
                    ("ID", { $0.cell("id") }), ("HOSTS", { ($0["hosts"]?.strings ?? []).joined(separator: " ") }),
                    ("EXPIRES", { $0.cell("expires_on") }),
                ])
        }
    }

    struct Put: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a certificate; with --id it takes the place of another, as a renewed one does.")

        @Argument(help: "The domain.")
        var zone: String
        @Option(help: "The chain (PEM), the server's own certificate first.")
        var cert: String
        @Option(help: "Its private key (PEM).")
        var key: String
        @Option(help: "The id of the one that it replaces.")
        var id: String?
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let connection = try connection.connect()
            let body: JSONValue = ["certificate": .string(try text(cert)), "private_key": .string(try text(key))]
            let made = try Connection.clean {
                let path = try CertificateCommand.path(zone, connection)
                return try id.map { try connection.client.call("PATCH", "\(path)/\($0)", .json(body)) }
                    ?? connection.client.call("POST", path, .json(body))
            }
            if list.json { return print(made.text) }
            let hosts = (made["hosts"]?.strings ?? []).joined(separator: ", ")
            print("\(made.cell("id")): for \(hosts), until \(made.cell("expires_on")).")
        }

        private func text(_ path: String) throws -> String {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw CleanFailure("\(path) cannot be read")
            }
            return text
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a certificate.")

        @Argument(help: "The domain.")
        var zone: String
        @Argument(help: "The certificate's id.")
        var id: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let connection = try connection.connect()
            _ = try Connection.clean {
                try connection.client.call("DELETE", "\(try CertificateCommand.path(zone, connection))/\(id)")
            }
            print("Removed \(id).")
        }
    }
}
