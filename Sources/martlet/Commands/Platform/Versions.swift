import ArgumentParser
import Client
import Foundation
import Model

/// `martlet versions`: what was uploaded, newest first.
struct Versions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists a Worker's versions, and what part of them answers.")

    @OptionGroup var worker: WorkerOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var list: ListOptions

    func run() throws {
        let connection = try connection.connect()
        let script = Connection.script(try worker.workerName())
        let versions = try connection.call("GET", script + "/versions", query: [("per_page", "100")])
        let shares = try Rollback.active(connection, script)
        list.show(
            versions, versions["items"]?.array ?? [],
            [
                ("VERSION", { $0.cell("id") }), ("NUMBER", { $0.cell("number") }),
                ("CREATED", { $0["metadata"]?.cell("created_on") ?? "" }),
                ("ANSWERS", { version in shares[version.cell("id")].map { "\($0.formatted())%" } ?? "" }),
                ("TAG", { $0["annotations"]?.cell("workers/tag") ?? "" }),
                ("MESSAGE", { $0["annotations"]?.cell("workers/message") ?? "" }),
            ])
    }
}

/// `martlet rollback`: an earlier version answers again.
struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes an earlier version the one that answers.",
        discussion: "Without a version it is the one before that which answers now.")

    @Argument(help: "The version's id, or its beginning.")
    var version: String?
    @OptionGroup var worker: WorkerOptions
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Why.")
    var message: String?
    @OptionGroup var rollout: RolloutOptions
    @Flag(help: "Go back even if secrets have changed since.")
    var force = false

    /// Percentages of the versions that answer now.
    static func active(_ connection: Connection, _ script: String) throws -> [String: Double] {
        let deployments = try connection.call("GET", script + "/deployments")["deployments"]?.array ?? []
        let versions = deployments.first?["versions"]?.array ?? []
        return Dictionary(versions.map { ($0.cell("version_id"), $0["percentage"]?.number ?? 0) }) { $1 }
    }

    func run() throws {
        let connection = try connection.connect()
        let name = try worker.workerName()
        let script = Connection.script(name)
        let all = try connection.call("GET", script + "/versions", query: [("per_page", "100")])["items"]?.array ?? []
        let id = try choose(all.map { $0.cell("id") }, Set(try Self.active(connection, script).keys))
        let body: JSONValue = [
            "strategy": "percentage", "versions": [["version_id": .string(id), "percentage": 100]],
            "annotations": ["workers/message": .string(message ?? "Rollback")],
        ]
        try connection.call("POST", script + "/deployments", query: force ? [("force", "true")] : [], .json(body))
        print("\(name) is version \(id) again.")
        try rollout.waitForLocations(connection, script)
    }

    /// - Parameter ids: newest first.
    private func choose(_ ids: [String], _ active: Set<String>) throws -> String {
        guard let version else {
            guard let now = ids.firstIndex(where: { active.contains($0) }), now + 1 < ids.count else {
                throw CleanFailure("there is no version before the one that answers now")
            }
            return ids[now + 1]
        }
        let fitting = ids.filter { $0.hasPrefix(version) }
        guard fitting.count == 1 else {
            throw CleanFailure(
                fitting.isEmpty
                    ? "there is no version '\(version)': see 'martlet versions'"
                    : "several versions begin with '\(version)'")
        }
        return fitting[0]
    }
}

/// `martlet delete`: a Worker with all its versions.
struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Deletes a Worker with all its versions and secrets.")

    @OptionGroup var worker: WorkerOptions
    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Delete it even if other Workers are bound to it, and ask nothing.")
    var force = false

    func run() throws {
        let name = try worker.workerName()
        if !force, isatty(STDIN_FILENO) == 1 {
            FileHandle.standardError.write(Data("Delete \(name)? [y/N] ".utf8))
            guard readLine()?.lowercased().hasPrefix("y") == true else { throw CleanFailure("nothing was deleted") }
        }
        try connection.connect().call("DELETE", Connection.script(name), query: force ? [("force", "true")] : [])
        print("Deleted \(name).")
    }
}
