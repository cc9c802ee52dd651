import ArgumentParser
import Client
import Foundation
import Model
import Project

/// Whose platform, and which account of it, a command is about.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The account's id; needed only if the token is for several.")
    var account: String?

    func connect() throws -> Connection {
        try Connection.clean {
            let client = PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment))
            return Connection(client: client, named: account)
        }
    }
}

/// A platform's client, and the account that is meant.
final class Connection {
    let client: PlatformClient
    private let named: String?
    private var found: String?

    init(client: PlatformClient, named: String?) {
        self.client = client
        self.named = named
    }

    func account() throws -> String {
        if let found { return found }
        let account = try Self.clean { try client.account(named) }
        found = account
        return account
    }

    /// The path of something of the account's: "/workers/scripts/hello".
    func path(_ rest: String) throws -> String { "/accounts/\(try account())\(rest)" }

    static func script(_ name: String) -> String { "/workers/scripts/\(PlatformClient.escaped(name))" }

    @discardableResult
    func call(
        _ method: String, _ path: String, query: [(String, String)] = [], _ body: PlatformClient.Body? = nil,
        token: String? = nil
    ) throws -> JSONValue {
        let path = try self.path(path)
        return try Self.clean { try client.call(method, path, query: query, body, token: token) }
    }

    /// The account's zones: all of them, or those of that name.
    func zones(named name: String? = nil) throws -> [JSONValue] {
        let query = [("account.id", try account())] + (name.map { [("name", $0)] } ?? [])
        return try Self.clean { try client.pages("/zones", query: query) }
    }

    /// Gives an error the form in which the command line tells it.
    static func clean<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as ClientError {
            throw CleanFailure(error.code.map { "\(error.description) (\($0))" } ?? error.description)
        } catch let error as ProjectError {
            throw CleanFailure(error.description)
        } catch let error as CompatibilityError {
            throw CleanFailure(error.description)
        }
    }
}

/// Which Worker a command is about.
struct WorkerOptions: ParsableArguments {
    @Option(help: "The Worker's name. By default that of the project file.")
    var name: String?
    @OptionGroup var file: ProjectOptions

    /// Nil if there is none.
    func project() throws -> ProjectFile? { try file.project() }

    func workerName() throws -> String {
        if let name { return name }
        guard let project = try project() else {
            throw CleanFailure("there is no wrangler.json, .jsonc or .toml here: name the Worker with --name")
        }
        return project.name
    }
}

/// How lists are shown.
struct ListOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    /// - Parameter columns: titles, and what stands below each.
    func show(_ value: JSONValue, _ rows: [JSONValue], _ columns: [(title: String, cell: (JSONValue) -> String)]) {
        if json { return print(value.text) }
        guard !rows.isEmpty else { return print("There are none.") }
        let cells = rows.map { row in columns.map { $0.cell(row) } }
        let widths = columns.indices.map { column in
            max(columns[column].title.count, cells.map { $0[column].count }.max() ?? 0)
        }
        func line(_ texts: [String]) -> String {
            zip(texts, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .replacing(#/ +$/#, with: "")
        }
        print(line(columns.map(\.title)))
        for row in cells { print(line(row)) }
    }
}

extension JSONValue {
    /// For a table.
    var shown: String {
        switch self {
        case .null: ""
        case .string(let text): text
        default: text
        }
    }

    /// The table's cell under a key.
    func cell(_ key: String) -> String { self[key]?.shown ?? "" }
}

/// What a person types, or a program pipes in.
enum Input {
    /// Everything on stdin, or one line that is not shown if stdin is a terminal.
    static func secret(_ prompt: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            let data = FileHandle.standardInput.readDataToEndOfFile()
            guard let text = String(validating: data, as: UTF8.self) else { throw CleanFailure("stdin is not UTF-8") }
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        }
        FileHandle.standardError.write(Data("\(prompt): ".utf8))
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        guard let line = readLine() else { throw CleanFailure("nothing was typed") }
        return line
    }
}
