import Foundation
import Testing

/// A person with a home and a project.
final class Person {
    let platform: Platform
    let home: ScratchFolder

    init() throws {
        platform = try Platform()
        home = try ScratchFolder()
        try login()
    }

    var address: String { "http://127.0.0.1:\(platform.martlet.ports[1])" }

    func login() throws {
        #expect(
            try run(["login", "--endpoint", address + "/"], input: platform.token + "\n").contains("Logged in"))
    }

    /// A command that has to succeed, in the project's folder.
    @discardableResult
    func run(_ arguments: [String], input: String = "") throws -> String {
        let result = try attempt(arguments, input: input)
        guard result.status == 0 else { throw Failure("\(arguments): \(result.output)") }
        return result.output
    }

    func attempt(_ arguments: [String], input: String = "") throws -> (status: Int32, output: String) {
        try Program.run(
            "/usr/bin/env", ["--chdir", home.path, Martlet.binary] + arguments, input: input,
            environment: ["HOME": home.path, "XDG_CONFIG_HOME": "\(home.path)/config"])
    }

    func json(_ arguments: [String]) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: Data(try run(arguments + ["--json"]).utf8))
    }
}
