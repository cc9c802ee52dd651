package import Model

/// `assets` of a project file.
package struct ProjectAssets: Sendable, Equatable {
    /// Relative to the file's folder.
    package let directory: String
    /// A member of env by which the Worker reads them; nil if there is none.
    package let binding: String?
    /// As the control API takes it.
    package let configuration: [String: JSONValue]
}

extension KeyReader {
    private static let assetKeys: Set<String> = [
        "directory", "binding", "html_handling", "not_found_handling", "run_worker_first",
    ]

    func assets() throws(ProjectError) -> ProjectAssets? {
        guard let value = inherited("assets") else { return nil }
        guard let object = value.object else { throw wrong("assets", "an object") }
        if let unknown = object.keys.sorted().first(where: { !Self.assetKeys.contains($0) }) {
            throw wrong("assets", "without the key '\(unknown)', which is not there on this platform")
        }
        guard let directory = object["directory"]?.string, !directory.isEmpty else {
            throw wrong("assets.directory", "the folder of the assets")
        }
        if let binding = object["binding"], binding.string?.isEmpty != false { throw wrong("assets.binding", "a name") }
        return ProjectAssets(
            directory: directory, binding: object["binding"]?.string,
            configuration: object.filter { $0.key != "directory" && $0.key != "binding" })
    }
}
