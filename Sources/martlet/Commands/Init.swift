import ArgumentParser
import Foundation
import Model

/// `martlet init`: a new project.
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begins a project in a folder.", discussion: "Nothing that is there is overwritten.")

    @Argument(help: "The folder; it is made if it is not there.")
    var folder = "."
    @Option(help: "What to begin with: \(Template.allCases.map(\.rawValue).joined(separator: ", ")).")
    var template = Template.hello
    @Option(help: "The Worker's name. By default that of the folder.")
    var name: String?

    func run() throws {
        let root = URL(filePath: folder).standardizedFileURL
        let name = name ?? Self.name(from: root.lastPathComponent)
        guard HostName.isLabel(name), !name.contains(".") else {
            throw CleanFailure(
                "'\(name)' cannot be a Worker's name (letters a-z, digits, '-' and '_', at most 63): "
                    + "choose one with --name"
            )
        }
        let files = template.files(name: name, date: Compatibility.defaultDate)
        for file in files where FileManager.default.fileExists(atPath: root.appending(path: file.path).path) {
            throw CleanFailure("\(folder)/\(file.path) is there already; nothing was written")
        }
        do {
            for file in files {
                let url = root.appending(path: file.path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(file.bytes).write(to: url, options: .withoutOverwriting)
            }
        } catch {
            throw CleanFailure("\(folder) cannot be written to: \(error.localizedDescription)")
        }
        for file in files { print("  \(file.path)") }
        let place = folder == "." ? "" : "cd \(folder); "
        print("Began \(name). Next: \(place)martlet dev, and martlet deploy.")
    }

    /// A folder's name with what a Worker's name may have.
    private static func name(from folder: String) -> String {
        let letters = folder.lowercased().map { letter in
            letter.isASCII && (letter.isLetter || letter.isNumber || letter == "_") ? letter : "-"
        }
        return String(letters.drop { $0 == "-" }.prefix(63))
    }
}
