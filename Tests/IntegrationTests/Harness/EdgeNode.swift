import Foundation

/// `martlet edge`: a location that follows a platform.
final class EdgeNode {
    let location: String
    let folder: ScratchFolder
    private(set) var martlet: Martlet
    private let arguments: [String]

    /// Adds the location, and starts it where nothing was before; waits until it serves.
    convenience init(
        _ location: String, of platform: Platform, adding flags: [String] = [], join: String? = nil
    ) throws {
        let folder = try ScratchFolder()
        try Self.add(location, to: platform, in: folder, flags)
        try self.init(location, folder: folder, join: join ?? platform.address)
        platform.locations.append(self)
        try takeAddresses()
    }

    /// Starts it with the credentials in a folder, and waits for nothing.
    init(_ location: String, folder: ScratchFolder, join: String, flags: [String] = []) throws {
        self.location = location
        self.folder = folder
        arguments =
            [
                "edge", "--join", join, "--credentials", Self.credentials(location, folder), "--location", location,
                "--data", "\(folder.path)/\(location)", "--port", "0", "--admin-port", "0",
            ] + flags
        martlet = try Martlet(arguments)
    }

    static func credentials(_ location: String, _ folder: ScratchFolder) -> String {
        "\(folder.path)/\(location).json"
    }

    /// `martlet location add`.
    static func add(
        _ location: String, to platform: Platform, in folder: ScratchFolder, _ flags: [String] = []
    ) throws {
        let arguments = ["location", "add", location, "--out", credentials(location, folder)] + flags
        let result = try platform.command(arguments)
        guard result.status == 0 else { throw Failure("location add: \(result.output)") }
    }

    /// Of the admin port, then of the one for requests.
    func takeAddresses() throws {
        try martlet.takeAddress()
        try martlet.takeAddress()
    }

    /// Ends it by SIGKILL and starts it again on the same copy.
    func killAndStart() throws {
        try martlet.kill9()
        try start()
    }

    /// Starts it on the same copy, after it was ended.
    func start() throws {
        martlet = try Martlet(arguments)
        try takeAddresses()
    }

    /// Changes its copy behind its back.
    func execute(_ statement: String) throws {
        try Program.check(
            "/usr/bin/python3",
            [
                "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()",
                "\(folder.path)/\(location)/edge.sqlite", statement,
            ])
    }

    func client() throws -> Client { try Client(port: martlet.ports[1]) }

    func get(_ name: String, _ path: String = "/", fields: [(String, String)] = []) throws -> Answer {
        let client = try client()
        try client.send("GET", path, fields: [("Host", "\(name).main.localhost")] + fields)
        return try client.answer(by: .patient)
    }

    /// What `/readyz` says.
    func readiness() throws -> JSON {
        let client = try Client(port: martlet.ports[0])
        try client.send("GET", "/readyz")
        return try client.answer(by: .patient).json()
    }

    /// Waits until a Worker answers so.
    func wait(for text: String, of name: String, by deadline: Deadline = .patient) throws {
        try IntegrationTests.wait(until: "\(location) answers '\(text)'", by: deadline) {
            try get(name).text == text
        }
    }
}

extension Platform {
    var address: String { "http://127.0.0.1:\(martlet.ports.last!)" }

    /// A command of the operator's.
    func command(_ arguments: [String]) throws -> (status: Int32, output: String) {
        try Program.run(
            Martlet.binary, arguments,
            environment: ["MARTLET_ENDPOINT": address, "MARTLET_TOKEN": token, "HOME": folder.path])
    }
}
