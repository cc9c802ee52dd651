import ArgumentParser
import Client
import Foundation
import Model
import Project

/// `martlet tail`: what a Worker does, as it does it.
struct TailCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument { case pretty, json }
    enum Status: String, CaseIterable, ExpressibleByArgument { case ok, error, canceled }

    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Shows a Worker's requests, logs and exceptions as they come.")

    @Argument(help: "The Worker's name. By default that of the project file.")
    var worker: String?
    @Option(help: "pretty, or json: one object a line.")
    var format = Format.pretty
    @Option(help: "Only events that ended so: ok, error or canceled. May be given again.")
    var status: [Status] = []
    @Option(help: "Only requests with that method. May be given again.")
    var method: [String] = []
    @Option(help: "Only requests with that header: NAME, or NAME:TEXT for a part of its value.")
    var header: String?
    @Option(name: .customLong("ip"), help: "Only requests of that client's address, or 'self'. May be given again.")
    var addresses: [String] = []
    @Option(help: "Only events with that text in a log line or an exception.")
    var search: String?
    @Option(help: "The part of the events that is shown, above 0 and up to 1.")
    var samplingRate: Double?
    @Option(help: "Only that version.")
    var versionId: String?
    @Option(name: [.short, .long], help: "The project file. By default wrangler.json, .jsonc or .toml, here or above.")
    var config: String?
    @Option(name: [.short, .customLong("env")], help: "An environment of the project file.")
    var environment: String?
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect()
        let name = try workerName()
        let tails = "\(Connection.script(name))/tails"
        let tail = try connection.call("POST", tails, .json(["filters": .array(filters)]))
        guard let id = tail["id"]?.string, let url = tail["url"]?.string else {
            throw CleanFailure("the platform made no tail")
        }
        follow(url, of: name)
        SignalWait.wait()
        try connection.call("DELETE", "\(tails)/\(id)")
    }

    /// On a thread of its own, which ends the process when the platform ends the tail.
    private func follow(_ url: String, of name: String) {
        let format = format
        Thread.detachNewThread {
            do {
                try TailStream.follow(
                    url, opened: { Self.say("Following \(name). End with Ctrl-C.") },
                    message: { text in Self.show(text, format) })
                Self.say("The tail has ended.")
                _exit(0)
            } catch {
                Self.say("Error: \(error)")
                _exit(1)
            }
        }
    }

    private func workerName() throws -> String {
        if let worker { return worker }
        guard let path = config ?? ProjectFile.find(from: FileManager.default.currentDirectoryPath) else {
            throw CleanFailure("there is no wrangler.json, .jsonc or .toml here: name the Worker")
        }
        return try Connection.clean { try ProjectFile(path, environment: environment).name }
    }

    private var filters: [JSONValue] {
        func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        var filters: [JSONValue] = []
        let outcomes = status.flatMap { status in
            switch status {
            case .ok: ["ok"]
            case .canceled: ["canceled"]
            case .error: ["exception", "exceededCpu", "exceededMemory", "unknown"]
            }
        }
        if !outcomes.isEmpty { filters.append(["outcome": texts(outcomes)]) }
        if !method.isEmpty { filters.append(["method": texts(method)]) }
        if let header {
            let parts = header.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let value: JSONValue =
                parts.count == 2 ? ["key": .string(parts[0]), "query": .string(parts[1])] : ["key": .string(header)]
            filters.append(["header": value])
        }
        if !addresses.isEmpty { filters.append(["client_ip": texts(addresses)]) }
        if let search { filters.append(["query": .string(search)]) }
        if let samplingRate { filters.append(["sampling_rate": .number(samplingRate)]) }
        if let versionId { filters.append(["scriptVersion": .string(versionId)]) }
        return filters
    }

    // MARK: What is shown

    private static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    private static func show(_ text: String, _ format: Format) {
        let shown = format == .json ? text : pretty(text)
        FileHandle.standardOutput.write(Data("\(shown)\n".utf8))
    }

    private static func pretty(_ text: String) -> String {
        guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return text }
        var lines = [headline(of: event)]
        for log in event["logs"]?.array ?? [] {
            let message = (log["message"]?.array ?? []).map(\.shown).joined(separator: " ")
            lines.append("  (\(log.cell("level"))) \(escaped(message))")
        }
        for failure in event["exceptions"]?.array ?? [] {
            lines.append("  \u{2718} \(escaped("\(failure.cell("name")): \(failure.cell("message"))"))")
        }
        return lines.joined(separator: "\n")
    }

    private static func headline(of message: JSONValue) -> String {
        let event = message["event"] ?? .null
        if event.cell("type") == "overload" { return "! \(event.cell("message"))" }
        let time = Timestamp(milliseconds: Int64(message["eventTimestamp"]?.number ?? 0))
        let end = "- \(message.cell("outcome")) @ \(time) \(message.cell("colo"))"
        if let request = event["request"] {
            let status = event["response"]?.cell("status") ?? ""
            return "\(request.cell("method")) \(escaped(request.cell("url"))) \(status) \(end)"
        }
        if let method = event["rpcMethod"] { return "rpc \(escaped(method.shown)) \(end)" }
        return "scheduled \"\(event.cell("cron"))\" \(end)"
    }

    /// Control characters shown, so that a Worker cannot write to the terminal's state.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { shown, scalar in
            let isControl = scalar.value < 0x20 && scalar != "\t" && scalar != "\n" || (0x7F...0x9F) ~= scalar.value
            if isControl {
                shown += "\\x\(String(scalar.value, radix: 16))"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
    }
}
