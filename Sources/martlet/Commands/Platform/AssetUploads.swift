import Client
import Foundation
import Glibc
import Model
import Project

/// The static assets of a project on their way to a platform: only what it does not have yet is sent.
struct AssetUploads {
    private let folder: AssetFolder
    private let configuration: [String: JSONValue]

    var files: [AssetFolder.File] { folder.files }

    /// Nil if the project has none.
    init?(of project: ProjectFile?) throws {
        guard let project, let assets = project.assets else { return nil }
        folder = try Connection.clean { try AssetFolder("\(project.folder)/\(assets.directory)") }
        var configuration = assets.configuration
        configuration["_headers"] = folder.headers.map { .string($0) }
        configuration["_redirects"] = folder.redirects.map { .string($0) }
        self.configuration = configuration
    }

    /// - Returns: what the metadata of the Worker's upload says of its assets.
    func upload(_ connection: Connection, _ script: String) throws -> JSONValue {
        let manifest = folder.files.map { file -> (String, JSONValue) in
            (file.path, ["hash": .string(file.hash), "size": .number(Double(file.size))])
        }
        let body: JSONValue = ["manifest": .object(Dictionary(manifest) { first, _ in first })]
        let session = try connection.call("POST", script + "/assets-upload-session", .json(body))
        var jwt = session.cell("jwt")
        let buckets = session["buckets"]?.array?.compactMap(\.strings) ?? []
        let total = buckets.reduce(0) { $0 + $1.count }
        let known = Dictionary(folder.files.map { ($0.hash, $0) }) { first, _ in first }
        var sent = 0
        for bucket in buckets {
            let parts = try bucket.compactMap { known[$0] }.map { file in
                let bytes = try Connection.clean { try folder.bytes(of: file) }
                let text = Array(Data(bytes).base64EncodedString().utf8)
                return (name: file.hash, type: file.contentType ?? "application/null", bytes: text)
            }
            let answer = try connection.call(
                "POST", "/workers/assets/upload", query: [("base64", "true")], .form(metadata: nil, files: parts),
                token: session.cell("jwt"))
            if let completed = answer["jwt"]?.string { jwt = completed }
            sent += bucket.count
            Self.show("Uploaded \(sent) of \(total) assets; \(folder.files.count) in all", isLast: sent == total)
        }
        if buckets.isEmpty { Self.show("All \(folder.files.count) assets are there already", isLast: true) }
        return ["jwt": .string(jwt), "config": .object(configuration)]
    }

    /// One line, over and over on a terminal.
    private static func show(_ text: String, isLast: Bool) {
        let isTerminal = isatty(STDERR_FILENO) == 1
        guard isTerminal || isLast else { return }
        FileHandle.standardError.write(Data("\(isTerminal ? "\r" : "")\(text)\(isLast ? "\n" : "")".utf8))
    }
}
