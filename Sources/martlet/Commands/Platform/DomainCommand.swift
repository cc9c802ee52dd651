import ArgumentParser
import Client
import Model

/// `martlet domain`: host names of which a Worker answers every request.
struct DomainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Shows and changes the host names of which a Worker answers every request.",
        discussion: "Custom domains of a project file are set by 'martlet deploy'.",
        subcommands: [List.self, Add.self, Delete.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the account's custom domains.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let domains = try connection.connect().call("GET", "/workers/domains")
            list.show(
                domains, domains.array ?? [],
                [
                    ("HOSTNAME", { $0.cell("hostname") }), ("WORKER", { $0.cell("service") }),
                    ("ZONE", { $0.cell("zone_name") }), ("ID", { $0.cell("id") }),
                ])
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives a host name to a Worker.")

        @Argument(help: "A host name of one of the account's zones.")
        var hostname: String
        @OptionGroup var worker: WorkerOptions
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var list: ListOptions

        func run() throws {
            let name = try worker.workerName()
            let domain = try connection.connect().call(
                "PUT", "/workers/domains", .json(["hostname": .string(hostname), "service": .string(name)]))
            if list.json { return print(domain.text) }
            print("\(hostname) is answered by \(name).")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a host name from its Worker.")

        @Argument(help: "The host name.")
        var hostname: String
        @OptionGroup var connection: ConnectionOptions

        func run() throws {
            let connection = try connection.connect()
            let domains = try connection.call("GET", "/workers/domains").array ?? []
            guard let domain = domains.first(where: { $0.cell("hostname") == hostname.lowercased() }) else {
                throw CleanFailure("no Worker has the host name '\(hostname)': see 'martlet domain list'")
            }
            try connection.call("DELETE", "/workers/domains/\(domain.cell("id"))")
            print("No Worker has \(hostname) any more.")
        }
    }
}
