import ArgumentParser
import Client
import Feed
import Foundation
import JetStream
import Model

/// `martlet location`: places that serve copies. The operator's.
struct LocationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "location", abstract: "Adds and removes locations: places that serve copies of what is deployed.",
        subcommands: [Add.self, Remove.self, Places.self, NKey.self])

    fileprivate static func call(
        _ method: String, _ path: String, _ body: PlatformClient.Body? = nil
    ) throws -> JSONValue {
        try Connection.clean {
            try PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment)).call(method, path, body)
        }
    }

    /// What only its owner may read.
    fileprivate static func write(_ text: String, to path: String) -> Bool {
        FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a location and writes its credentials.",
            discussion: """
                The file lets its holder join as that location: bring it there, and nowhere else. 'martlet edge \
                --credentials FILE' takes it.
                """)

        @Argument(help: "Its id: three letters, as airports have them.")
        var id: String
        @Option(help: "The file. By default ID.credentials.json.")
        var out: String?
        @Option(name: .customLong("only"), help: "The id of an account that it serves; others are not. Repeatable.")
        var accounts: [String] = []

        func run() throws {
            let id = id.lowercased()
            let path = out ?? "\(id).credentials.json"
            guard !FileManager.default.fileExists(atPath: path) else {
                throw CleanFailure("\(path) is there already; it is not written over")
            }
            let key = LocationKey()
            var body: [String: JSONValue] = ["id": .string(id), "key": .string(Hexadecimal.text(key.publicKey))]
            if !accounts.isEmpty { body["accounts"] = .array(accounts.map { .string($0) }) }
            let made = try call("POST", "/locations", .json(.object(body)))
            let credentials = LocationCredentials(
                location: id, token: made.cell("token"), installation: made.cell("installation"),
                privateKey: key.hexadecimal, accounts: accounts.isEmpty ? nil : accounts)
            guard LocationCommand.write(credentials.text, to: path) else {
                throw CleanFailure("\(path) cannot be written; remove the location '\(id)' and add it again")
            }
            let place = WorldList.place(id).map { ", \($0.city)" } ?? ""
            print("Added \(id)\(place): \(path)")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a location: its credentials let nobody in any more.")

        @Argument(help: "Its id.")
        var id: String

        func run() throws {
            _ = try call("DELETE", "/locations/\(PlatformClient.escaped(id.lowercased()))")
            print("Removed \(id.lowercased()).")
        }
    }

    struct NKey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "nkey",
            abstract: "Makes the nkey by which a NATS server knows a location, or the control node.",
            discussion: """
                The seed goes to a file, for --nats-nkey; the user that the server's configuration needs, with leave \
                to do what it has to and nothing else, is printed.
                """)

        @Argument(help: "The location's credentials. Without them the nkey is the control node's.")
        var credentials: String?
        @Option(help: "The file.")
        var out: String

        func run() throws {
            guard !FileManager.default.fileExists(atPath: out) else {
                throw CleanFailure("\(out) is there already; it is not written over")
            }
            let key = NATSKey()
            let permissions: NATSPermissions
            do {
                permissions = try credentials.map { NATSPermissions(of: try LocationCredentials.read($0)) } ?? .control
            } catch {
                throw CleanFailure("\(error)")
            }
            guard LocationCommand.write(key.seed + "\n", to: out) else {
                throw CleanFailure("\(out) cannot be written")
            }
            print(permissions.user(key.publicKey))
        }
    }

    struct Places: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists places where locations can be.")

        @OptionGroup var list: ListOptions

        func run() {
            let rows = WorldList.places.map { place -> JSONValue in
                [
                    "id": .string(place.code), "city": .string(place.city), "country": .string(place.country),
                    "latitude": .number(place.latitude), "longitude": .number(place.longitude),
                ]
            }
            list.show(
                .array(rows), rows,
                [
                    ("ID", "id"), ("CITY", "city"), ("COUNTRY", "country"), ("LATITUDE", "latitude"),
                    ("LONGITUDE", "longitude"),
                ].map { title, key in (title, { $0.cell(key) }) })
        }
    }
}

/// `martlet locations`: how they are.
struct Locations: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locations", abstract: "Lists the locations: how far each is, and what it does.")

    @OptionGroup var list: ListOptions

    func run() throws {
        let locations = try LocationCommand.call("GET", "/locations").array ?? []
        func seconds(_ value: JSONValue?) -> String {
            value?.number.map { String((($0 * 10).rounded() / 10)) + " s" } ?? "never"
        }
        list.show(
            .array(locations), locations,
            [
                ("ID", { $0.cell("id") }), ("CITY", { $0.cell("city") }), ("COUNTRY", { $0.cell("country") }),
                ("STATE", { $0["present"]?.bool == true ? "present" : "absent" }),
                ("CONTACT", { seconds($0["contact_seconds"]) }), ("REVISION", { $0.cell("revision") }),
                ("LAG", { $0.cell("lag") }),
                ("REQUESTS/S", { $0["requests_per_second"]?.number.map { String(Int($0)) } ?? "" }),
                ("ISOLATES", { $0.cell("isolates") }), ("VERSION", { $0.cell("version") }),
                ("BROKEN", { String($0["broken"]?.object?.count ?? 0) }),
            ])
    }
}
